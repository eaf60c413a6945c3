/** ReverseSequence: of each batch, as many steps in reverse order as it has. */
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'

const axesOf = (call: Call): { readonly batch: number; readonly time: number } => ({
  batch: intOf(call, 'batch_axis', 1),
  time: intOf(call, 'time_axis', 0),
})

export const reverseSequence: Op = {
  name: 'ReverseSequence',
  inputs: [2, 2],
  attributes: { batch_axis: 'int', time_axis: 'int' },
  infer(call) {
    const { shape } = inputOf(call, 0)
    const { batch, time } = axesOf(call)
    const fits =
      shape.length >= 2 &&
      [batch, time].toSorted((a, b) => a - b).join() === '0,1' &&
      inputOf(call, 1).shape.join() === String(shape[batch])
    return fits ? [inputOf(call, 0)] : refuse('bad-shape', 'axes or lengths do not fit')
  },
  flop: (call) => sizeOf(inputOf(call, 0)),
  reference(call, [x, lengths]) {
    const { batch, time } = axesOf(call)
    return [
      fill(x!.shape, (at) => {
        const [step, length] = [at[time]!, lengths!.data[at[batch]!]!]
        return x!.data[placeOf(x!.shape, step < length ? at.with(time, length - 1 - step) : at)]!
      }),
    ]
  },
  lower(call, [x, lengths], build) {
    const { batch, time } = axesOf(call)
    const { element, shape } = call.outputs[0]!
    return [
      nest(build, {
        element: gpuElement(element),
        shape,
        inputs: [x!, lengths!],
        body({ shader, out, inputs }) {
          const step = out[time]!
          const length = shader.let(
            `min(${shader.read(inputs[1]!, [out[batch]!])}, ${shape[time]!})`,
          )
          const from = shader.let(`select(${step}, ${length} - 1 - ${step}, ${step} < ${length})`)
          return shader.read(inputs[0]!, out.with(time, from))
        },
      }),
    ]
  },
  cases: {
    'either axis first': (draw) => {
      const [shape, batch] = [draw.shape(3), draw.whole(0, 1)]
      const lengths = draw.integers([shape[batch]!], 1, shape[1 - batch]!)
      const attributes = { batch_axis: batch, time_axis: 1 - batch }
      return { attributes, inputs: [draw.floats(shape), lengths] }
    },
  },
}

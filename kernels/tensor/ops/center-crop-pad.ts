/** CenterCropPad: as much around the middle of some axes as is asked for, with zeros where there is not enough. */
import { allOf } from '../conditions.ts'
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axesIn, inputOf, intsOf, knownInts } from '../op.ts'
import { list } from '../draw.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../tensor.ts'

/** The shape of the result, or null where axes and sizes do not fit. */
const shapeOf = (call: Call): Shape | null => {
  const { shape } = inputOf(call, 0)
  const sizes = knownInts(call, 1) ?? []
  const axes = axesIn(intsOf(call, 'axes') ?? shape.map((_, i) => i), shape.length)
  if (axes === null || axes.length !== sizes.length || sizes.some((size) => size < 0)) return null
  return shape.map((size, axis) => (axes.includes(axis) ? sizes[axes.indexOf(axis)]! : size))
}

/** What a coordinate of the result is ahead of the one that it shows. */
const aheadOf = (from: Shape, to: Shape): readonly number[] =>
  from.map((size, axis) => {
    const wider = to[axis]! - size
    return wider >= 0 ? Math.floor(wider / 2) : -Math.floor(-wider / 2)
  })

export const centerCropPad: Op = {
  name: 'CenterCropPad',
  inputs: [2, 2],
  attributes: { axes: 'ints' },
  shapeInputs: [1],
  infer(call) {
    const shape = shapeOf(call)
    if (shape === null) return refuse('bad-shape', 'axes and sizes do not fit')
    return [{ element: inputOf(call, 0).element, shape }]
  },
  flop: (call) => sizeOf(call.outputs[0]!),
  reference(call, [x]) {
    const { shape } = call.outputs[0]!
    const ahead = aheadOf(x!.shape, shape)
    return [
      fill(shape, (at) => {
        const from = at.map((coordinate, axis) => coordinate - ahead[axis]!)
        const inside = from.every((i, axis) => i >= 0 && i < x!.shape[axis]!)
        return inside ? x!.data[placeOf(x!.shape, from)]! : 0
      }),
    ]
  },
  lower(call, [x], build) {
    const { element, shape } = call.outputs[0]!
    const kind = gpuElement(element)
    if (sizeOf(x!) === 0) return [build.literal(kind, shape, 0)]
    const [sizes, ahead] = [x!.shape, aheadOf(x!.shape, shape)]
    return [
      nest(build, {
        element: kind,
        shape,
        inputs: [x!],
        body({ shader, out, inputs }) {
          const from = out.map((name, axis) => shader.let(`${name} - (${ahead[axis]!})`))
          const inside = from.flatMap((i, axis) => [`${i} >= 0`, `${i} < ${sizes[axis]!}`])
          const at = from.map((i, axis) => shader.let(`clamp(${i}, 0, ${sizes[axis]! - 1})`))
          return `select(${kind}(0), ${shader.read(inputs[0]!, at)}, ${allOf(inside)})`
        },
      }),
    ]
  },
  cases: {
    'all axes': (draw) => {
      const shape = draw.shape(draw.whole(1, 3))
      return { inputs: [draw.floats(shape), list(...draw.shape(shape.length))] }
    },
    'an axis from the end': (draw) => ({
      attributes: { axes: [-1] },
      inputs: [draw.floats(draw.shape(2)), list(draw.whole(1, 12))],
    }),
  },
}

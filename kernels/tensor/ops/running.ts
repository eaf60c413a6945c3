/** CumSum and CumProd: what the elements of a line add up, or multiply, to so far. */
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisIn, inputOf, intOf, knownInts } from '../op.ts'
import { serial } from '../templates/serial.ts'
import { list } from '../draw.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'

const axisOf = (call: Call): number | null =>
  axisIn(knownInts(call, 1)?.[0] ?? NaN, inputOf(call, 0).shape.length)

const running = (
  name: string,
  initial: number,
  sign: string,
  compute: (sum: number, x: number) => number,
): Op => ({
  name,
  inputs: [2, 2],
  attributes: { exclusive: 'int', reverse: 'int' },
  shapeInputs: [1],
  infer: (call) =>
    axisOf(call) === null ? refuse('bad-shape', 'there is no such axis') : [inputOf(call, 0)],
  flop: (call) => sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const axis = axisOf(call)!
    const size = x!.shape[axis]!
    const [reverse, exclusive] = [
      intOf(call, 'reverse', 0) !== 0,
      intOf(call, 'exclusive', 0) !== 0,
    ]
    const out = new Float64Array(x!.data.length)
    fill(x!.shape.with(axis, 1), (at) => {
      let sum = initial
      for (let i = 0; i < size; i++) {
        const place = placeOf(x!.shape, at.with(axis, reverse ? size - 1 - i : i))
        const next = compute(sum, x!.data[place]!)
        out[place] = exclusive ? sum : next
        sum = next
      }
      return 0
    })
    return [out]
  },
  lower(call, [x], build) {
    const axis = axisOf(call)!
    const { element, shape } = call.outputs[0]!
    const size = shape[axis]!
    const kind = gpuElement(element)
    const exclusive = intOf(call, 'exclusive', 0) !== 0
    return serial(build, {
      outer: shape.with(axis, 1),
      inputs: [x!],
      results: [{ element: kind, shape }],
      flop: size,
      body({ shader, at, inputs, results }) {
        const sum = shader.var(`${kind}(${initial})`)
        shader.line(`for (var i = 0; i < ${size}; i++) {`)
        const i = intOf(call, 'reverse', 0) === 0 ? 'i' : shader.let(`${size - 1} - i`)
        const next = shader.read(inputs[0]!, at.with(axis, i))
        const place = shader.place(results[0]!, at.with(axis, i))
        const lines = [`${sum} = ${sum} ${sign} ${next};`, `${place} = ${sum};`]
        for (const line of exclusive ? lines.toReversed() : lines) shader.line(line)
        shader.line('}')
      },
    })
  },
  cases: {
    'any axis and direction': (draw) => {
      const rank = draw.whole(1, 3)
      const attributes = { exclusive: draw.whole(0, 1), reverse: draw.whole(0, 1) }
      const x = draw.chance(0.8)
        ? draw.floats(draw.shape(rank), -1.5, 1.5)
        : draw.integers(draw.shape(rank), -2, 2, 'i32')
      return { attributes, inputs: [x, list(draw.whole(-rank, rank - 1))] }
    },
  },
})

export const RUNNING: readonly Op[] = [
  running('CumSum', 0, '+', (sum, x) => sum + x),
  running('CumProd', 1, '*', (product, x) => product * x),
]

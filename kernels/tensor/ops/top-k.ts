/** TopK: the largest, or smallest, of each line with their places, in order. Of equal ones the first comes first. */
import { allOf, anyOf } from '../conditions.ts'
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisIn, inputOf, intOf, knownInts } from '../op.ts'
import { serial } from '../templates/serial.ts'
import { nest } from '../templates/nest.ts'
import { list } from '../draw.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'
import type { Tensor } from '../tensor.ts'

const axisOf = (call: Call): number | null =>
  axisIn(intOf(call, 'axis', -1), inputOf(call, 0).shape.length)
const countOf = (call: Call): number => knownInts(call, 1)?.[0] ?? intOf(call, 'k', -1)
const isLargest = (call: Call): boolean => intOf(call, 'largest', 1) !== 0

/** Places of the chosen ones in the line that `at` lies in. */
const chosen = (call: Call, { data, shape }: Tensor, at: readonly number[]): readonly number[] => {
  const axis = axisOf(call)!
  const value = (i: number): number => data[placeOf(shape, at.with(axis, i))]!
  const sign = isLargest(call) ? -1 : 1
  const places = Array.from({ length: shape[axis]! }, (_, i) => i)
  return places.toSorted((a, b) => sign * (value(a) - value(b)) || a - b)
}

export const topK: Op = {
  name: 'TopK',
  inputs: [1, 2],
  attributes: { axis: 'int', k: 'int', largest: 'int', sorted: 'int' },
  shapeInputs: [1],
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    const [axis, count] = [axisOf(call), countOf(call)]
    if (axis === null || count < 0 || count > shape[axis]!)
      return refuse('bad-shape', 'no such axis, or more than there are')
    const chosenShape = shape.with(axis, count)
    return [
      { element, shape: chosenShape },
      { element: 'i64', shape: chosenShape },
    ]
  },
  flop: (call) => sizeOf(inputOf(call, 0)) * inputOf(call, 0).shape[axisOf(call)!]!,
  reference(call, [x]) {
    const axis = axisOf(call)!
    const lines = new Map<string, readonly number[]>()
    const places = fill(call.outputs[0]!.shape, (at) => {
      const line = at.with(axis, 0).join()
      const found = lines.get(line) ?? chosen(call, x!, at)
      lines.set(line, found)
      return found[at[axis]!]!
    })
    let next = 0
    const values = fill(call.outputs[0]!.shape, (at) => {
      return x!.data[placeOf(x!.shape, at.with(axis, places[next++]!))]!
    })
    return [values, places]
  },
  lower(call, [x], build) {
    const axis = axisOf(call)!
    const { element, shape } = call.outputs[0]!
    const input = build.realise(x!)
    const size = input.shape[axis]!
    const before = isLargest(call) ? '>' : '<'
    // How many come before it is where an element belongs.
    const rank = nest(build, {
      element: 'i32',
      shape: input.shape,
      inputs: [input],
      over: { sizes: [size], combine: { initial: '0', step: (sum, term) => `${sum} + ${term}` } },
      body({ shader, out, over, inputs }) {
        const own = shader.read(inputs[0]!, out)
        const other = shader.read(inputs[0]!, out.with(axis, over[0]!))
        const equal = allOf([`${other} == ${own}`, `${over[0]} < ${out[axis]}`])
        return `select(0, 1, ${anyOf([`${other} ${before} ${own}`, equal])})`
      },
    })
    return serial(build, {
      outer: input.shape,
      inputs: [input, rank],
      results: [
        { element: gpuElement(element), shape },
        { element: 'i32', shape },
      ],
      flop: 1,
      body({ shader, at, inputs, results }) {
        const place = shader.read(inputs[1]!, at)
        shader.line(`if (${place} >= ${shape[axis]!}) { return; }`)
        const value = shader.read(inputs[0]!, at)
        shader.line(`${shader.place(results[0]!, at.with(axis, place))} = ${value};`)
        shader.line(`${shader.place(results[1]!, at.with(axis, place))} = ${at[axis]};`)
      },
    })
  },
  cases: {
    'any axis': (draw) => {
      const shape = draw.shape(draw.whole(1, 3))
      const axis = draw.whole(0, shape.length - 1)
      const x = draw.pick([draw.floats(shape), draw.integers(shape, -3, 3, 'f32')])
      const attributes = { axis, largest: draw.whole(0, 1) }
      return { attributes, inputs: [x, list(draw.whole(1, shape[axis]!))], outputs: 2 }
    },
  },
}

/** Concat and Tile: elements copied next to each other. */
import { gpuElement } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisIn, inputOf, intOf, knownInts } from '../op.ts'
import { expandView, reshapeView, sliceView } from '../view.ts'
import { list } from '../draw.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Op } from '../op.ts'

/** ONNX sets no limit; this one keeps a hostile model from asking for a program without end. */
const MAX_INPUTS = 1024

const concat: Op = {
  name: 'Concat',
  inputs: [1, MAX_INPUTS],
  attributes: { axis: 'int' },
  infer(call) {
    const given = call.inputs.filter((input) => input !== null)
    const { element, shape } = inputOf(call, 0)
    const axis = axisIn(intOf(call, 'axis', 1), shape.length)
    if (axis === null) return refuse('bad-shape', 'there is no such axis')
    const fits = given.every(
      (input) =>
        input.element === element &&
        input.shape.length === shape.length &&
        input.shape.every((size, i) => i === axis || size === shape[i]),
    )
    if (!fits) return refuse('bad-shape', 'the inputs do not fit next to each other')
    const length = given.reduce((sum, input) => sum + input.shape[axis]!, 0)
    return [{ element, shape: shape.with(axis, length) }]
  },
  reference(call, inputs) {
    const { shape } = call.outputs[0]!
    const axis = axisIn(intOf(call, 'axis', 1), shape.length)!
    return [
      fill(shape, (at) => {
        let rest = at[axis]!
        const source = inputs.find((input) => {
          const size = input!.shape[axis]!
          if (rest < size) return true
          rest -= size
          return false
        })!
        return source.data[placeOf(source.shape, at.with(axis, rest))]!
      }),
    ]
  },
  lower(call, inputs, build) {
    const { element, shape } = call.outputs[0]!
    const axis = axisIn(intOf(call, 'axis', 1), shape.length)!
    const out = build.fresh(gpuElement(element), shape)
    let start = 0
    for (const input of inputs) {
      const size = input!.shape[axis]!
      build.write(input!, sliceView(out, axis, { start, size, step: 1 }))
      start += size
    }
    return [out]
  },
  cases: {
    'any axis': (draw) => {
      const rank = draw.whole(1, 4)
      const shape = draw.shape(rank)
      const axis = draw.whole(0, rank - 1)
      const inputs = Array.from({ length: draw.whole(1, 4) }, () =>
        draw.floats(shape.with(axis, draw.whole(0, 8))),
      )
      return { attributes: { axis: axis - (draw.chance(0.5) ? rank : 0) }, inputs }
    },
    'many inputs': (draw) => ({
      attributes: { axis: 0 },
      inputs: Array.from({ length: 12 }, () => draw.floats([2, 3])),
    }),
  },
}

const tile: Op = {
  name: 'Tile',
  inputs: [2, 2],
  attributes: {},
  shapeInputs: [1],
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    const repeats = knownInts(call, 1) ?? []
    if (repeats.length !== shape.length) return refuse('bad-shape', 'one repeat per dimension')
    return [{ element, shape: shape.map((size, i) => size * repeats[i]!) }]
  },
  reference(call, [x]) {
    const from = (at: readonly number[]): number[] => at.map((i, axis) => i % x!.shape[axis]!)
    return [fill(call.outputs[0]!.shape, (at) => x!.data[placeOf(x!.shape, from(at))]!)]
  },
  lower(call, [x], build) {
    const repeats = knownInts(call, 1)!
    const view = build.realise(x!)
    const apart = view.shape.flatMap((size) => [1, size])
    const wide = view.shape.flatMap((size, i) => [repeats[i]!, size])
    // Ones can be put anywhere in a view; what is repeated is then copied to its shape.
    return [build.reshape(expandView(reshapeView(view, apart)!, wide), call.outputs[0]!.shape)]
  },
  cases: {
    'any repeats': (draw) => {
      const rank = draw.whole(1, 4)
      const repeats = Array.from({ length: rank }, () => draw.whole(1, 3))
      return { inputs: [draw.floats(draw.shape(rank)), list(...repeats)] }
    },
  },
}

export const JOINS: readonly Op[] = [concat, tile]

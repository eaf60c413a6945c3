/** Compress and NonZero, whose shapes follow from values: those have to be known before the run. */
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisOf, inputOf, knownInts } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'
import type { Tensor } from '../tensor.ts'

/** Numbers of the slices that are kept; of the elements in row-major order, where no axis is named. */
const kept = (call: Call): readonly number[] => {
  const { shape } = inputOf(call, 0)
  const length = call.attributes.has('axis') ? shape[axisOf(call, 0)!]! : sizeOf({ shape })
  const wanted = knownInts(call, 1) ?? []
  return [...wanted.slice(0, length).entries()].flatMap(([i, keep]) => (keep === 0 ? [] : [i]))
}

export const compress: Op = {
  name: 'Compress',
  inputs: [2, 2],
  attributes: { axis: 'int' },
  shapeInputs: [1],
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!call.attributes.has('axis')) return [{ element, shape: [kept(call).length] }]
    const axis = axisOf(call, 0)
    if (axis === null) return refuse('bad-shape', 'there is no such axis')
    return [{ element, shape: shape.with(axis, kept(call).length) }]
  },
  reference(call, [x]) {
    const places = kept(call)
    if (!call.attributes.has('axis')) return [Float64Array.from(places, (i) => x!.data[i]!)]
    const axis = axisOf(call, 0)!
    return [
      fill(call.outputs[0]!.shape, (at) => {
        return x!.data[placeOf(x!.shape, at.with(axis, places[at[axis]!]!))]!
      }),
    ]
  },
  lower(call, [x], build) {
    const { element, shape } = call.outputs[0]!
    const places = kept(call)
    const data = Float64Array.from(places)
    const table: Tensor = { element: 'i32', shape: [places.length], data }
    const flat = call.attributes.has('axis') ? x! : build.reshape(x!, [sizeOf(x!)])
    const axis = call.attributes.has('axis') ? axisOf(call, 0)! : 0
    return [
      nest(build, {
        element: gpuElement(element),
        shape,
        inputs: [flat, build.constant(table)],
        body({ shader, out, inputs }) {
          const place = shader.read(inputs[1]!, [out[axis]!])
          return shader.read(inputs[0]!, out.with(axis, place))
        },
      }),
    ]
  },
  cases: {
    'an axis, or none': (draw) => {
      const shape = draw.shape(3)
      const axis = draw.whole(-3, 2)
      const attributes = draw.chance(0.6) ? { axis } : {}
      return { attributes, inputs: [draw.floats(shape), draw.bools([shape.at(axis)!])] }
    },
  },
}

const places = (call: Call): readonly number[] =>
  [...(knownInts(call, 0) ?? []).entries()].flatMap(([i, x]) => (x === 0 ? [] : [i]))

export const nonZero: Op = {
  name: 'NonZero',
  inputs: [1, 1],
  attributes: {},
  shapeInputs: [0],
  infer: (call) => [
    { element: 'i64', shape: [inputOf(call, 0).shape.length, places(call).length] },
  ],
  reference(call) {
    const { shape } = inputOf(call, 0)
    const found = places(call)
    return [
      fill(call.outputs[0]!.shape, ([axis, i]) => {
        const step = sizeOf({ shape: shape.slice(axis! + 1) })
        return Math.floor(found[i!]! / step) % shape[axis!]!
      }),
    ]
  },
  lower(call, _, build) {
    const [data] = this.reference(call, call.known)
    return [build.constant({ ...call.outputs[0]!, data: data! })]
  },
  cases: {
    'some zeros': (draw) => ({
      inputs: [draw.integers(draw.shape(draw.whole(1, 3)), -1, 1, 'f32')],
    }),
  },
}

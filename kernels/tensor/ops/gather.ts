/** Gather: slices of one axis, looked up by number; negative ones count from the end. */
import { gpuElement, sizeOf } from '../tensor.ts'
import { axisOf, inputOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import { indexText, inferLookup, wrapped } from './indices.ts'
import type { Op } from '../op.ts'

export const gather: Op = {
  name: 'Gather',
  inputs: [2, 2],
  attributes: { axis: 'int' },
  infer: (call) =>
    inferLookup(call, (axis) =>
      inputOf(call, 0).shape.toSpliced(axis, 1, ...inputOf(call, 1).shape),
    ),
  flop: (call) => sizeOf(call.outputs[0]!),
  reference(call, [data, indices]) {
    const axis = axisOf(call, 0)!
    const rank = indices!.shape.length
    const size = data!.shape[axis]!
    return [
      fill(call.outputs[0]!.shape, (at) => {
        const index = indices!.data[placeOf(indices!.shape, at.slice(axis, axis + rank))]!
        const from = [...at.slice(0, axis), wrapped(index, size), ...at.slice(axis + rank)]
        return data!.data[placeOf(data!.shape, from)]!
      }),
    ]
  },
  lower(call, [data, indices], build) {
    const axis = axisOf(call, 0)!
    const { element, shape } = call.outputs[0]!
    const rank = indices!.shape.length
    const size = data!.shape[axis]!
    return [
      nest(build, {
        element: gpuElement(element),
        shape,
        inputs: [data!, indices!],
        body({ shader, out, inputs }) {
          const found = shader.read(inputs[1]!, out.slice(axis, axis + rank))
          const index = indexText(shader, found, size)
          return shader.read(inputs[0]!, [...out.slice(0, axis), index, ...out.slice(axis + rank)])
        },
      }),
    ]
  },
  cases: {
    'any axis': (draw) => {
      const shape = draw.shape(3)
      const axis = draw.whole(0, 2)
      const indices = draw.integers(draw.shape(draw.whole(0, 2)), -shape[axis]!, shape[axis]! - 1)
      return { attributes: { axis }, inputs: [draw.floats(shape), indices] }
    },
  },
}

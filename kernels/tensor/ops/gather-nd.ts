/** GatherElements and GatherND: single elements, and slices, looked up by number. */
import { gpuElement, isFloat, sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisOf, inputOf, intOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import { hasPlaces, indexText, inferLookup, wrapped } from './indices.ts'
import type { Call, Op } from '../op.ts'

const gatherElements: Op = {
  name: 'GatherElements',
  inputs: [2, 2],
  attributes: { axis: 'int' },
  infer: (call) =>
    inferLookup(call, (axis) => {
      const [data, indices] = [inputOf(call, 0).shape, inputOf(call, 1).shape]
      const fits =
        data.length === indices.length && indices.every((size, i) => i === axis || size <= data[i]!)
      return fits ? indices : null
    }),
  flop: (call) => sizeOf(call.outputs[0]!),
  reference(call, [data, indices]) {
    const axis = axisOf(call, 0)!
    const size = data!.shape[axis]!
    return [
      fill(indices!.shape, (at) => {
        const index = wrapped(indices!.data[placeOf(indices!.shape, at)]!, size)
        return data!.data[placeOf(data!.shape, at.with(axis, index))]!
      }),
    ]
  },
  lower(call, [data, indices], build) {
    const axis = axisOf(call, 0)!
    const { element, shape } = call.outputs[0]!
    return [
      nest(build, {
        element: gpuElement(element),
        shape,
        inputs: [data!, indices!],
        body({ shader, out, inputs }) {
          const index = indexText(shader, shader.read(inputs[1]!, out), data!.shape[axis]!)
          return shader.read(inputs[0]!, out.with(axis, index))
        },
      }),
    ]
  },
  cases: {
    'any axis': (draw) => {
      const rank = draw.whole(1, 4)
      const shape = draw.shape(rank)
      const axis = draw.whole(0, rank - 1)
      const sizes = shape.map((size) => draw.whole(1, size)).with(axis, draw.whole(1, 9))
      const indices = draw.integers(sizes, -shape[axis]!, shape[axis]! - 1)
      const attributes = { axis: draw.chance(0.5) ? axis : axis - rank }
      return { attributes, inputs: [draw.floats(shape), indices] }
    },
    'whole numbers of 32 bits': (draw) => ({
      inputs: [draw.integers([4, 3], -9, 9), draw.integers([2, 3], 0, 3, 'i32')],
    }),
  },
}

type Plan = {
  readonly batch: number
  /** Numbers in an index, and so leading dimensions of the data behind the batch that it picks from. */
  readonly depth: number
}

const planOf = (call: Call): Plan | null => {
  const [data, indices] = [inputOf(call, 0).shape, inputOf(call, 1).shape]
  const batch = intOf(call, 'batch_dims', 0)
  const depth = indices.at(-1) ?? -1
  const fits =
    batch >= 0 &&
    batch < Math.min(data.length, indices.length) &&
    depth >= 1 &&
    batch + depth <= data.length &&
    sameShape(data.slice(0, batch), indices.slice(0, batch))
  return fits ? { batch, depth } : null
}

const gatherNd: Op = {
  name: 'GatherND',
  inputs: [2, 2],
  attributes: { batch_dims: 'int' },
  infer(call) {
    const [data, indices] = [inputOf(call, 0), inputOf(call, 1)]
    const plan = planOf(call)
    if (plan === null || isFloat(indices.element))
      return refuse('bad-shape', 'the indices do not fit the data')
    const rest = data.shape.slice(plan.batch + plan.depth)
    const shape = [...indices.shape.slice(0, -1), ...rest]
    if (!hasPlaces(sizeOf(data), shape)) return refuse('bad-shape', 'indices into nothing')
    return [{ element: data.element, shape }]
  },
  flop: (call) => sizeOf(call.outputs[0]!),
  reference(call, [data, indices]) {
    const { batch, depth } = planOf(call)!
    const rank = indices!.shape.length - 1
    return [
      fill(call.outputs[0]!.shape, (at) => {
        const index = Array.from({ length: depth }, (_, i) =>
          wrapped(
            indices!.data[placeOf(indices!.shape, [...at.slice(0, rank), i])]!,
            data!.shape[batch + i]!,
          ),
        )
        const from = [...at.slice(0, batch), ...index, ...at.slice(rank)]
        return data!.data[placeOf(data!.shape, from)]!
      }),
    ]
  },
  lower(call, [data, indices], build) {
    const { batch, depth } = planOf(call)!
    const { element, shape } = call.outputs[0]!
    const rank = indices!.shape.length - 1
    return [
      nest(build, {
        element: gpuElement(element),
        shape,
        inputs: [data!, indices!],
        body({ shader, out, inputs }) {
          const index = Array.from({ length: depth }, (_, i) => {
            const found = shader.read(inputs[1]!, [...out.slice(0, rank), String(i)])
            return indexText(shader, found, data!.shape[batch + i]!)
          })
          return shader.read(inputs[0]!, [...out.slice(0, batch), ...index, ...out.slice(rank)])
        },
      }),
    ]
  },
  cases: {
    'any depth': (draw) => {
      const shape = draw.shape(4)
      const batch = draw.whole(0, 2)
      const depth = draw.whole(1, 4 - batch)
      const size = Math.min(...shape.slice(batch, batch + depth))
      const sizes = [...shape.slice(0, batch), ...draw.shape(draw.whole(0, 2)), depth]
      const attributes = { batch_dims: batch }
      return { attributes, inputs: [draw.floats(shape), draw.integers(sizes, -size, size - 1)] }
    },
  },
}

export const LOOKUPS: readonly Op[] = [gatherElements, gatherNd]

/** Transpose, Slice and Split: other looks at the same elements, with strides. */
import { refuse } from '../outcome.ts'
import { axesIn, axisIn, inputOf, intOf, intsOf, intsOrInput, knownInts } from '../op.ts'
import { sliceView, transposeView } from '../view.ts'
import { list } from '../draw.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../tensor.ts'

const orderOf = (call: Call): readonly number[] | null => {
  const rank = inputOf(call, 0).shape.length
  const order = intsOf(call, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
  return order.length === rank ? axesIn(order, rank) : null
}

const transpose: Op = {
  name: 'Transpose',
  inputs: [1, 1],
  attributes: { perm: 'ints' },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    const order = orderOf(call)
    if (order === null) return refuse('bad-attribute', 'perm does not order the dimensions')
    return [{ element, shape: order.map((axis) => shape[axis]!) }]
  },
  reference(call, [x]) {
    const order = orderOf(call)!
    const from = (at: readonly number[]): number[] =>
      order.map((_, axis) => at[order.indexOf(axis)]!)
    return [fill(call.outputs[0]!.shape, (at) => x!.data[placeOf(x!.shape, from(at))]!)]
  },
  lower(call, [x], build) {
    const order = orderOf(call)!
    return [build.move(x!, (view) => transposeView(view, order))]
  },
  cases: {
    'any order': (draw) => {
      const rank = draw.whole(1, 5)
      const perm = draw.order(rank)
      return { attributes: { perm }, inputs: [draw.floats(draw.shape(rank))] }
    },
    backwards: (draw) => ({ inputs: [draw.floats(draw.shape(3))] }),
  },
}

type Cut = { readonly start: number; readonly step: number; readonly size: number }

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x))

const cutOf = (size: number, start: number, end: number, step: number): Cut => {
  const [from, to] = [start < 0 ? start + size : start, end < 0 ? end + size : end]
  const forward = step > 0
  const first = forward ? clamp(from, 0, size) : clamp(from, 0, size - 1)
  const last = forward ? clamp(to, 0, size) : clamp(to, -1, size - 1)
  return { start: first, step, size: Math.max(0, Math.ceil((last - first) / step)) }
}

/** One cut for each dimension, or null where the lists make no sense. */
const cutsOf = (call: Call): readonly Cut[] | null => {
  const { shape } = inputOf(call, 0)
  const starts = intsOrInput(call, 'starts', 1)
  const ends = intsOrInput(call, 'ends', 2)
  if (starts === null || ends === null) return null
  const axes = axesIn(intsOrInput(call, 'axes', 3) ?? starts.map((_, i) => i), shape.length)
  const steps = knownInts(call, 4) ?? starts.map(() => 1)
  const counts = [ends.length, axes?.length, steps.length]
  if (axes === null || steps.includes(0) || counts.some((count) => count !== starts.length))
    return null
  const cuts = shape.map((size): Cut => ({ start: 0, step: 1, size }))
  for (const [i, axis] of axes.entries())
    cuts[axis] = cutOf(shape[axis]!, starts[i]!, ends[i]!, steps[i]!)
  return cuts
}

const slice: Op = {
  name: 'Slice',
  inputs: [1, 5],
  attributes: { starts: 'ints', ends: 'ints', axes: 'ints' },
  shapeInputs: [1, 2, 3, 4],
  infer(call) {
    const cuts = cutsOf(call)
    if (cuts === null) return refuse('bad-shape', 'starts, ends, axes and steps do not fit')
    return [{ element: inputOf(call, 0).element, shape: cuts.map(({ size }) => size) }]
  },
  reference(call, [x]) {
    const cuts = cutsOf(call)!
    const from = (at: readonly number[]): number[] =>
      at.map((coordinate, axis) => cuts[axis]!.start + coordinate * cuts[axis]!.step)
    return [fill(call.outputs[0]!.shape, (at) => x!.data[placeOf(x!.shape, from(at))]!)]
  },
  lower(call, [x], build) {
    const cuts = cutsOf(call)!
    return [
      build.move(x!, (view) => cuts.reduce((cut, at, axis) => sliceView(cut, axis, at), view)),
    ]
  },
  cases: {
    'any direction': (draw) => {
      const shape = draw.shape(3)
      const ends = shape.map((size) => draw.whole(-size - 2, size + 2))
      const starts = shape.map((size) => draw.whole(-size - 2, size + 2))
      const steps = shape.map(() => draw.pick([-2, -1, 1, 1, 1, 2]))
      const inputs = [list(...starts), list(...ends), list(0, -2, 2), list(...steps)]
      return { inputs: [draw.floats(shape), ...inputs] }
    },
    'aligned middles': (draw) => ({
      inputs: [draw.floats([5, 16]), list(1, 4), list(2 ** 40, -4), list(0, 1), null],
    }),
    'lists as attributes': (draw) => ({
      opset: 9,
      attributes: { starts: [1], ends: [100], axes: [1] },
      inputs: [draw.floats([2, 7])],
    }),
  },
}

/** Sizes of the parts along the axis. */
const partsOf = (call: Call): { axis: number; sizes: readonly number[] } | null => {
  const { shape } = inputOf(call, 0)
  const axis = axisIn(intOf(call, 'axis', 0), shape.length)
  if (axis === null) return null
  const size = shape[axis]!
  const count = intOf(call, 'num_outputs', call.outputCount)
  if (count !== call.outputCount) return null
  const part = Math.ceil(size / count)
  const equal = Array.from({ length: count }, (_, i) => clamp(size - i * part, 0, part))
  const sizes = intsOrInput(call, 'split', 1) ?? equal
  const whole = sizes.reduce((sum, each) => sum + each, 0) === size && sizes.every((n) => n >= 0)
  return whole && sizes.length === call.outputCount ? { axis, sizes } : null
}

const starts = (sizes: readonly number[]): readonly number[] =>
  sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0))

const split: Op = {
  name: 'Split',
  inputs: [1, 2],
  attributes: { axis: 'int', split: 'ints', num_outputs: 'int' },
  shapeInputs: [1],
  infer(call) {
    const parts = partsOf(call)
    if (parts === null) return refuse('bad-shape', 'the parts do not add up')
    const { element, shape } = inputOf(call, 0)
    return parts.sizes.map((size) => ({ element, shape: shape.with(parts.axis, size) }))
  },
  reference(call, [x]) {
    const { axis, sizes } = partsOf(call)!
    const shapeOf = (size: number): Shape => x!.shape.with(axis, size)
    return starts(sizes).map((start, i) =>
      fill(shapeOf(sizes[i]!), (at) => {
        return x!.data[placeOf(x!.shape, at.with(axis, at[axis]! + start))]!
      }),
    )
  },
  lower(call, [x], build) {
    const { axis, sizes } = partsOf(call)!
    // Whoever is computed is computed once, however many look at a part of it.
    const whole = build.realise(x!)
    return starts(sizes).map((start, i) =>
      sliceView(whole, axis, { start, size: sizes[i]!, step: 1 }),
    )
  },
  cases: {
    'uneven parts': (draw) => ({
      attributes: { axis: 1 },
      inputs: [draw.floats([3, 7]), list(2, 0, 5)],
      outputs: 3,
    }),
    'equal parts, the last one short': (draw) => ({
      attributes: { axis: -1, num_outputs: 3 },
      inputs: [draw.floats([2, 8])],
      outputs: 3,
    }),
  },
}

export const SLICES: readonly Op[] = [transpose, slice, split]

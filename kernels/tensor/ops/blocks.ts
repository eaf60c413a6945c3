/** DepthToSpace and SpaceToDepth: blocks of an image as channels, and back. Only looks. */
import { refuse } from '../outcome.ts'
import { inputOf, intOf, textOf } from '../op.ts'
import { transposeView } from '../view.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../tensor.ts'

/** The shape before the dimensions change places, and their order. */
type Shuffle = { readonly apart: Shape; readonly order: readonly number[]; readonly shape: Shape }

const blockOf = (call: Call): number => intOf(call, 'blocksize', 0)

const depthToSpace = (call: Call): Shuffle | null => {
  const b = blockOf(call)
  const [n, c, h, w] = inputOf(call, 0).shape as [number, number, number, number]
  if (b < 1 || inputOf(call, 0).shape.length !== 4 || c % (b * b) !== 0) return null
  const d = c / (b * b)
  const shape = [n, d, h * b, w * b]
  return textOf(call, 'mode', 'DCR') === 'DCR'
    ? { apart: [n, b, b, d, h, w], order: [0, 3, 4, 1, 5, 2], shape }
    : { apart: [n, d, b, b, h, w], order: [0, 1, 4, 2, 5, 3], shape }
}

const spaceToDepth = (call: Call): Shuffle | null => {
  const b = blockOf(call)
  const [n, c, h, w] = inputOf(call, 0).shape as [number, number, number, number]
  if (b < 1 || inputOf(call, 0).shape.length !== 4 || h % b !== 0 || w % b !== 0) return null
  const apart = [n, c, h / b, b, w / b, b]
  return { apart, order: [0, 3, 5, 1, 2, 4], shape: [n, c * b * b, h / b, w / b] }
}

const shuffle = (
  name: string,
  modes: readonly string[],
  read: (call: Call) => Shuffle | null,
  shapeFor: (block: number, draw: readonly number[]) => Shape,
): Op => ({
  name,
  inputs: [1, 1],
  attributes: { blocksize: 'int', ...(modes.length === 0 ? {} : { mode: 'text' }) },
  infer(call) {
    if (call.attributes.has('mode') && !modes.includes(textOf(call, 'mode', '')))
      return refuse('unsupported', textOf(call, 'mode', ''))
    const found = read(call)
    if (found === null) return refuse('bad-shape', 'blocks of that size do not fit')
    return [{ element: inputOf(call, 0).element, shape: found.shape }]
  },
  reference(call, [x]) {
    const { apart, order } = read(call)!
    const moved = order.map((axis) => apart[axis]!)
    const from = (at: readonly number[]): number[] =>
      order.map((_, axis) => at[order.indexOf(axis)]!)
    return [fill(moved, (at) => x!.data[placeOf(apart, from(at))]!)]
  },
  lower(call, [x], build) {
    const { apart, order, shape } = read(call)!
    const moved = build.move(build.reshape(x!, apart), (view) => transposeView(view, order))
    return [build.reshape(moved, shape)]
  },
  cases: {
    'any block': (draw) => {
      const block = draw.whole(1, 3)
      const mode = modes.length === 0 ? {} : { mode: draw.pick(modes) }
      const attributes = { blocksize: block, ...mode }
      return { attributes, inputs: [draw.floats(shapeFor(block, draw.shape(4)))] }
    },
  },
})

export const BLOCKS: readonly Op[] = [
  shuffle('DepthToSpace', ['DCR', 'CRD'], depthToSpace, (b, [n, c, h, w]) => [
    n!,
    c! * b * b,
    h!,
    w!,
  ]),
  shuffle('SpaceToDepth', [], spaceToDepth, (b, [n, c, h, w]) => [n!, c!, h! * b, w! * b]),
]

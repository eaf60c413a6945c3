import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Draw } from './draw.ts'
import { collapse, expandView, reshapeView, sliceView, transposeView, wholeView } from './view.ts'
import { elements } from '../kernel.ts'
import { fill } from './ops/coordinates.ts'
import type { View } from './view.ts'

/** The places of the buffer that a view looks at, in its own order. */
const places = ({ shape, strides, offset }: View): number[] => [
  ...fill(shape, (at) => at.reduce((sum, i, axis) => sum + i * strides[axis]!, offset)),
]

/** A view that has been turned, cut and stretched by chance. */
const anyView = (draw: Draw): View => {
  let view = wholeView(0, 'f32', draw.shape(draw.whole(1, 4)))
  for (let i = draw.whole(0, 3); i > 0; i--) {
    const axis = draw.whole(0, view.shape.length - 1)
    const size = view.shape[axis]!
    const backwards = draw.chance(0.3)
    const cut = { start: backwards ? size - 1 : 0, size, step: backwards ? -1 : 1 }
    view = draw.chance(0.5)
      ? transposeView(view, draw.order(view.shape.length))
      : sliceView(view, axis, cut)
  }
  return draw.chance(0.3) ? expandView(view, [draw.whole(1, 3), ...view.shape]) : view
}

describe('a view', () => {
  it('shows the same elements in the same order after any reshape that it allows', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const draw = new Draw(seed)
        const view = anyView(draw)
        const size = elements(view.shape)
        const first = [1, 2, 3, 4, 6].find((n) => size % n === 0 && draw.chance(0.5)) ?? 1
        const shape = draw.pick([[size], [first, size / first], [1, ...view.shape, 1]])
        const other = reshapeView(view, shape)
        expect(other === null ? places(view) : places(other)).toEqual(places(view))
      }),
    )
  })

  it('can always be reshaped where it has no gaps', () => {
    const view = reshapeView(wholeView(0, 'f32', [4, 1, 6]), [2, 3, 1, 4])
    expect(view?.strides).toEqual([12, 4, 0, 1])
    expect(reshapeView(transposeView(wholeView(0, 'f32', [4, 6]), [1, 0]), [24])).toBeNull()
  })

  it('collapses with others into fewer dimensions without another order', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const view = anyView(new Draw(seed))
        const out = wholeView(1, 'f32', view.shape)
        const { shape, strides } = collapse(view.shape, [out, view])
        expect(places({ ...view, shape, strides: strides[1]! })).toEqual(places(view))
        expect(places({ ...out, shape, strides: strides[0]! })).toEqual(places(out))
        expect(shape.length).toBeLessThanOrEqual(Math.max(1, view.shape.length))
      }),
    )
  })
})

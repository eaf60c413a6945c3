import { describe, expect, it } from 'vitest'
import { mostFor } from './price.ts'
import {
  addWork,
  ALL_LOGITS,
  billOf,
  costedModel,
  costOfWork,
  NO_WORK,
  stageWork,
  tableBytes,
  type CostedModel,
} from './stage-cost.ts'

const shape = {
  layers: 2,
  width: 8,
  heads: 4,
  keyHeads: 2,
  headSize: 2,
  inner: 16,
  vocabulary: 10,
  context: 96,
  tied: false,
}
const bytes = [1_000, 100, 200, 5_000]
const blocks = bytes.map((each) => ({ bytes: each }))
const model = costedModel({ config: JSON.stringify(shape), blocks })!
const feed = (at: number, count: number) => ({ at, count, replay: false })

describe('the work of a feed', () => {
  it('is counted by hand for a token in the middle of a model', () => {
    const three: CostedModel = {
      shape: { ...shape, layers: 3 },
      blocks: [...blocks.slice(0, 3), { bytes: 300 }, { bytes: 5_000 }],
    }
    // q and o are 8 x 8, k and v 8 x 4, gate, up and down 8 x 16: 64 + 64 + 32 + 32 + 384 = 576 products.
    // The token looks at itself and 5 before it: 6 times 8 numbers of 4 heads, once with keys, once with values.
    expect(stageWork(three, { from: 1, to: 2, ...ALL_LOGITS }, feed(5, 1))).toEqual({
      flop: 2 * 576 + 2 * 2 * 6 * 8,
      // The layer's weights; 6 keys and values of 4 numbers each read, 1 written; a row in and one out.
      moved: 200 + (6 + 1) * 2 * 4 * 4 + 8 * 4 + 8 * 4,
      wire: 8 * 4 + 8 * 4,
    })
  })

  it('is counted by hand for three tokens through a whole model', () => {
    expect(stageWork(model, { from: 0, to: 2, ...ALL_LOGITS }, feed(0, 3))).toEqual({
      // Two layers; three tokens look at 1 + 2 + 3; logits of one token.
      flop: 2 * (3 * 2 * 576 + 2 * 2 * 6 * 8) + 2 * 8 * 10,
      moved: 100 + 200 + 5_000 + 3 * 8 * 4 + 2 * (3 + 3) * 2 * 4 * 4 + 3 * 4 + 10 * 4,
      wire: 3 * 4 + 10 * 4,
    })
  })

  it('looks once at each logit where only the likeliest are answered, and not at the prompt’s end', () => {
    const all = { from: 0, to: 2, ...ALL_LOGITS }
    const few = { ...all, top: 3, whole: 8 }
    const [sent, chosen] = [stageWork(model, all, feed(8, 1)), stageWork(model, few, feed(8, 1))]
    expect(chosen.flop - sent.flop).toBe(10)
    expect(chosen.moved - sent.moved).toBe(3 * 8)
    expect(chosen.wire - sent.wire).toBe(3 * 8 - 10 * 4)
    expect(stageWork(model, few, feed(5, 3))).toEqual(stageWork(model, all, feed(5, 3)))
    // Before the last layer nothing is chosen.
    const first = { from: 0, to: 1, ...ALL_LOGITS }
    expect(stageWork(model, { ...first, top: 3 }, feed(8, 1))).toEqual(
      stageWork(model, first, feed(8, 1)),
    )
  })

  it('reads the table of tokens as a whole where it makes the logits', () => {
    const tied: CostedModel = { shape: { ...shape, tied: true }, blocks }
    const last = { from: 1, to: 2, ...ALL_LOGITS }
    const more = stageWork(tied, last, feed(0, 1)).moved - stageWork(model, last, feed(0, 1)).moved
    expect(more).toBe(1_000)
  })

  it('sends nothing back where it is only remembered', () => {
    const range = { from: 0, to: 1, ...ALL_LOGITS }
    const replayed = stageWork(model, range, { at: 0, count: 2, replay: true })
    expect(replayed.wire).toBe(2 * 4)
    expect(replayed.flop).toBe(stageWork(model, range, feed(0, 2)).flop)
  })
})

describe('a bill', () => {
  const work = Array.from({ length: 32 }, (_, at) =>
    stageWork(model, { from: 0, to: 2, ...ALL_LOGITS }, feed(at, 1)),
  ).reduce(addWork, NO_WORK)

  it('is the formula for all its feeds together, and rounded up once', () => {
    expect(costOfWork({ flop: 3_000_001, moved: 10, wire: 50_001 })).toBe(4 + 2 + 20)
    expect(billOf({ flop: 3_000_001, moved: 10, wire: 50_001 }, 500)).toBe(13)
    expect(billOf({ flop: 3_000_001, moved: 10, wire: 50_000 }, 500)).toBe(13)
    expect(billOf(work, 0)).toBe(0)
  })

  it('is never more than a receipt may say', () => {
    expect(billOf(work, 1_000)).toBeLessThanOrEqual(mostFor(work.flop, work.moved))
  })
})

describe('tables of keys and values', () => {
  it('are doubled from 256 places on, and end with the context', () => {
    // Two layers, keys and values of 2 heads with 2 numbers.
    const long = { ...shape, context: 4_096 }
    expect(tableBytes(long, { from: 0, to: 2 }, 128)).toBe(2 * 2 * 4 * 4 * 256)
    expect(tableBytes(long, { from: 0, to: 2 }, 129)).toBe(2 * 2 * 4 * 4 * 512)
    expect(tableBytes(shape, { from: 0, to: 1 }, 96)).toBe(2 * 4 * 4 * (96 + 128))
  })
})

describe('what mallory publishes', () => {
  it.each([
    ['no JSON', '{', blocks],
    ['no object', 'null', blocks],
    ['a size that is missing', JSON.stringify({ ...shape, inner: undefined }), blocks],
    ['half a head', JSON.stringify({ ...shape, heads: 0.5 }), blocks],
    ['blocks of another model', JSON.stringify(shape), blocks.slice(1)],
    [
      'sums that would not stay whole',
      JSON.stringify({ ...shape, width: 2 ** 17, inner: 2 ** 20, context: 2 ** 27 }),
      blocks.map(() => ({ bytes: 2 ** 48 })),
    ],
  ])('has no costs where it has %s', (_, config, of) => {
    expect(costedModel({ config, blocks: of })).toBeNull()
  })
})

/** Trials of Attention: layouts, groups of heads, masks of all kinds, keys from before, scores. */
import type { Draw } from '../draw.ts'
import type { Attribute } from '../graph.ts'
import type { Op, Sample } from '../op.ts'
import type { Tensor } from '../tensor.ts'

type Sizes = {
  readonly batch: number
  readonly heads: number
  readonly group: number
  readonly queries: number
  readonly keys: number
  readonly size: number
  readonly valueSize: number
}

const sizes = (draw: Draw): Sizes => ({
  batch: draw.whole(1, 2),
  heads: draw.whole(1, 3),
  group: draw.pick([1, 1, 3]),
  queries: draw.whole(1, 7),
  keys: draw.whole(1, 9),
  size: draw.pick([8, 4, 5]),
  valueSize: draw.pick([8, 8, 3]),
})

const heads = (draw: Draw, s: Sizes): readonly Tensor[] => [
  draw.floats([s.batch, s.heads * s.group, s.queries, s.size], -2, 2),
  draw.floats([s.batch, s.heads, s.keys, s.size], -2, 2),
  draw.floats([s.batch, s.heads, s.keys, s.valueSize]),
]

const side = (draw: Draw, s: Sizes): readonly Tensor[] => [
  draw.floats([s.batch, s.queries, s.heads * s.group * s.size], -2, 2),
  draw.floats([s.batch, s.keys, s.heads * s.size], -2, 2),
  draw.floats([s.batch, s.keys, s.heads * s.valueSize]),
]

/** Stretches to the scores; some of it forbids, whole rows perhaps. */
const mask = (draw: Draw, s: Sizes, keys: number): Tensor => {
  const whole = [s.batch, s.heads * s.group, s.queries]
  const shape = [...draw.pick([whole.slice(2), [1, ...whole.slice(2)], whole]), keys]
  const wide = shape.map((size, i) => (i < shape.length - 1 && draw.chance(0.2) ? 1 : size))
  if (draw.chance(0.4)) return draw.bools(wide)
  const floats = draw.floats(wide)
  const data = floats.data.map((x) => (draw.chance(0.2) ? -Infinity : x))
  return { ...floats, data }
}

const anything = (draw: Draw): Record<string, Attribute> => ({
  ...(draw.chance(0.3) ? { scale: 0.3 } : {}),
  ...(draw.chance(0.3) ? { softcap: 1.5 } : {}),
  ...(draw.chance(0.3) ? { left_window_size: draw.whole(-1, 4) } : {}),
  ...(draw.chance(0.3) ? { right_window_size: draw.whole(-1, 4) } : {}),
  is_causal: draw.whole(0, 1),
})

const before = (draw: Draw, s: Sizes, past: number): readonly Tensor[] => [
  draw.floats([s.batch, s.heads, past, s.size], -2, 2),
  draw.floats([s.batch, s.heads, past, s.valueSize]),
]

const lengths = (draw: Draw, s: Sizes): Tensor => draw.integers([s.batch], 0, s.keys)

export const ATTENTION_CASES: Op['cases'] = {
  'heads in a dimension of their own': (draw) => ({
    attributes: anything(draw),
    inputs: heads(draw, sizes(draw)),
  }),
  'heads side by side': (draw) => {
    const s = sizes(draw)
    const counts = { q_num_heads: s.heads * s.group, kv_num_heads: s.heads }
    return { attributes: { ...anything(draw), ...counts }, inputs: side(draw, s) }
  },
  'a mask': (draw) => {
    const s = sizes(draw)
    return { attributes: anything(draw), inputs: [...heads(draw, s), mask(draw, s, s.keys)] }
  },
  'a mask that is too short': (draw) => {
    const s = { ...sizes(draw), keys: 6 }
    return { attributes: anything(draw), inputs: [...heads(draw, s), mask(draw, s, 4)] }
  },
  'keys from before': (draw) => {
    const s = sizes(draw)
    const past = draw.whole(1, 5)
    const masked = draw.chance(0.5) ? mask(draw, s, past + s.keys) : null
    const inputs = [...heads(draw, s), masked, ...before(draw, s, past)]
    return { attributes: anything(draw), inputs, outputs: 3 }
  },
  'keys that are no more than padding': (draw) => {
    const s = sizes(draw)
    const masked = draw.chance(0.5) ? mask(draw, s, s.keys) : null
    const inputs = [...heads(draw, s), masked, null, null, lengths(draw, s)]
    return { attributes: anything(draw), inputs }
  },
  'one query': (draw) => {
    const wide = { size: draw.pick([8, 32, 64]), valueSize: draw.pick([8, 32, 64]) }
    const s = { ...sizes(draw), ...wide, queries: 1, keys: draw.pick([3, 90]) }
    const capped: Record<string, Attribute> = draw.chance(0.3) ? { softcap: 1.5 } : {}
    const attributes = { ...capped, is_causal: draw.whole(0, 1) }
    const given = draw.chance(0.5) ? [null, null, null, lengths(draw, s)] : []
    return { attributes, inputs: [...heads(draw, s), ...given] }
  },
  'one query over so many keys that they are cut into parts': (draw) => {
    const wide = { batch: draw.whole(1, 2), size: 8, valueSize: draw.pick([4, 8]) }
    const s = { ...sizes(draw), ...wide, queries: 1, keys: 2048 + draw.whole(0, 900) }
    const attributes = { is_causal: draw.whole(0, 1) }
    const given = draw.chance(0.7) ? [null, null, null, lengths(draw, s)] : []
    return { attributes, inputs: [...heads(draw, s), ...given] }
  },
  'scores of any stage': (draw) => withScores(draw),
  'scores, and keys from before': (draw) => withScores(draw, draw.whole(1, 4)),
  'many keys and queries': (draw) => {
    const s = { ...sizes(draw), queries: 70, keys: 83, size: 32, valueSize: 16 }
    return { attributes: anything(draw), inputs: heads(draw, s) }
  },
  'many keys, some of them hidden': (draw) => {
    const s = { ...sizes(draw), queries: draw.whole(33, 41), keys: draw.whole(60, 67), size: 36 }
    const wide = { ...s, valueSize: draw.pick([8, 12]) }
    const past = draw.pick([0, 5])
    const masked = draw.chance(0.7) ? mask(draw, wide, past + wide.keys) : null
    const given = past === 0 ? [null, null, lengths(draw, wide)] : before(draw, wide, past)
    return { attributes: anything(draw), inputs: [...heads(draw, wide), masked, ...given] }
  },
  'heads of many numbers': (draw) => {
    const s = { ...sizes(draw), size: 260, valueSize: 4 }
    return { attributes: anything(draw), inputs: heads(draw, s) }
  },
}

const withScores = (draw: Draw, past = 0): Sample => {
  const s = sizes(draw)
  const masked = draw.chance(0.7) ? mask(draw, s, past + s.keys) : null
  const given =
    past === 0 ? [null, null, draw.chance(0.5) ? lengths(draw, s) : null] : before(draw, s, past)
  const attributes = { ...anything(draw), qk_matmul_output_mode: draw.whole(0, 3) }
  return { attributes, inputs: [...heads(draw, s), masked, ...given], outputs: 4 }
}

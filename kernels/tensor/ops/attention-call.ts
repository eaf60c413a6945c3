/** What a use of Attention says, in one form for both layouts of its inputs. */
import { broadcast, isFloat, sameShape } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { floatOf, inputOf, intOf } from '../op.ts'
import type { Refusal } from '../outcome.ts'
import type { Call } from '../op.ts'
import type { Shape, TensorType } from '../tensor.ts'

export type AttentionCall = {
  /** Inputs are [batch, length, heads * size], and so is the output. */
  readonly flat: boolean
  readonly batch: number
  /** Heads of keys, and of queries for each of them: more than one is grouped-query attention. */
  readonly heads: number
  readonly group: number
  readonly queries: number
  /** Keys in all, and those that come first, from before. */
  readonly keys: number
  readonly past: number
  readonly size: number
  readonly valueSize: number
  readonly scale: number
  readonly softcap: number
  /** Keys before a query's own place that it may look at, and keys behind it; null for all. */
  readonly left: number | null
  readonly right: number | null
  /** Which scores are asked for: 0 as multiplied, 1 capped, 2 masked, 3 as probabilities. */
  readonly mode: number
  /** The mask in four dimensions; keys that its last one does not reach are masked. */
  readonly mask: Shape | null
}

/** Head, length and size of an input; null where it has not the form. */
const layoutOf = (
  { shape }: TensorType,
  heads: number,
): { heads: number; length: number; size: number } | null => {
  if (shape.length === 4) return { heads: shape[1]!, length: shape[2]!, size: shape[3]! }
  if (shape.length !== 3 || heads < 1 || shape[2]! % heads !== 0) return null
  return { heads, length: shape[1]!, size: shape[2]! / heads }
}

const shapeOf = (call: Call, i: number): Shape | null => call.inputs[i]?.shape ?? null

export const readAttention = (call: Call): AttentionCall | Refusal => {
  const given = [0, 1, 2].map((i) => inputOf(call, i))
  if (!given.every(({ element }) => isFloat(element)))
    return refuse('unsupported', 'queries, keys and values that are no floats')
  const keyHeads = intOf(call, 'kv_num_heads', 0)
  const [q, k, v] = given.map((input, i) =>
    layoutOf(input, i === 0 ? intOf(call, 'q_num_heads', 0) : keyHeads),
  )
  const misfit = refuse('bad-shape', 'queries, keys, values and what was before do not fit')
  if (
    q === null ||
    k === null ||
    v === null ||
    q === undefined ||
    k === undefined ||
    v === undefined
  )
    return misfit
  const ranks = given.map(({ shape }) => shape.length)
  const batch = given[0]!.shape[0]!
  const [pastKey, pastValue] = [shapeOf(call, 4), shapeOf(call, 5)]
  const past = pastKey?.[2] ?? 0
  const fits =
    new Set(ranks).size === 1 &&
    given.every(({ shape }) => shape[0] === batch) &&
    k.heads === v.heads &&
    k.length === v.length &&
    k.size === q.size &&
    q.size >= 1 &&
    k.heads >= 1 &&
    q.heads % k.heads === 0 &&
    (pastKey === null) === (pastValue === null) &&
    (pastKey === null || sameShape(pastKey, [batch, k.heads, past, k.size])) &&
    (pastValue === null || sameShape(pastValue, [batch, k.heads, past, v.size]))
  const lengths = shapeOf(call, 6)
  if (!fits || (lengths !== null && !sameShape(lengths, [batch]))) return misfit
  const keys = past + k.length
  const mask = maskShape(shapeOf(call, 3), [batch, q.heads, q.length, keys])
  if (mask === 'misfit') return refuse('bad-shape', 'the mask does not stretch to the scores')
  return {
    flat: ranks[0] === 3,
    batch,
    heads: k.heads,
    group: q.heads / k.heads,
    queries: q.length,
    keys,
    past,
    size: q.size,
    valueSize: v.size,
    scale: floatOf(call, 'scale', 1 / Math.sqrt(q.size)),
    softcap: floatOf(call, 'softcap', 0),
    left: boundOf(call, 'left_window_size'),
    // Causal is to look at nothing behind, whatever else is allowed.
    right: intOf(call, 'is_causal', 0) !== 0 ? 0 : boundOf(call, 'right_window_size'),
    mode: intOf(call, 'qk_matmul_output_mode', 0),
    mask,
  }
}

/** Far beyond all keys, and far enough from where i32 ends. */
const MAX_BOUND = 2 ** 30

const boundOf = (call: Call, name: string): number | null => {
  const bound = intOf(call, name, -1)
  return bound < 0 ? null : Math.min(MAX_BOUND, bound)
}

const maskShape = (shape: Shape | null, scores: Shape): Shape | 'misfit' | null => {
  if (shape === null) return null
  const reached = shape.at(-1) ?? 0
  const wanted = scores.with(-1, reached)
  const wide = shape.length > 4 || reached > scores.at(-1)! ? null : broadcast(shape, wanted)
  if (wide === null || !sameShape(wide, wanted)) return 'misfit'
  return [...Array.from({ length: 4 - shape.length }, () => 1), ...shape]
}

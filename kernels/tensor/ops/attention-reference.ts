/** Attention as its definition says: all scores of a query, then what they weigh. In float64. */
import { isFloat } from '../tensor.ts'
import { stretched } from './stretched.ts'
import type { AttentionCall } from './attention-call.ts'
import type { Numbers, Tensor } from '../tensor.ts'

type Inputs = readonly (Tensor | null | undefined)[]

/** Output, keys and values with those from before, scores. */
export const attentionNumbers = (
  asked: AttentionCall,
  [q, k, v, mask, pastKey, pastValue, lengths]: Inputs,
): readonly Numbers[] => {
  const { batch, heads, group, queries, keys, size, valueSize, flat, mode } = asked
  const allKeys = joined(asked, k!, pastKey, size)
  const allValues = joined(asked, v!, pastValue, valueSize)
  const all = heads * group
  const out = new Float64Array(batch * all * queries * valueSize)
  const scores = new Float64Array(batch * all * queries * keys)
  const bias = maskNumbers(asked, mask)
  for (let row = 0; row < batch * all * queries; row++) {
    const [i, head, b] = [
      row % queries,
      Math.floor(row / queries) % all,
      Math.floor(row / (queries * all)),
    ]
    const place = { b, i, row, length: lengths?.data[b] ?? null }
    const from = flat ? (b * queries + i) * all + head : row
    const query = q!.data.subarray(from * size, (from + 1) * size)
    const shared = b * heads + Math.floor(head / group)
    const stages = stagesOf(asked, {
      ...place,
      bias,
      query,
      keys: allKeys.subarray(shared * keys * size),
    })
    for (let j = 0; j < keys; j++) {
      scores[row * keys + j] = stages[mode]?.[j] ?? NaN
      const weight = stages[3]![j]!
      if (weight === 0) continue
      for (let c = 0; c < valueSize; c++)
        out[from * valueSize + c]! += weight * allValues[(shared * keys + j) * valueSize + c]!
    }
  }
  return [out, allKeys, allValues, scores]
}

/** [batch, heads, keys, size], those from before first. */
const joined = (
  { batch, heads, keys, past, flat }: AttentionCall,
  { data }: Tensor,
  before: Tensor | null | undefined,
  size: number,
): Float64Array => {
  const fresh = keys - past
  return Float64Array.from({ length: batch * heads * keys * size }, (_, at) => {
    const c = at % size
    const j = Math.floor(at / size) % keys
    const head = Math.floor(at / (size * keys)) % heads
    const b = Math.floor(at / (size * keys * heads))
    if (j < past) return before!.data[((b * heads + head) * past + j) * size + c]!
    const line = j - past
    return flat
      ? data[((b * fresh + line) * heads + head) * size + c]!
      : data[((b * heads + head) * fresh + line) * size + c]!
  })
}

/** Added to the scores [batch, heads, queries, keys]; null where there is no mask. */
const maskNumbers = (
  { batch, heads, group, queries, keys, mask: shape }: AttentionCall,
  mask: Tensor | null | undefined,
): Float64Array | null => {
  if (mask === null || mask === undefined) return null
  const reached = shape!.at(-1)!
  const wide = stretched({ ...mask, shape: shape! }, [batch, heads * group, queries, reached])
  return Float64Array.from({ length: batch * heads * group * queries * keys }, (_, at) => {
    const j = at % keys
    if (j >= reached) return -Infinity
    const found = wide[Math.floor(at / keys) * reached + j]!
    return isFloat(mask.element) ? found : found === 0 ? -Infinity : 0
  })
}

type Row = {
  readonly i: number
  readonly row: number
  readonly length: number | null
  readonly bias: Float64Array | null
  readonly query: Numbers
  readonly keys: Float64Array
}

/** Scores of one query: as multiplied, capped, masked, as probabilities. */
const stagesOf = (
  { keys, size, scale, softcap, left, right, past, queries }: AttentionCall,
  { i, row, length, bias, query, keys: data }: Row,
): readonly (readonly number[])[] => {
  const places = Array.from({ length: keys }, (_, j) => j)
  const products = places.map((j) => {
    let sum = 0
    for (let c = 0; c < size; c++) sum += query[c]! * data[j * size + c]!
    return sum * scale
  })
  const capped = products.map((x) => (softcap > 0 ? softcap * Math.tanh(x / softcap) : x))
  const offset = length !== null && past === 0 ? length - queries : past
  const added = places.map((j) => {
    const far = j - (i + offset)
    const hidden =
      (length !== null && j >= length) ||
      (right !== null && far > right) ||
      (left !== null && -far > left)
    return hidden ? -Infinity : (bias?.[row * keys + j] ?? 0)
  })
  const masked = capped.map((x, j) => x + added[j]!)
  const seen = masked.filter((_, j) => added[j] !== -Infinity)
  const most = seen.reduce((a, b) => Math.max(a, b), -Infinity)
  const weights = masked.map((x, j) => (added[j] === -Infinity ? 0 : Math.exp(x - most)))
  const sum = weights.reduce((a, b) => a + b, 0)
  return [products, capped, masked, weights.map((x) => (seen.length === 0 ? 0 : x / sum))]
}

/**
 * What nodes do with tables that stay in memory: new lines are written in place, and attention reads the tables
 * where they lie. WebAssembly would have them copied into its own memory and back for each token. Of a prompt's
 * attention that copy is a small part, and WebAssembly does it where it can.
 */
import { intOf, inputOf } from '../../kernels/tensor/op.ts'
import { readAttention } from '../../kernels/tensor/ops/attention-call.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import type { Bound, BoundNode, StateIds } from '../../kernels/tensor/bound.ts'
import type { ValueId } from '../../kernels/tensor/graph.ts'
import type { AttentionCall } from '../../kernels/tensor/ops/attention-call.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

/** Nodes that are done here: those that append to states, and attention that has nothing unusual about it. */
export const tableNodes = (
  { nodes }: Bound,
  states: readonly StateIds[],
): ReadonlySet<BoundNode> => {
  const ends = new Set<ValueId>(states.map(({ output }) => output))
  return new Set(
    nodes.filter(({ node, op, call }) => {
      const makes = node.outputs.some((id) => id !== null && ends.has(id))
      const reads = node.inputs.some((id) => id !== null && ends.has(id))
      if (makes) return true
      const asked = reads && op.name === 'Attention' ? readAttention(call) : null
      return asked !== null && !('code' in asked) && isPlain(asked, node.outputs.length)
    }),
  )
}

const isPlain = (asked: AttentionCall, outputs: number): boolean =>
  !asked.flat && asked.mask === null && asked.past === 0 && asked.softcap === 0 && outputs === 1

/** `values` by id; what it makes is put there. */
export const runOnTables = (made: BoundNode, values: Map<ValueId, Tensor>): void => {
  const { node, op, call } = made
  const inputs = node.inputs.map((id) => (id === null ? null : values.get(id)!))
  const found =
    op.name === 'Attention'
      ? attend(readAttention(call) as AttentionCall, inputs)
      : append(made, inputs)
  values.set(node.outputs[0]!, found)
}

/** In place: nobody sees a table as it was. */
const append = ({ call }: BoundNode, inputs: readonly (Tensor | null)[]): Tensor => {
  const [table, update, starts] = inputs as [Tensor, Tensor, Tensor | null | undefined]
  const { shape } = inputOf(call, 0)
  const asked = intOf(call, 'axis', -2)
  const axis = asked < 0 ? asked + shape.length : asked
  const inner = sizeOf({ shape: shape.slice(axis + 1) })
  const [places, fresh] = [shape[axis]!, update.shape[axis]!]
  const outer = sizeOf({ shape: shape.slice(0, axis) })
  for (let at = 0; at < outer; at++) {
    const batch = Math.floor(at / (outer / shape[0]!))
    const start = starts?.data[batch] ?? 0
    for (let i = 0; i < fresh; i++) {
      const to = (at * places + (Math.max(0, start + i) % places)) * inner
      const from = (at * fresh + i) * inner
      table.data.set(update.data.subarray(from, from + inner), to)
    }
  }
  return table
}

/** As the operator's reference does it, but for heads in a dimension of their own and without a mask. */
const attend = (asked: AttentionCall, inputs: readonly (Tensor | null)[]): Tensor => {
  const [q, k, v] = inputs.slice(0, 3).map((x) => floatsOf(x!)) as [Floats, Floats, Floats]
  const lengths = inputs[6] ?? null
  const { batch, heads, group, queries, keys, size, valueSize, scale, left, right } = asked
  const shape = [batch, heads * group, queries, valueSize]
  const out = new Float32Array(sizeOf({ shape }))
  const scores = new Float64Array(keys)
  const sums = new Float64Array(valueSize)
  for (let at = 0; at < batch * heads * group; at++) {
    const table = Math.floor(at / group) * keys
    const length = lengths?.data[Math.floor(at / (heads * group))] ?? keys
    for (let i = 0; i < queries; i++) {
      const place = i + (lengths === null ? 0 : length - queries)
      const first = left === null ? 0 : Math.max(0, place - left)
      const end = Math.max(first, Math.min(length, right === null ? length : place + right + 1))
      const row = at * queries + i
      const most = score({ q, k, scores, scale, size }, row * size, table * size, first, end)
      const total = weigh({ v, scores, sums, most }, table * valueSize, first, end)
      // A query without keys answers zeros.
      const part = total === 0 ? 0 : 1 / total
      for (let c = 0; c < valueSize; c++) out[row * valueSize + c] = sums[c]! * part
    }
  }
  return { element: 'f32', shape, data: out }
}

type Floats = Float32Array

const floatsOf = ({ data }: Tensor): Floats =>
  data instanceof Float32Array ? data : Float32Array.from(data)

/** Scores of keys [first, end); answers the largest. Four sums, which do not wait for each other. */
const score = (
  about: {
    readonly q: Floats
    readonly k: Floats
    readonly scores: Float64Array
    readonly scale: number
    readonly size: number
  },
  row: number,
  table: number,
  first: number,
  end: number,
): number => {
  const { q, k, scores, scale, size } = about
  const whole = size & ~3
  let most = -Infinity
  for (let j = first; j < end; j++) {
    const from = table + j * size
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let i = 0; i < whole; i += 4) {
      a += q[row + i]! * k[from + i]!
      b += q[row + i + 1]! * k[from + i + 1]!
      c += q[row + i + 2]! * k[from + i + 2]!
      d += q[row + i + 3]! * k[from + i + 3]!
    }
    for (let i = whole; i < size; i++) a += q[row + i]! * k[from + i]!
    const found = scale * (a + b + (c + d))
    scores[j] = found
    if (found > most) most = found
  }
  return most
}

/** Adds up values by exp(score - most); answers the sum of the weights. */
const weigh = (
  about: {
    readonly v: Floats
    readonly scores: Float64Array
    readonly sums: Float64Array
    readonly most: number
  },
  table: number,
  first: number,
  end: number,
): number => {
  const { v, scores, sums, most } = about
  const size = sums.length
  sums.fill(0)
  let total = 0
  // Four keys at a time, as each sum is then touched once for four of them.
  const whole = first + ((end - first) & ~3)
  for (let j = first; j < whole; j += 4) {
    const a = Math.exp(scores[j]! - most)
    const b = Math.exp(scores[j + 1]! - most)
    const c = Math.exp(scores[j + 2]! - most)
    const d = Math.exp(scores[j + 3]! - most)
    total += a + b + (c + d)
    const from = table + j * size
    const [second, third, fourth] = [from + size, from + 2 * size, from + 3 * size]
    for (let i = 0; i < size; i++)
      sums[i]! += a * v[from + i]! + b * v[second + i]! + c * v[third + i]! + d * v[fourth + i]!
  }
  for (let j = whole; j < end; j++) {
    const weight = Math.exp(scores[j]! - most)
    total += weight
    const from = table + j * size
    for (let i = 0; i < size; i++) sums[i]! += weight * v[from + i]!
  }
  return total
}

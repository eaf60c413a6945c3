/**
 * What nodes do with tables that stay in memory: new lines are written in place, and attention reads the tables
 * where they lie. WebAssembly would have them copied into its own memory and back for each token.
 */
import { intOf, inputOf } from '../../kernels/tensor/op.ts'
import { readAttention } from '../../kernels/tensor/ops/attention-call.ts'
import { rowMajor, sizeOf } from '../../kernels/tensor/tensor.ts'
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
  const [q, k, v] = inputs as [Tensor, Tensor, Tensor]
  const lengths = inputs[6] ?? null
  const { batch, heads, group, queries, keys, size, valueSize, scale, left, right } = asked
  const shape = [batch, heads * group, queries, valueSize]
  const out = new Float32Array(sizeOf({ shape }))
  const [qStep, kStep, vStep] = [q, k, v].map((x) => rowMajor(x!.shape)[1]!) as [
    number,
    number,
    number,
  ]
  const scores = new Float64Array(keys)
  const sums = new Float64Array(valueSize)
  for (let at = 0; at < batch * heads * group; at++) {
    const table = Math.floor(at / group)
    const length = lengths?.data[Math.floor(at / (heads * group))] ?? keys
    for (let i = 0; i < queries; i++) {
      const place = i + (lengths === null ? 0 : length - queries)
      const first = left === null ? 0 : Math.max(0, place - left)
      const end = Math.min(length, right === null ? length : place + right + 1)
      const row = at * qStep + i * size
      let most = -Infinity
      for (let j = first; j < end; j++) {
        const score = scale * dot(q.data, row, k.data, table * kStep + j * size, size)
        scores[j] = score
        if (score > most) most = score
      }
      sums.fill(0)
      let total = 0
      for (let j = first; j < end; j++) {
        const weight = Math.exp(scores[j]! - most)
        total += weight
        const from = table * vStep + j * valueSize
        for (let c = 0; c < valueSize; c++) sums[c]! += weight * v.data[from + c]!
      }
      const to = (at * queries + i) * valueSize
      // A query without keys answers zeros.
      for (let c = 0; c < valueSize; c++) out[to + c] = total === 0 ? 0 : sums[c]! / total
    }
  }
  return { element: 'f32', shape, data: out }
}

const dot = (
  a: ArrayLike<number>,
  from: number,
  b: ArrayLike<number>,
  other: number,
  size: number,
): number => {
  let sum = 0
  for (let c = 0; c < size; c++) sum += a[from + c]! * b[other + c]!
  return sum
}

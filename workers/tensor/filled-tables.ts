/**
 * Attention of many rows, as of a prompt, is WebAssembly's: it has vectors and threads, and beside so much arithmetic
 * it costs little to copy the tables. They are handed over only as far as they are filled.
 */
import { readAttention } from '../../kernels/tensor/ops/attention-call.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import type { BoundNode } from '../../kernels/tensor/bound.ts'
import type { ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { CpuPiece } from './cpu-pieces.ts'

/** Rows from which on a copy of the tables is a small part of what is done with them. */
const MANY_ROWS = 8

/** Whether it looks at tables for many rows, and as WebAssembly knows it: without windows. */
export const hasManyRows = ({ op, call }: BoundNode): boolean => {
  const asked = op.name === 'Attention' ? readAttention(call) : null
  if (asked === null || 'code' in asked) return false
  const { queries, left, right } = asked
  return queries >= MANY_ROWS && left === null && (right === null || right === 0)
}

/** Tables of a piece that nothing reads behind some length, by the value that says it. */
export const filledTables = ({
  nodes,
  graph,
}: Pick<CpuPiece, 'nodes' | 'graph'>): ReadonlyMap<ValueId, ValueId> => {
  const given = new Set(graph.inputs)
  const found = new Map<ValueId, ValueId>()
  for (const made of nodes) {
    const [, keys, values, , , , length] = made.node.inputs
    const isAlone = (table: ValueId): boolean =>
      given.has(table) &&
      nodes.every((other) => other === made || !other.node.inputs.includes(table))
    if (!hasManyRows(made) || made.call.inputs[0]!.shape[0] !== 1) continue
    if (length === undefined || length === null || !given.has(length)) continue
    if (![keys!, values!].every(isAlone)) continue
    found.set(keys!, length)
    found.set(values!, length)
  }
  return found
}

/** The first `places` of each head, one at least: what has no elements is nobody's table. */
export const filledPart = (table: Tensor, places: number): Tensor => {
  const [, , all, size] = table.shape as [number, number, number, number]
  const some = Math.max(1, Math.min(all, places))
  if (some === all) return table
  const shape = table.shape.with(2, some)
  const data = new Float32Array(sizeOf({ shape }))
  for (let at = 0; at < data.length; at += some * size) {
    const from = (at / some) * all
    data.set(table.data.subarray(from, from + some * size), at)
  }
  return { element: table.element, shape, data }
}

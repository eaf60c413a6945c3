/**
 * A bound graph cut into what WebAssembly computes in one go: nobody can stop it, so a piece takes some tens
 * of ms where its operators are not larger. What it answers otherwise than ONNX says is kept apart.
 */
import { costOf } from '../../kernels/tensor/bound.ts'
import { partOf } from '../../kernels/tensor/part.ts'
import { isAnsweredOtherwise } from './wasm-differences.ts'
import type { Bound, BoundNode } from '../../kernels/tensor/bound.ts'
import type { Graph, ValueId } from '../../kernels/tensor/graph.ts'

export type CpuPiece = {
  readonly graph: Graph
  readonly nodes: readonly BoundNode[]
  readonly flop: number
  /** Whether WebAssembly may be asked. */
  readonly onWasm: boolean
  /** Pieces of one node each; itself where it has only one. */
  alone(): readonly CpuPiece[]
}

/** `most` operations each, or one node. Nodes in `own` are done elsewhere, and are pieces of their own. */
export const cpuPieces = (
  bound: Bound,
  most: number,
  own: ReadonlySet<BoundNode> = new Set(),
): readonly CpuPiece[] => {
  const isAlone = (node: BoundNode): boolean => own.has(node) || isAnsweredOtherwise(node)
  const starts: number[] = []
  let flop = Infinity
  for (const [i, node] of bound.nodes.entries()) {
    const before = bound.nodes[i - 1]
    const apart = isAlone(node) || (before !== undefined && isAlone(before))
    const cost = costOf(node)
    if (apart || flop + cost > most) {
      starts.push(i)
      flop = 0
    }
    flop += cost
  }
  return starts.map((from, i) => pieceOf(bound, from, starts[i + 1] ?? bound.nodes.length))
}

/** For each piece the values that nobody reads afterwards. */
export const endsOf = (
  pieces: readonly CpuPiece[],
  kept: readonly ValueId[],
): readonly (readonly ValueId[])[] => {
  const last = new Map<ValueId, number>()
  for (const [i, { graph }] of pieces.entries()) for (const id of graph.inputs) last.set(id, i)
  for (const id of kept) last.delete(id)
  return pieces.map(({ graph }, i) => graph.inputs.filter((id) => last.get(id) === i))
}

const pieceOf = (bound: Bound, from: number, to: number): CpuPiece => {
  const nodes = bound.nodes.slice(from, to)
  return {
    graph: partOf(bound, from, to),
    nodes,
    flop: nodes.reduce((sum, node) => sum + costOf(node), 0),
    onWasm: !nodes.some(isAnsweredOtherwise),
    alone: () => nodes.map((_, i) => pieceOf(bound, from + i, from + i + 1)),
  }
}

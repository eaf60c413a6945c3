/**
 * A bound graph cut into what WebAssembly computes in one go: nobody can stop it, so a piece takes some tens
 * of ms where its operators are not larger. What it answers otherwise than ONNX says is kept apart.
 */
import { costOf } from '../../kernels/tensor/bound.ts'
import { partOf } from '../../kernels/tensor/part.ts'
import { rowChains } from './by-row.ts'
import { isAnsweredOtherwise } from './wasm-differences.ts'
import type { Bound, BoundNode } from '../../kernels/tensor/bound.ts'
import type { Graph, ValueId } from '../../kernels/tensor/graph.ts'

export type CpuPiece = {
  readonly graph: Graph
  readonly nodes: readonly BoundNode[]
  readonly flop: number
  /** Of what it reads and makes, where it can be computed some rows at a time; null where it cannot. */
  readonly rows: number | null
  /** Whether WebAssembly may be asked. */
  readonly onWasm: boolean
  /** Pieces of one node each; itself where it has only one. */
  alone(): readonly CpuPiece[]
}

/**
 * Operations of one row in a piece of rows, however fast this processor was seen to be: such pieces are the same each
 * time, as that is how their weights are found again. Those of a piece, 32 MiB, are there twice while it is made.
 */
const ROW_FLOP = 2 ** 24

export type Cut = {
  /** Operations of a piece. */
  readonly most: number
  /** Nodes that are done elsewhere, and are pieces of their own. */
  readonly own: ReadonlySet<BoundNode>
  /** Whether weights are to be where other cuts of the same layers have them, too. */
  readonly byRow: boolean
}

/** `most` operations each, or one node. */
export const cpuPieces = (bound: Bound, { most, own, byRow }: Cut): readonly CpuPiece[] => {
  const isAlone = (node: BoundNode): boolean => own.has(node) || isAnsweredOtherwise(node)
  const rows = byRow ? rowChains(bound, isAlone) : new Map<BoundNode, number>()
  const starts: number[] = []
  let flop = Infinity
  for (const [i, node] of bound.nodes.entries()) {
    const before = bound.nodes[i - 1]
    const own = rows.get(node)
    const apart =
      before !== undefined && (isAlone(node) || isAlone(before) || own !== rows.get(before))
    const cost = costOf(node) / (own ?? 1)
    if (apart || flop + cost > (own === undefined ? most : ROW_FLOP)) {
      starts.push(i)
      flop = 0
    }
    flop += cost
  }
  return starts.map((from, i) => pieceOf(bound, rows, from, starts[i + 1] ?? bound.nodes.length))
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

const pieceOf = (
  bound: Bound,
  rows: ReadonlyMap<BoundNode, number>,
  from: number,
  to: number,
): CpuPiece => {
  const nodes = bound.nodes.slice(from, to)
  return {
    graph: partOf(bound, from, to),
    nodes,
    flop: nodes.reduce((sum, node) => sum + costOf(node), 0),
    rows: rows.get(nodes[0]!) ?? null,
    onWasm: !nodes.some(isAnsweredOtherwise),
    alone: () => nodes.map((_, i) => pieceOf(bound, rows, from + i, from + i + 1)),
  }
}

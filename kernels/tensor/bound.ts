/** A graph whose every type is known, with what is left of it to run. */
import { sizeOf } from './tensor.ts'
import type { Graph, Node, ValueId } from './graph.ts'
import type { Call, Op } from './op.ts'
import type { Tensor, TensorType } from './tensor.ts'

export type BoundNode = { readonly node: Node; readonly op: Op; readonly call: Call }

export type Bound = {
  readonly graph: Graph
  readonly types: ReadonlyMap<ValueId, TensorType>
  /** Constants, inputs that were given, and what was folded. */
  readonly known: ReadonlyMap<ValueId, Tensor>
  /** Those that are left to run, in order. */
  readonly nodes: readonly BoundNode[]
}

/**
 * A table that stays where the graph runs: an input and the output that it is after the run. One TensorScatter
 * makes the one of the other.
 */
export type StateIds = { readonly input: ValueId; readonly output: ValueId }

/** Operations, from shapes. */
export const flopOf = ({ op, call }: BoundNode): number => op.flop?.(call) ?? 0

/** Numbers that it makes. */
export const madeOf = ({ call }: BoundNode): number =>
  call.outputs.reduce((sum, type) => sum + sizeOf(type), 0)

/** What moves a number costs as much as what adds one. */
export const costOf = (made: BoundNode): number => flopOf(made) + madeOf(made)

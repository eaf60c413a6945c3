/** A graph whose every type is known, with what is left of it to run. */
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

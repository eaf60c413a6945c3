/** What runs the graphs of stages, as stages ask for it. */
import type { Bound, StateIds } from '../../kernels/tensor/bound.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../base/result.ts'

/** What runs graphs: the engine of a node, or the references of the operators. */
export type GraphEngine = {
  /**
   * Of a processor, if by a software adapter: tokens are chosen in memory in less time than by a graph. On WebAssembly
   * a graph that differs in nothing else would have weights of its own, too.
   */
  readonly answersInMemory: boolean
  /**
   * States are tables, which stay where graphs run; none if absent. Weights in `given` are the engine's: it may let go
   * of their numbers, as long as what it makes here is not closed.
   */
  prepare(
    bound: Bound,
    states?: readonly StateIds[],
    given?: ReadonlySet<Tensor>,
  ): Promise<Result<ReadyGraph, EngineError>>
  /** Zeros, for the states of graphs of this engine. */
  tables(types: readonly TensorType[]): StateTables
}

export type ReadyGraph = {
  /** What it runs on. */
  readonly kind: string
  /** Inputs and answers without states: those are in the tables, one talk's after the other's, and stay there. */
  run(
    inputs: readonly Tensor[],
    tables?: readonly StateTables[],
  ): Promise<Result<readonly Tensor[], EngineError>>
  close(): void
}

export type StateTables = {
  /** More places; what is there stays. */
  grow(types: readonly TensorType[]): Promise<Result<null, EngineError>>
  close(): void
}

export type EngineError = { readonly code: string; readonly detail: string }

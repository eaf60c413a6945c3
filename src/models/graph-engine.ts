/** What stages run their graphs on: the engine of a node, or the references of the operators. */
import type { Bound, StateIds } from '../../kernels/tensor/bound.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../base/result.ts'

export type GraphEngine = {
  /**
   * Of a processor, if by a software adapter: answers are in memory anyway, where tokens are chosen in less time than
   * by a graph. On WebAssembly a graph that differs in nothing else would have weights of its own, too.
   */
  readonly onProcessor: boolean
  /** States are tables, which stay where graphs run; none if absent. */
  prepare(bound: Bound, states?: readonly StateIds[]): Promise<Result<ReadyGraph, EngineError>>
  /** Zeros, for the states of graphs of this engine. */
  tables(types: readonly TensorType[]): StateTables
}

export type ReadyGraph = {
  /** Inputs and answers without states: those are in the tables, and stay there. */
  run(
    inputs: readonly Tensor[],
    tables?: StateTables,
  ): Promise<Result<readonly Tensor[], EngineError>>
  close(): void
}

export type StateTables = {
  /** More places; what is there stays. */
  grow(types: readonly TensorType[]): Promise<Result<null, EngineError>>
  close(): void
}

export type EngineError = { readonly code: string; readonly detail: string }

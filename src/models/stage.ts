/**
 * Some layers of a model, ready to be asked token by token: their weights and a program for each size, which all
 * sessions share, and for each session the keys and values of what was said before. Tokens of several sessions may be
 * one run. Stages in a row are a model; where each of them runs is not their business.
 */
import { ok } from '../base/result.ts'
import { FEED_TOKENS } from '../core/stage-cost.ts'
import { loadRange } from './llama/range-tensors.ts'
import { RUN_SIZES, type RunSizes } from './device-bytes.ts'
import { RangeStage } from './range-stage.ts'
import type { Bound, StateIds } from '../../kernels/tensor/bound.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../base/result.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LlamaParts } from './llama/parts.ts'
import type { LayerRange } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'

/** What runs graphs: the engine of a node, or the references of the operators. */
export type GraphEngine = {
  /** States are tables, which stay where graphs run; none if absent. */
  prepare(bound: Bound, states?: readonly StateIds[]): Promise<Result<ReadyGraph, EngineError>>
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

type EngineError = { readonly code: string; readonly detail: string }

/** Tokens of the first stage, or what the stage before it answered; `past` tokens came before. */
export type Step = { readonly input: readonly number[] | Tensor; readonly past: number }

/** What was said before, in one session: its own tables of keys and values, over a stage that others share. */
export type StageSession = {
  /** Numbers [count, width] for the next stage, or the logits [1, vocabulary] of the last token. */
  step(step: Step): Promise<ModelResult<Tensor>>
  /** Lets go of the tables. */
  close(): void
}

/** A step that somebody waits for. */
export type AskedStep = { readonly session: StageSession; readonly step: Step }

export type Stage = {
  /** With tables of its own, which are empty. */
  session(): StageSession
  /**
   * The first of them, and those that can have their token in the same run. Where there is no program for so many yet,
   * it is made beside what runs, and nobody waits for it.
   */
  together<T extends AskedStep>(asked: readonly T[]): readonly T[]
  /** What each of them would be answered alone, in their order; in one run where they are `together`. */
  steps(asked: readonly AskedStep[]): Promise<readonly ModelResult<Tensor>[]>
  /** Lets go of weights and programs, and ends every session. */
  close(): void
}

/** Of one step, however many runs it takes. */
export const MAX_FRESH = FEED_TOKENS
export type StageModel = { readonly config: LlamaConfig; readonly parts: LlamaParts }

/** Loads the weights of the range; programs are made when they are needed. */
export const openStage = async (
  { config, parts }: StageModel,
  range: LayerRange,
  engine: GraphEngine,
  sizes: RunSizes = RUN_SIZES,
): Promise<ModelResult<Stage>> => {
  const tensors = await loadRange(parts, range)
  return tensors.ok
    ? ok(new RangeStage({ config, range, tensors: tensors.value, sizes }, engine))
    : tensors
}

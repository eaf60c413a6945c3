/** Why a model's files cannot be used, or not with this prompt: a code to act on and words for a person. */
import { err } from '../base/result.ts'
import type { Result } from '../base/result.ts'

export type ModelErrorCode =
  /** The file cannot be read, or ends before it should. */
  | 'unreadable'
  | 'truncated'
  /** The head of a file contradicts itself or its format. */
  | 'bad-header'
  /** A tensor's place, type and shape do not fit, or two tensors share bytes. */
  | 'bad-tensor'
  /** More than any real model has. */
  | 'too-large'
  /** A known thing in a form that is not covered. */
  | 'unsupported'
  | 'unknown-architecture'
  /** The configuration contradicts itself, or lacks what it needs. */
  | 'bad-config'
  /** A tensor that the architecture needs is not there, or has another shape. */
  | 'missing-tensor'
  /** The tokenizer cannot be read, or belongs to another model. */
  | 'bad-tokenizer'
  | 'wrong-tokenizer'
  /** What was asked cannot be done. */
  | 'empty-prompt'
  | 'prompt-too-long'
  | 'bad-sampling'
  /** The engine refused or failed; its own code is in the detail. */
  | 'engine'

export type ModelError = { readonly code: ModelErrorCode; readonly detail: string }
export type ModelResult<T> = Result<T, ModelError>

/** What was thrown, in its own words. */
export const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause)

/** Names of a stranger's file are part of it, so it has an end. */
const DETAIL_MAX = 300

export const engineError = ({
  code,
  detail,
}: {
  readonly code: string
  readonly detail: string
}): ModelResult<never> & { readonly ok: false } => modelError('engine', `${code}: ${detail}`)

export const modelError = (
  code: ModelErrorCode,
  detail: string,
): { readonly ok: false; readonly error: ModelError } =>
  err({ code, detail: detail.slice(0, DETAIL_MAX) })

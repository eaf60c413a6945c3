/** A prompt as tokens, and whether a model can go on with it: before anything is computed or sent. */
import { modelError } from './model-error.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { ModelResult } from './model-error.ts'
import type { Tokenizer } from './tokenizer/tokenizer.ts'

export type Reader = {
  readonly config: Pick<LlamaConfig, 'context'>
  readonly tokenizer: Pick<Tokenizer, 'encode'>
}

/** @error prompt-too-long, empty-prompt, bad-tokenizer */
export const readPrompt = (
  { config: { context }, tokenizer }: Reader,
  prompt: string,
): ModelResult<readonly number[]> => {
  const ids = tokenizer.encode(prompt)
  if (!ids.ok) return ids
  const { length } = ids.value
  if (length === 0)
    return modelError('empty-prompt', 'the model has no token to begin with; say something')
  return length > context
    ? modelError('prompt-too-long', `the prompt has ${length} tokens, the model takes ${context}`)
    : ids
}

/** Tokens that can follow a prompt: the last one is told and never looked at. */
export const roomAfter = (context: number, promptTokens: number): number =>
  context - promptTokens + 1

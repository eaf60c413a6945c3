/**
 * Tokens as text while they come. A character may be spread over tokens, and a token's text may depend on the
 * one before (its space), so text is told once it can no longer change.
 */
import type { Tokenizer } from './tokenizer.ts'

export type TextStream = {
  /** What is certain now and was not before; may be empty. */
  add(id: number): string
  /** What is left, whole or not. */
  end(): string
}

/** What decoders put in place of bytes that are no character, or not yet. */
const UNFINISHED = '\ufffd'
/** Tokens of one character at most, bytes each; so many without a whole one are no character. */
const MAX_HELD = 8

/** @param before tokens that were there already: only what follows them is told */
export const textStream = (tokenizer: Tokenizer, before: readonly number[]): TextStream => {
  // Text of a few tokens with and without the last ones: long texts are not decoded again and again.
  let known = before.slice(-MAX_HELD)
  let held: number[] = []
  const fresh = (): string => {
    const start = tokenizer.decode(known)
    return tokenizer.decode([...known, ...held]).slice(start.length)
  }
  const tell = (text: string): string => {
    known = [...known, ...held].slice(-MAX_HELD)
    held = []
    return text
  }
  return {
    add(id) {
      held.push(id)
      const text = fresh()
      const waits = text.endsWith(UNFINISHED) && held.length < MAX_HELD
      return waits ? '' : tell(text)
    },
    end: () => tell(fresh()),
  }
}

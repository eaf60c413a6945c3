/**
 * How models cut texts before pairs are merged: patterns that a GGUF file only names. Those of llama.cpp's
 * llama-vocab.cpp and of the models' own `tokenizer.json`.
 */

export type BytePatterns = {
  /** One after the other. */
  readonly patterns: readonly string[]
  /** What is a token as it stands is not merged again. */
  readonly whole: boolean
  /** Texts begin with a token of their own, unless the file says no. */
  readonly bos: boolean
  /** Letters and their marks are one character before. */
  readonly composed: boolean
}

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

const newer = (digits: string): string =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}` +
  String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

const plain = { whole: false, bos: false, composed: false }
const gpt2: BytePatterns = { ...plain, patterns: [GPT2] }
const llama3: BytePatterns = {
  patterns: [newer(String.raw`\p{N}{1,3}`)],
  whole: true,
  bos: true,
  composed: false,
}
const qwen2: BytePatterns = { ...plain, patterns: [newer(String.raw`\p{N}`)], composed: true }

/** By what files call them. */
export const BYTE_LEVEL_PATTERNS: ReadonlyMap<string, BytePatterns> = new Map([
  ['default', gpt2],
  ['gpt-2', gpt2],
  ['smollm', { ...plain, patterns: [String.raw`\p{N}`, GPT2] }],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['smaug-bpe', llama3],
  ['qwen2', qwen2],
  ['deepseek-r1-qwen', qwen2],
])

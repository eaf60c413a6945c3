/** Texts as tokens and back, whole and while they come, and tokenizers of other models. */
import { describe, expect, it } from 'vitest'
import { prng } from '../../src/base/prng.ts'
import { openModel } from '../../src/models/open-model.ts'
import { textStream } from '../../src/models/tokenizer/text-stream.ts'
import { checkTokenizer, makeTokenizer } from '../../src/models/tokenizer/tokenizer.ts'
import { given, modelAt } from './engines.ts'
import { MADE, madeModel } from './made-model.ts'
import { oracle } from './oracle.ts'
import type { Tokenizer } from '../../src/models/tokenizer/tokenizer.ts'

const TEXTS = ['Grüße, 世界 🙂🙂!', ' two  spaces', 'a\nb\tc', "it's 12345", 'e\u0301 ﬁ', '👨‍👩‍👧']

const made = async (layout: 'hf' | 'gguf'): Promise<Tokenizer> =>
  given(await openModel(madeModel(MADE, { layout, types: ['F32'], seed: 1 }).files)).tokenizer

const streamed = (
  tokenizer: Tokenizer,
  before: readonly number[],
  ids: readonly number[],
): string => {
  const stream = textStream(tokenizer, before)
  const parts = ids.map((id) => stream.add(id))
  expect(parts.join('')).not.toContain('\ufffd')
  return parts.join('') + stream.end()
}

describe.each(['hf', 'gguf'] as const)('a byte-level tokenizer from %s', (layout) => {
  it.each(TEXTS)(
    'has a token for each byte of "%s", and tells it character by character',
    async (text) => {
      const tokenizer = await made(layout)
      // Qwen's composes letters and their marks.
      const expected = layout === 'gguf' ? text.normalize('NFC') : text
      const ids = given(tokenizer.encode(text))
      expect(ids).toEqual([...new TextEncoder().encode(expected)])
      expect(streamed(tokenizer, [], ids)).toBe(expected)
      expect(streamed(tokenizer, ids.slice(0, 1), ids.slice(1))).toBe(expected.slice(1))
    },
  )
})

describe.skipIf(oracle === null)("the real model's tokenizer", () => {
  it.each(TEXTS)('tells "%s" as it was', async (text) => {
    for (const file of ['', 'stories260K.Q8_0.gguf']) {
      const { tokenizer } = await modelAt(`${oracle!.folder}/${file}`)
      const [bos, ...ids] = given(tokenizer.encode(text))
      expect(bos).toBe(1)
      expect(streamed(tokenizer, [bos!], ids)).toBe(text)
    }
  })
})

it('bytes that are no character are told in the end, and hold nothing up for long', async () => {
  const tokenizer = await made('hf')
  const stream = textStream(tokenizer, [])
  const random = prng(1)
  let silent = 0
  for (let i = 0; i < 2000; i++) {
    silent = stream.add(random.below(256)) === '' ? silent + 1 : 0
    expect(silent).toBeLessThan(9)
  }
  stream.end()
  stream.add(0xf0)
  expect(stream.end()).toBe('\ufffd')
})

it('a tokenizer of another model is refused', async () => {
  const tokenizer = await made('hf')
  const { config } = given(
    await openModel(madeModel(MADE, { layout: 'hf', types: ['F32'], seed: 1 }).files),
  )
  const check = (vocabulary: number) => checkTokenizer(tokenizer, { ...config, vocabulary })
  expect(check(257).ok).toBe(true)
  expect(check(264).ok).toBe(true)
  for (const other of [256, 300, 32_000])
    expect(check(other)).toMatchObject({ error: { code: 'wrong-tokenizer' } })
})

it('a text without an end is refused', async () => {
  expect((await made('hf')).encode('a'.repeat(2 ** 22 + 1))).toMatchObject({
    error: { code: 'prompt-too-long' },
  })
})

it('files that make no tokenizer are refused in words, not in names of exceptions', async () => {
  const refused = await makeTokenizer({ hello: 1 }, {})
  expect(refused).toMatchObject({ ok: false, error: { code: 'bad-tokenizer' } })
  expect(refused.ok ? '' : refused.error.detail).toMatch(/^Tokenizer must contain/)
})

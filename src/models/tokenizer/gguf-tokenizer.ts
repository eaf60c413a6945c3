/**
 * The tokenizer that a GGUF file carries, in the words of Hugging Face's `tokenizer.json`: one library reads
 * both. SentencePiece's scores become an order of merges; GPT-2's merges are there already.
 */
import { ok } from '../../base/result.ts'
import { modelError } from '../model-error.ts'
import { BYTE_LEVEL_PATTERNS } from './byte-level-patterns.ts'
import type { Gguf, GgufValue } from '../gguf/read-head.ts'
import type { Json } from '../json-fields.ts'
import type { ModelResult } from '../model-error.ts'

/** llama.cpp's kinds of tokens, LLAMA_TOKEN_TYPE_*. */
const [NORMAL, UNKNOWN, CONTROL, USER] = [1, 2, 3, 4]
/** SentencePiece makes 16 letters unless told otherwise; some have runs of 128 spaces. */
const MAX_LETTERS = 256
const SPACE = '\u2581'

type Table = {
  readonly tokens: readonly string[]
  readonly kinds: readonly number[]
  readonly about: Gguf['about']
}

/** `tokenizer.json` as an object. @error bad-tokenizer, unsupported */
export const ggufTokenizer = ({ about }: Gguf): ModelResult<Json> => {
  const tokens = texts(about.get('tokenizer.ggml.tokens'))
  if (tokens === null || tokens.length === 0)
    return modelError('bad-tokenizer', 'the file has no tokens')
  const kinds = numbers(about.get('tokenizer.ggml.token_type')) ?? tokens.map(() => NORMAL!)
  if (kinds.length !== tokens.length)
    return modelError('bad-tokenizer', `${kinds.length} kinds of ${tokens.length} tokens`)
  // All cuts of a token are looked at, and in a token of a megabyte those are too many.
  const long = tokens.findIndex(({ length }) => length > MAX_LETTERS)
  if (long !== -1)
    return modelError('bad-tokenizer', `token ${long} has ${tokens[long]!.length} letters`)
  const table = { tokens, kinds, about }
  const model = about.get('tokenizer.ggml.model')
  if (model === 'llama') return sentencePiece(table)
  return model === 'gpt2'
    ? byteLevel(table)
    : modelError('unsupported', `a tokenizer of kind ${String(model)}`)
}

const sentencePiece = (table: Table): ModelResult<Json> => {
  const { tokens, kinds, about } = table
  const scores = numbers(about.get('tokenizer.ggml.scores'))
  if (scores?.length !== tokens.length)
    return modelError('bad-tokenizer', 'not every token has a score')
  const prefix = about.get('tokenizer.ggml.add_space_prefix') !== false
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: SPACE }
  return ok({
    ...base(table, true),
    normalizer: {
      type: 'Sequence',
      normalizers: [...(prefix ? [{ type: 'Prepend', prepend: SPACE }] : []), spaces],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      unk_token: tokens[kinds.indexOf(UNKNOWN!)] ?? null,
      fuse_unk: true,
      byte_fallback: true,
      vocab: vocabularyOf(tokens),
      merges: mergesOf(tokens, kinds, scores),
    },
  })
}

/**
 * Two pieces become one where that is a piece too, the one with the highest score first. So of every way to cut a
 * piece in two pieces: as Hugging Face converts such tokenizers.
 */
const mergesOf = (
  tokens: readonly string[],
  kinds: readonly number[],
  scores: readonly number[],
): readonly (readonly [string, string])[] => {
  const plain = (i: number): boolean => kinds[i] === NORMAL || kinds[i] === USER
  const ids = new Map(tokens.flatMap((token, i) => (plain(i) ? [[token, i] as const] : [])))
  const found: {
    readonly pair: readonly [string, string]
    readonly score: number
    readonly first: number
  }[] = []
  for (const [token, i] of ids) {
    const letters = Array.from(token)
    let left = ''
    for (const letter of letters.slice(0, -1)) {
      left += letter
      const pair = [left, token.slice(left.length)] as const
      const first = ids.get(pair[0])
      if (first !== undefined && ids.has(pair[1])) found.push({ pair, score: scores[i]!, first })
    }
  }
  return found.toSorted((a, b) => b.score - a.score || a.first - b.first).map(({ pair }) => pair)
}

const byteLevel = (table: Table): ModelResult<Json> => {
  const { tokens, about } = table
  const merges = texts(about.get('tokenizer.ggml.merges'))
  if (merges === null) return modelError('bad-tokenizer', 'the file has no merges')
  const kind = about.get('tokenizer.ggml.pre') ?? 'default'
  const form = BYTE_LEVEL_PATTERNS.get(String(kind))
  if (form === undefined) return modelError('unsupported', `texts cut as for ${String(kind)}`)
  const bytes = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: false,
    use_regex: false,
  }
  const splits = form.patterns.map((pattern) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  }))
  return ok({
    ...base(table, form.bos),
    normalizer: form.composed ? { type: 'NFC' } : null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...splits, bytes] },
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      unk_token: null,
      byte_fallback: false,
      ignore_merges: form.whole,
      vocab: vocabularyOf(tokens),
      merges: merges.map((merge) => merge.split(' ', 2)),
    },
  })
}

const vocabularyOf = (tokens: readonly string[]): Json =>
  Object.fromEntries(tokens.map((token, i) => [token, i]))

/** Special tokens, and those that are put before every text. */
const base = ({ tokens, kinds, about }: Table, begins: boolean): Json => {
  const bos = about.get('tokenizer.ggml.bos_token_id')
  const first = typeof bos === 'number' ? tokens[bos] : undefined
  const asked = about.get('tokenizer.ggml.add_bos_token')
  const adds = first !== undefined && (typeof asked === 'boolean' ? asked : begins)
  const text = { Sequence: { id: 'A', type_id: 0 } }
  return {
    version: '1.0',
    added_tokens: tokens.flatMap((content, id) => {
      const special = kinds[id] === CONTROL || kinds[id] === UNKNOWN
      return special || kinds[id] === USER
        ? [
            {
              id,
              content,
              special,
              single_word: false,
              lstrip: false,
              rstrip: false,
              normalized: false,
            },
          ]
        : []
    }),
    post_processor: {
      type: 'TemplateProcessing',
      single: adds ? [{ SpecialToken: { id: first, type_id: 0 } }, text] : [text],
      pair: [],
      special_tokens: adds ? { [first]: { id: first, ids: [bos], tokens: [first] } } : {},
    },
  }
}

const texts = (value: GgufValue | undefined): readonly string[] | null =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null

const numbers = (value: GgufValue | undefined): readonly number[] | null =>
  Array.isArray(value) && value.every((one) => typeof one === 'number') ? value : null

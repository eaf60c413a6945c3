/** What a GGUF file says of a model of the Llama family, in the words of llama.cpp's gguf-py/constants.py. */
import { ok } from '../../base/result.ts'
import { checkConfig } from '../llama/config.ts'
import { modelError } from '../model-error.ts'
import type { LlamaConfig } from '../llama/config.ts'
import type { RopeScaling } from '../llama/rope.ts'
import type { ModelResult } from '../model-error.ts'
import type { Weights } from '../weight.ts'
import type { Gguf, GgufValue } from './read-head.ts'

/** Whether their rows of queries and keys are in the order of neighbouring pairs; Mistral's say `llama`. */
const INTERLEAVED: ReadonlyMap<string, boolean> = new Map([
  ['llama', true],
  ['qwen2', false],
  ['qwen3', false],
])

const ROPE_BASE = 10_000
/** What files divide long rotations by, one number for each pair. */
export const DIVISORS = 'rope_freqs.weight'

/** @param divisors the numbers of `rope_freqs.weight`, where it is there */
export const ggufConfig = (
  { about }: Gguf,
  weights: Weights,
  divisors: readonly number[] | null,
): ModelResult<LlamaConfig> => {
  const kind = about.get('general.architecture')
  const interleaved = typeof kind === 'string' ? INTERLEAVED.get(kind) : undefined
  if (interleaved === undefined) {
    const known = [...INTERLEAVED.keys()].join(', ')
    return modelError('unknown-architecture', `${String(kind)}; known are ${known}`)
  }
  const number = (key: string, missing: number): number =>
    numberOf(about.get(`${String(kind)}.${key}`)) ?? missing
  if (number('expert_count', 0) > 0) return modelError('unsupported', 'a mixture of experts')
  const [width, heads] = [number('embedding_length', 0), number('attention.head_count', 0)]
  const headSize = number('attention.key_length', width / heads)
  if (number('attention.value_length', headSize) !== headSize)
    return modelError('unsupported', 'values of another size than keys')
  const context = number('context_length', 0)
  const scaling = scalingOf(about, String(kind), { context, divisors })
  if (!scaling.ok) return scaling
  const turned = number('rope.dimension_count', headSize)
  if (divisors !== null && divisors.length !== turned / 2)
    return modelError('bad-config', `${divisors.length} divisors for ${turned / 2} pairs`)
  return checkConfig({
    layers: number('block_count', 0),
    width,
    heads,
    keyHeads: number('attention.head_count_kv', heads),
    headSize,
    inner: number('feed_forward_length', 0),
    vocabulary: weights.get('token_embd.weight')?.shape[0] ?? number('vocab_size', 0),
    context: Math.min(context, number('attention.sliding_window', 0) || Infinity),
    epsilon: number('attention.layer_norm_rms_epsilon', 0),
    rope: {
      base: number('rope.freq_base', ROPE_BASE),
      turned,
      interleaved,
      scaling: scaling.value,
    },
    tied: !weights.has('output.weight'),
    bos: numberOf(about.get('tokenizer.ggml.bos_token_id')),
    eos: ['eos', 'eot'].flatMap(
      (end) => numberOf(about.get(`tokenizer.ggml.${end}_token_id`)) ?? [],
    ),
  })
}

const numberOf = (value: GgufValue | undefined): number | null =>
  typeof value === 'number' ? value : null

type Known = { readonly context: number; readonly divisors: readonly number[] | null }

const scalingOf = (
  about: Gguf['about'],
  kind: string,
  { context, divisors }: Known,
): ModelResult<RopeScaling> => {
  if (divisors !== null) return ok({ kind: 'divided', by: divisors })
  const number = (key: string, missing: number): number =>
    numberOf(about.get(`${kind}.rope.scaling.${key}`)) ?? missing
  const factor = number('factor', 1)
  const original = number('original_context_length', context)
  if (!(factor > 0) || !(original > 0)) return modelError('bad-config', 'rope.scaling')
  const form = about.get(`${kind}.rope.scaling.type`) ?? 'none'
  if (form === 'none') return ok({ kind: 'none' })
  if (form === 'linear') return ok({ kind: 'linear', factor })
  return form === 'yarn'
    ? ok({ kind: 'yarn', factor, original, fast: 32, slow: 1, attention: null })
    : modelError('unsupported', `rotary positions of kind ${String(form)}`)
}

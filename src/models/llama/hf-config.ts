/** `config.json` of Hugging Face's transformers, for the models of the Llama family. */
import { ok } from '../../base/result.ts'
import { fieldOf, flagField, isJson, jsonField, numberField, textField } from '../json-fields.ts'
import { modelError } from '../model-error.ts'
import { checkConfig } from './config.ts'
import type { Json } from '../json-fields.ts'
import type { ModelResult } from '../model-error.ts'
import type { LlamaConfig } from './config.ts'
import type { RopeScaling } from './rope.ts'

const KNOWN: ReadonlySet<string> = new Set(['llama', 'mistral', 'qwen2', 'qwen3'])

/** Defaults of transformers where a file leaves a field out. */
const CONTEXT = 2048
const EPSILON = 1e-6
const ROPE_BASE = 10_000

/** @error unknown-architecture, unsupported, bad-config */
export const readHfConfig = (json: unknown): ModelResult<LlamaConfig> => {
  if (!isJson(json)) return modelError('bad-config', 'config.json is no object')
  const kind = textField(json, 'model_type')
  if (kind === null || !KNOWN.has(kind))
    return modelError('unknown-architecture', `${kind}; known are ${[...KNOWN].join(', ')}`)
  const act = textField(json, 'hidden_act') ?? 'silu'
  if (act !== 'silu') return modelError('unsupported', `the activation ${act}`)
  if (fieldOf(json, 'quantization_config') !== undefined)
    return modelError('unsupported', 'quantised weights in safetensors; GGUF has those')
  const number = (name: string, missing: number): number => numberField(json, name) ?? missing
  const heads = number('num_attention_heads', 0)
  const width = number('hidden_size', 0)
  const headSize = number('head_dim', width / heads)
  const scaling = scalingOf(json, number('max_position_embeddings', CONTEXT))
  if (!scaling.ok) return scaling
  const parameters = jsonField(json, 'rope_parameters') ?? {}
  const base = numberField(parameters, 'rope_theta') ?? number('rope_theta', ROPE_BASE)
  const part =
    numberField(parameters, 'partial_rotary_factor') ?? number('partial_rotary_factor', 1)
  return checkConfig({
    layers: number('num_hidden_layers', 0),
    width,
    heads,
    keyHeads: number('num_key_value_heads', heads),
    headSize,
    inner: number('intermediate_size', 0),
    vocabulary: number('vocab_size', 0),
    context: Math.min(number('max_position_embeddings', CONTEXT), windowOf(json)),
    epsilon: number('rms_norm_eps', EPSILON),
    rope: { base, turned: Math.trunc(headSize * part), interleaved: false, scaling: scaling.value },
    tied: flagField(json, 'tie_word_embeddings') ?? false,
    bos: numberField(json, 'bos_token_id'),
    eos: idsOf(fieldOf(json, 'eos_token_id')),
  })
}

/**
 * A model that looks back no further than a window answers the same as one that looks at everything, as long
 * as the text is no longer than the window: so that is its context here.
 */
const windowOf = (json: Json): number =>
  flagField(json, 'use_sliding_window') === false
    ? Infinity
    : (numberField(json, 'sliding_window') ?? Infinity)

const idsOf = (value: unknown): readonly number[] =>
  (Array.isArray(value) ? (value as unknown[]) : [value]).filter((id) => typeof id === 'number')

/** `rope_scaling` in older files, `rope_parameters` in newer ones. */
const scalingOf = (json: Json, context: number): ModelResult<RopeScaling> => {
  const given = jsonField(json, 'rope_scaling') ?? jsonField(json, 'rope_parameters')
  if (given === null) return ok({ kind: 'none' })
  const kind = textField(given, 'rope_type') ?? textField(given, 'type') ?? 'default'
  const number = (name: string, missing: number): number => numberField(given, name) ?? missing
  const factor = number('factor', 1)
  const original = number('original_max_position_embeddings', context)
  const low = number('low_freq_factor', 1)
  const high = number('high_freq_factor', 4)
  const [fast, slow] = [number('beta_fast', 32), number('beta_slow', 1)]
  const attention = numberField(given, 'attention_factor')
  if (!(factor > 0) || !(original > 0) || !(high > low) || !(slow > 0) || !(fast > slow))
    return modelError('bad-config', `rope_scaling: ${JSON.stringify(given)}`)
  switch (kind) {
    case 'default':
      return ok({ kind: 'none' })
    case 'linear':
      return ok({ kind: 'linear', factor })
    case 'llama3':
      return ok({ kind: 'llama3', factor, low, high, original })
    case 'yarn':
      return ok({ kind: 'yarn', factor, original, fast, slow, attention })
    default:
      return modelError('unsupported', `rotary positions of kind ${kind}`)
  }
}

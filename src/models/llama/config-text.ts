/** A configuration as it travels: JSON, as it has numbers that are not whole. What comes back is a stranger's. */
import { ok } from '../../base/result.ts'
import {
  fieldOf,
  flagField,
  isJson,
  jsonField,
  listField,
  numberField,
  textField,
} from '../json-fields.ts'
import { modelError } from '../model-error.ts'
import { parseJson } from '../model-file.ts'
import { checkConfig } from './config.ts'
import type { Json } from '../json-fields.ts'
import type { ModelResult } from '../model-error.ts'
import type { LlamaConfig } from './config.ts'
import type { Rope, RopeScaling } from './rope.ts'

/** Half of it is what divisors for 256 pairs take. */
export const CONFIG_TEXT_MAX = 16_384
/** Models have two or three tokens that end an answer. */
const EOS_MAX = 64

/** @error too-large */
export const configText = (config: LlamaConfig): ModelResult<string> => {
  const text = JSON.stringify(config)
  return text.length <= CONFIG_TEXT_MAX
    ? ok(text)
    : modelError('too-large', `a configuration of ${text.length} letters`)
}

/** @error bad-header, bad-config, too-large */
export const readConfigText = (text: string): ModelResult<LlamaConfig> => {
  if (text.length > CONFIG_TEXT_MAX)
    return modelError('too-large', `a configuration of ${text.length} letters`)
  const parsed = parseJson('the configuration', new TextEncoder().encode(text))
  if (!parsed.ok) return parsed
  const json = parsed.value
  if (!isJson(json)) return modelError('bad-config', 'the configuration is no object')
  const rope = readRope(jsonField(json, 'rope') ?? {})
  const tied = flagField(json, 'tied')
  const bos = fieldOf(json, 'bos')
  const eos = listField(json, 'eos')
  if (rope === null) return modelError('bad-config', 'rope')
  if (tied === null) return modelError('bad-config', 'tied')
  if (bos !== null && typeof bos !== 'number') return modelError('bad-config', 'bos')
  if (eos === null || eos.length > EOS_MAX || !areNumbers(eos))
    return modelError('bad-config', 'eos')
  const number = (name: keyof LlamaConfig): number => numberField(json, name) ?? Number.NaN
  return checkConfig({
    layers: number('layers'),
    width: number('width'),
    heads: number('heads'),
    keyHeads: number('keyHeads'),
    headSize: number('headSize'),
    inner: number('inner'),
    vocabulary: number('vocabulary'),
    context: number('context'),
    epsilon: number('epsilon'),
    rope,
    tied,
    bos,
    eos,
  })
}

const areNumbers = (list: readonly unknown[]): list is readonly number[] =>
  list.every((item) => typeof item === 'number')

const readRope = (json: Json): Rope | null => {
  const [base, turned] = [numberField(json, 'base'), numberField(json, 'turned')]
  const interleaved = flagField(json, 'interleaved')
  if (base === null || turned === null || interleaved === null) return null
  const scaling = readScaling(jsonField(json, 'scaling') ?? {}, turned)
  return scaling === null ? null : { base, turned, interleaved, scaling }
}

/** The same rules as for files of either layout; null where one is broken. */
const readScaling = (json: Json, turned: number): RopeScaling | null => {
  const number = (name: string): number => numberField(json, name) ?? Number.NaN
  const [factor, original] = [number('factor'), number('original')]
  const [low, high, fast, slow] = [number('low'), number('high'), number('fast'), number('slow')]
  const attention = fieldOf(json, 'attention') === null ? null : number('attention')
  switch (textField(json, 'kind')) {
    case 'none':
      return { kind: 'none' }
    case 'linear':
      return factor > 0 ? { kind: 'linear', factor } : null
    case 'llama3':
      return factor > 0 && original > 0 && high > low
        ? { kind: 'llama3', factor, low, high, original }
        : null
    case 'yarn':
      return factor > 0 && original > 0 && slow > 0 && fast > slow && !Number.isNaN(attention)
        ? { kind: 'yarn', factor, original, fast, slow, attention }
        : null
    case 'divided': {
      const by = listField(json, 'by') ?? []
      const sound = areNumbers(by) && by.length === turned / 2 && by.every((x) => x > 0)
      return sound ? { kind: 'divided', by } : null
    }
    default:
      return null
  }
}

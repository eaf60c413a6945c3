/** A model from its files: what it is, where its weights lie, and its tokenizer. Nothing large is read. */
import { ok } from '../base/result.ts'
import { isJson } from './json-fields.ts'
import { readHfConfig } from './llama/hf-config.ts'
import { findParts } from './llama/parts.ts'
import { modelError } from './model-error.ts'
import { readJson } from './model-file.ts'
import { openSafetensors } from './safetensors/open-safetensors.ts'
import { checkTokenizer, makeTokenizer } from './tokenizer/tokenizer.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LlamaParts } from './llama/parts.ts'
import type { ModelResult } from './model-error.ts'
import type { ModelFile } from './model-file.ts'
import type { Tokenizer } from './tokenizer/tokenizer.ts'

export type Model = {
  readonly config: LlamaConfig
  readonly parts: LlamaParts
  readonly tokenizer: Tokenizer
}

const CONFIG = 'config.json'
const MAX_CONFIG_BYTES = 2 ** 20
/** The largest tokenizers have some 20 MB. */
const MAX_TOKENIZER_BYTES = 2 ** 26

/** @param files one GGUF, or those of a model's folder in Hugging Face's layout */
export const openModel = async (files: readonly ModelFile[]): Promise<ModelResult<Model>> => {
  const byName = new Map(files.map((file) => [file.name, file]))
  return openFolder(byName)
}

const openFolder = async (
  files: ReadonlyMap<string, ModelFile>,
): Promise<ModelResult<Model>> => {
  const json = await readNamed(files, CONFIG, MAX_CONFIG_BYTES)
  if (!json.ok) return json
  const config = readHfConfig(json.value)
  if (!config.ok) return config
  const weights = await openSafetensors(files)
  if (!weights.ok) return weights
  const parts = findParts(config.value, weights.value, 'hf')
  if (!parts.ok) return parts
  const tokenizer = await openTokenizer(files, config.value)
  return tokenizer.ok
    ? ok({ config: config.value, parts: parts.value, tokenizer: tokenizer.value })
    : tokenizer
}

const openTokenizer = async (
  files: ReadonlyMap<string, ModelFile>,
  config: LlamaConfig,
): Promise<ModelResult<Tokenizer>> => {
  const json = await readNamed(files, 'tokenizer.json', MAX_TOKENIZER_BYTES)
  if (!json.ok) return json
  const more = files.has('tokenizer_config.json')
    ? await readNamed(files, 'tokenizer_config.json', MAX_CONFIG_BYTES)
    : ok({})
  if (!more.ok) return more
  if (!isJson(json.value) || !isJson(more.value))
    return modelError('bad-tokenizer', 'tokenizer.json is no object')
  const made = await makeTokenizer(json.value, more.value)
  return made.ok ? checkTokenizer(made.value, config) : made
}

const readNamed = async (
  files: ReadonlyMap<string, ModelFile>,
  name: string,
  limit: number,
): Promise<ModelResult<unknown>> => {
  const file = files.get(name)
  return file === undefined
    ? modelError('unreadable', `there is no ${name}`)
    : readJson(file, limit)
}

/** A model from its files: what it is, where its weights lie, and its tokenizer. Nothing large is read. */
import { ok } from '../base/result.ts'
import { folderAbout, ggufAbout } from './about.ts'
import { DIVISORS, ggufConfig } from './gguf/gguf-config.ts'
import { readGguf } from './gguf/read-head.ts'
import { isJson } from './json-fields.ts'
import { readHfConfig } from './llama/hf-config.ts'
import { findParts } from './llama/parts.ts'
import { loadNumbers } from './load-weight.ts'
import { modelError } from './model-error.ts'
import { readJson } from './model-file.ts'
import { openSafetensors } from './safetensors/open-safetensors.ts'
import { ggufTokenizer } from './tokenizer/gguf-tokenizer.ts'
import { checkTokenizer, makeTokenizer } from './tokenizer/tokenizer.ts'
import type { About } from './about.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LlamaParts } from './llama/parts.ts'
import type { ModelResult } from './model-error.ts'
import type { ModelFile } from './model-file.ts'
import type { Tokenizer } from './tokenizer/tokenizer.ts'
import type { Weights } from './weight.ts'

export type Model = About & {
  readonly config: LlamaConfig
  readonly parts: LlamaParts
  readonly tokenizer: Tokenizer
}

const CONFIG = 'config.json'
const MAX_CONFIG_BYTES = 2 ** 20
/** The largest tokenizers have some 20 MB. */
const MAX_TOKENIZER_BYTES = 2 ** 26

/**
 * @param files one GGUF, or those of a model's folder in Hugging Face's layout
 * @param folder what the folder is called, for a model that does not say what it is called
 */
export const openModel = async (
  files: readonly ModelFile[],
  folder = '',
): Promise<ModelResult<Model>> => {
  const byName = new Map(files.map((file) => [file.name, file]))
  const [gguf, ...more] = files.filter(({ name }) => name.endsWith('.gguf'))
  // A folder may have both: its own layout comes first.
  if (gguf !== undefined && !byName.has(CONFIG))
    return more.length === 0 ? openGguf(gguf) : modelError('unsupported', 'several GGUF files')
  return openFolder(byName, folder)
}

const openGguf = async (file: ModelFile): Promise<ModelResult<Model>> => {
  const read = await readGguf(file)
  if (!read.ok) return read
  const weights: Weights = new Map(read.value.weights.map((weight) => [weight.name, weight]))
  const divisors = await readDivisors(weights)
  if (!divisors.ok) return divisors
  const config = ggufConfig(read.value, weights, divisors.value)
  if (!config.ok) return config
  const parts = findParts(config.value, weights, 'gguf')
  if (!parts.ok) return parts
  const json = ggufTokenizer(read.value)
  if (!json.ok) return json
  const found = { config: config.value, parts: parts.value, ...ggufAbout(read.value, file.name) }
  return withTokenizer(found, await makeTokenizer(json.value, {}))
}

/** As many as half of a head has numbers. */
const MAX_DIVISORS = 4096

const readDivisors = async (weights: Weights): Promise<ModelResult<readonly number[] | null>> => {
  const weight = weights.get(DIVISORS)
  if (weight === undefined) return ok(null)
  if (weight.shape.length !== 1 || weight.shape[0]! > MAX_DIVISORS)
    return modelError('bad-tensor', `${DIVISORS} is [${weight.shape.join(', ')}]`)
  const loaded = await loadNumbers(weight)
  return loaded.ok ? ok([...loaded.value.data]) : loaded
}

const withTokenizer = (
  found: Omit<Model, 'tokenizer'>,
  made: ModelResult<Tokenizer>,
): ModelResult<Model> => {
  const tokenizer = made.ok ? checkTokenizer(made.value, found.config) : made
  return tokenizer.ok ? ok({ ...found, tokenizer: tokenizer.value }) : tokenizer
}

const openFolder = async (
  files: ReadonlyMap<string, ModelFile>,
  folder: string,
): Promise<ModelResult<Model>> => {
  const json = await readNamed(files, CONFIG, MAX_CONFIG_BYTES)
  if (!json.ok) return json
  const config = readHfConfig(json.value)
  if (!config.ok) return config
  const weights = await openSafetensors(files)
  if (!weights.ok) return weights
  const parts = findParts(config.value, weights.value, 'hf')
  if (!parts.ok) return parts
  const about = await folderAbout(json.value, files.get('README.md'), folder)
  const found = { config: config.value, parts: parts.value, ...about }
  return withTokenizer(found, await openTokenizer(files))
}

const openTokenizer = async (
  files: ReadonlyMap<string, ModelFile>,
): Promise<ModelResult<Tokenizer>> => {
  const json = await readNamed(files, 'tokenizer.json', MAX_TOKENIZER_BYTES)
  if (!json.ok) return json
  const more = files.has('tokenizer_config.json')
    ? await readNamed(files, 'tokenizer_config.json', MAX_CONFIG_BYTES)
    : ok({})
  if (!more.ok) return more
  if (!isJson(json.value) || !isJson(more.value))
    return modelError('bad-tokenizer', 'tokenizer.json is no object')
  return makeTokenizer(json.value, more.value)
}

const readNamed = async (
  files: ReadonlyMap<string, ModelFile>,
  name: string,
  limit: number,
): Promise<ModelResult<unknown>> => {
  const file = files.get(name)
  return file === undefined
    ? modelError('unreadable', `there is no ${name}${name === CONFIG ? ', nor a GGUF file' : ''}`)
    : readJson(file, limit)
}

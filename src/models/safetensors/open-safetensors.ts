/** The tensors of a model in one safetensors file, or in the several that its index names. */
import { ok } from '../../base/result.ts'
import { fieldOf, isJson, jsonField } from '../json-fields.ts'
import { modelError } from '../model-error.ts'
import { readJson } from '../model-file.ts'
import { readSafetensors } from './read-header.ts'
import type { ModelResult } from '../model-error.ts'
import type { ModelFile } from '../model-file.ts'
import type { Weight, Weights } from '../weight.ts'

const INDEX = 'model.safetensors.index.json'
const WHOLE = 'model.safetensors'
const MAX_INDEX_BYTES = 25_000_000
/** As many as Hugging Face's own reader takes. */
const MAX_SHARDS = 10_000

/** @param files those of the model's folder, by name */
export const openSafetensors = async (
  files: ReadonlyMap<string, ModelFile>,
): Promise<ModelResult<Weights>> => {
  const [index, whole] = [files.get(INDEX), files.get(WHOLE)]
  if (index !== undefined) return openShards(index, files)
  const only = whole ?? [...files.values()].find(({ name }) => name.endsWith('.safetensors'))
  if (only === undefined) return modelError('unreadable', `there is no ${WHOLE}`)
  const read = await readSafetensors(only)
  return read.ok ? ok(new Map(read.value.map((weight) => [weight.name, weight]))) : read
}

const openShards = async (
  index: ModelFile,
  files: ReadonlyMap<string, ModelFile>,
): Promise<ModelResult<Weights>> => {
  const json = await readJson(index, MAX_INDEX_BYTES)
  if (!json.ok) return json
  const map = isJson(json.value) ? jsonField(json.value, 'weight_map') : null
  if (map === null) return modelError('bad-header', `${index.name} has no weight_map`)
  const shards = new Set(Object.values(map))
  if (shards.size > MAX_SHARDS) return modelError('too-large', `${shards.size} files`)
  const found = new Map<string, Weight>()
  for (const shard of shards) {
    const file = typeof shard === 'string' ? files.get(shard) : undefined
    if (file === undefined) return modelError('unreadable', `${String(shard)} is not there`)
    const read = await readSafetensors(file)
    if (!read.ok) return read
    for (const weight of read.value) {
      if (fieldOf(map, weight.name) !== shard)
        return modelError('bad-tensor', `${weight.name} lies in ${file.name}, against the index`)
      found.set(weight.name, weight)
    }
  }
  const lost = Object.keys(map).find((name) => !found.has(name))
  return lost === undefined ? ok(found) : modelError('missing-tensor', lost)
}

/**
 * The head of a safetensors file: eight bytes of length, JSON, then the tensors' bytes without holes. See
 * https://github.com/huggingface/safetensors#format; the limit of the head is that of the reference.
 */
import { ok } from '../../base/result.ts'
import { fieldOf, isJson, listField, textField } from '../json-fields.ts'
import { modelError } from '../model-error.ts'
import { parseJson } from '../model-file.ts'
import { weightBytes } from '../weight.ts'
import type { Json } from '../json-fields.ts'
import type { ModelResult } from '../model-error.ts'
import type { ModelFile } from '../model-file.ts'
import type { Weight, WeightType } from '../weight.ts'

const LENGTH_BYTES = 8
const MAX_HEADER_BYTES = 25_000_000
/** The largest models have some ten thousand. */
const MAX_TENSORS = 200_000

const TYPES: ReadonlyMap<string, WeightType> = new Map([
  ['F32', 'F32'],
  ['F16', 'F16'],
  ['BF16', 'BF16'],
])

/** The tensors of one file, in the order in which they lie there. */
export const readSafetensors = async (file: ModelFile): Promise<ModelResult<readonly Weight[]>> => {
  if (file.size < LENGTH_BYTES) return modelError('truncated', `${file.name} has no head`)
  const first = await file.read(0, LENGTH_BYTES)
  if (!first.ok) return first
  const length = new DataView(first.value.buffer, first.value.byteOffset).getBigUint64(0, true)
  if (length > MAX_HEADER_BYTES)
    return modelError('too-large', `${file.name}: a head of ${length} bytes`)
  const begin = LENGTH_BYTES + Number(length)
  if (begin > file.size)
    return modelError('truncated', `${file.name}: the head ends at ${begin}, the file before`)
  const head = await file.read(LENGTH_BYTES, begin)
  if (!head.ok) return head
  const json = parseJson(`the head of ${file.name}`, head.value)
  if (!json.ok) return json
  return isJson(json.value)
    ? readTensors(file, json.value, begin)
    : modelError('bad-header', `${file.name}: the head is no object`)
}

const readTensors = (
  file: ModelFile,
  head: Json,
  begin: number,
): ModelResult<readonly Weight[]> => {
  const names = Object.keys(head).filter((name) => name !== '__metadata__')
  if (names.length > MAX_TENSORS)
    return modelError('too-large', `${file.name}: ${names.length} tensors`)
  const found: Weight[] = []
  for (const name of names) {
    const weight = readWeight(file, name, fieldOf(head, name), begin)
    if (!weight.ok) return weight
    found.push(weight.value)
  }
  found.sort((a, b) => a.from - b.from || a.to - b.to)
  let at = begin
  for (const { name, from, to } of found) {
    if (from !== at)
      return modelError('bad-tensor', `${name} begins at ${from}, the one before ends at ${at}`)
    at = to
  }
  if (at > file.size) return modelError('truncated', `${file.name} has ${file.size} bytes of ${at}`)
  return at === file.size
    ? ok(found)
    : modelError('bad-tensor', `${file.size - at} bytes at the end belong to nobody`)
}

const isPlace = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0

const readWeight = (
  file: ModelFile,
  name: string,
  entry: unknown,
  begin: number,
): ModelResult<Weight> => {
  if (!isJson(entry)) return modelError('bad-header', `${name} is no tensor`)
  const dtype = textField(entry, 'dtype')
  const type = TYPES.get(dtype ?? '')
  if (type === undefined) return modelError('unsupported', `${name} is of type ${dtype}`)
  const shape = listField(entry, 'shape')
  const [from, to, ...more] = listField(entry, 'data_offsets') ?? []
  if (shape === null || !shape.every(isPlace) || !isPlace(from) || !isPlace(to) || more.length > 0)
    return modelError('bad-tensor', `${name} has no shape, or no place`)
  const bytes = weightBytes(type, shape)
  if (bytes === null) return modelError('too-large', `${name}: [${shape.join(', ')}]`)
  if (to - from !== bytes)
    return modelError('bad-tensor', `${name} takes ${bytes} bytes and has ${to - from}`)
  return ok({ name, type, shape, file, from: begin + from, to: begin + to })
}

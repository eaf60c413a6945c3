/**
 * The head of a GGUF file: what the model says of itself, and where its tensors lie. Versions 2 and 3 of
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, little-endian.
 */
import { ok } from '../../base/result.ts'
import { modelError } from '../model-error.ts'
import { weightBytes } from '../weight.ts'
import { Cursor } from './cursor.ts'
import type { ModelResult } from '../model-error.ts'
import type { ModelFile } from '../model-file.ts'
import type { Weight, WeightType } from '../weight.ts'

export type GgufValue = number | boolean | string | readonly number[] | readonly string[]

export type Gguf = {
  readonly about: ReadonlyMap<string, GgufValue>
  readonly weights: readonly Weight[]
}

/** "GGUF" as a little-endian number. */
const MAGIC = 0x46554747
const MAX_KEYS = 100_000
const MAX_TENSORS = 200_000
/** ggml's own limit. */
const MAX_DIMENSIONS = 4
const DEFAULT_ALIGNMENT = 32

/** Numbers of types in ggml.h. */
const TYPES: ReadonlyMap<number, WeightType> = new Map([
  [0, 'F32'],
  [1, 'F16'],
  [2, 'Q4_0'],
  [8, 'Q8_0'],
  [12, 'Q4_K'],
  [14, 'Q6_K'],
  [30, 'BF16'],
])

/** A head is as long as its tables of tokens: read this much, then twice as much, to the limit. */
const FIRST_BYTES = 2 ** 20
const MAX_HEAD_BYTES = 2 ** 27

/** @error unreadable, truncated, bad-header, bad-tensor, too-large, unsupported */
export const readGguf = async (file: ModelFile): Promise<ModelResult<Gguf>> => {
  for (let length = FIRST_BYTES; ; length *= 2) {
    const read = await file.read(0, Math.min(length, file.size))
    if (!read.ok) return read
    const cursor = new Cursor(read.value)
    const head = parse(cursor, file)
    // What is wrong with a head that goes on after the bytes at hand is not known yet.
    if (!cursor.short) return head
    if (length >= file.size) return modelError('truncated', `${file.name} ends within its head`)
    if (length >= MAX_HEAD_BYTES) return modelError('too-large', `${file.name}: its head`)
  }
}

const parse = (cursor: Cursor, file: ModelFile): ModelResult<Gguf> => {
  const [magic, version] = [cursor.whole('u32'), cursor.whole('u32')]
  if (magic !== MAGIC) return modelError('bad-header', `${file.name} is no GGUF`)
  if (version !== 2 && version !== 3) return modelError('unsupported', `GGUF version ${version}`)
  const [tensors, keys] = [cursor.whole('u64'), cursor.whole('u64')]
  if (tensors > MAX_TENSORS || keys > MAX_KEYS)
    return modelError('too-large', `${tensors} tensors, ${keys} keys`)
  const about = new Map<string, GgufValue>()
  for (let i = 0; i < keys && !cursor.short; i++) {
    const key = cursor.text()
    const value = readValue(cursor, cursor.whole('u32'))
    if (value === null) return modelError('bad-header', `${key} is of no known type`)
    if (about.has(key)) return modelError('bad-header', `${key} is there twice`)
    about.set(key, value)
  }
  const places: Place[] = []
  for (let i = 0; i < tensors && !cursor.short; i++) {
    const place = readPlace(cursor)
    if (!place.ok) return place
    places.push(place.value)
  }
  const alignment = about.get('general.alignment') ?? DEFAULT_ALIGNMENT
  if (typeof alignment !== 'number' || alignment < 8 || alignment % 8 !== 0)
    return modelError('bad-header', `an alignment of ${String(alignment)}`)
  const weights = placed(places, { file, alignment, head: cursor.at })
  return weights.ok ? ok({ about, weights: weights.value }) : weights
}

const WHOLE = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  null,
  null,
  null,
  null,
  'u64',
  'i64',
] as const
const [FLOAT, BOOL, TEXT, LIST, DOUBLE] = [6, 7, 8, 9, 12]
/** Bytes that an element has at least: a list that is longer than the file is not begun. */
const LEAST: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8]

/** null for a type that there is not. */
const readValue = (cursor: Cursor, type: number): GgufValue | null => {
  if (type !== LIST) return readOne(cursor, type)
  const [of, count] = [cursor.whole('u32'), cursor.whole('u64')]
  const least = of === LIST ? undefined : LEAST[of]
  if (least === undefined) return null
  if (!cursor.has(least * count)) return []
  const found: (number | boolean | string)[] = []
  for (let i = 0; i < count && !cursor.short; i++) found.push(readOne(cursor, of)!)
  return of === BOOL ? found.map(Number) : (found as number[] | string[])
}

const readOne = (cursor: Cursor, type: number): number | boolean | string | null => {
  const whole = WHOLE[type]
  if (whole !== null && whole !== undefined) return cursor.whole(whole)
  if (type === FLOAT) return cursor.float('f32')
  if (type === DOUBLE) return cursor.float('f64')
  if (type === BOOL) return cursor.whole('u8') !== 0
  return type === TEXT ? cursor.text() : null
}

type Place = {
  readonly name: string
  readonly type: WeightType
  readonly shape: readonly number[]
  readonly offset: number
  readonly bytes: number
}

const readPlace = (cursor: Cursor): ModelResult<Place> => {
  const name = cursor.text()
  const rank = cursor.whole('u32')
  if (rank > MAX_DIMENSIONS) return modelError('bad-tensor', `${name} has ${rank} dimensions`)
  // The first is the one whose elements are neighbours.
  const shape = Array.from({ length: rank }, () => cursor.whole('u64')).reverse()
  const [number, offset] = [cursor.whole('u32'), cursor.whole('u64')]
  const type = TYPES.get(number)
  if (type === undefined) return modelError('unsupported', `${name} is of ggml type ${number}`)
  const bytes = weightBytes(type, shape)
  return bytes === null
    ? modelError('bad-tensor', `${name}: [${shape.join(', ')}] in ${type}`)
    : ok({ name, type, shape, offset, bytes })
}

type Layout = { readonly file: ModelFile; readonly alignment: number; readonly head: number }

const placed = (
  places: readonly Place[],
  { file, alignment, head }: Layout,
): ModelResult<readonly Weight[]> => {
  const begin = Math.ceil(head / alignment) * alignment
  const names = new Set<string>()
  let end = begin
  const weights: Weight[] = []
  for (const { offset, bytes, ...weight } of places.toSorted((a, b) => a.offset - b.offset)) {
    const [from, to] = [begin + offset, begin + offset + bytes]
    if (names.has(weight.name)) return modelError('bad-tensor', `${weight.name} is there twice`)
    if (offset % alignment !== 0 || from < end)
      return modelError('bad-tensor', `${weight.name} begins at ${from}, within another one`)
    if (to > file.size)
      return modelError('truncated', `${weight.name} ends at ${to}, the file at ${file.size}`)
    names.add(weight.name)
    weights.push({ ...weight, file, from, to })
    end = to
  }
  return ok(weights)
}

/** Small files of both formats, written as their specifications say. */
import type { WeightType } from '../../src/models/weight.ts'

export type Written = {
  readonly name: string
  readonly type: WeightType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

export type Said = number | boolean | string | readonly string[] | readonly number[]

const utf8 = new TextEncoder()

const joined = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const word = (value: number, bytes: 4 | 8): Uint8Array => {
  const view = new DataView(new ArrayBuffer(bytes))
  if (bytes === 4) view.setUint32(0, value, true)
  else view.setBigUint64(0, BigInt(value), true)
  return new Uint8Array(view.buffer)
}

export const safetensorsBytes = (tensors: readonly Written[]): Uint8Array<ArrayBuffer> => {
  const head: Record<string, object> = {}
  let at = 0
  for (const { name, type, shape, bytes } of tensors) {
    head[name] = { dtype: type, shape, data_offsets: [at, at + bytes.length] }
    at += bytes.length
  }
  const json = utf8.encode(JSON.stringify(head))
  return joined([word(json.length, 8), json, ...tensors.map(({ bytes }) => bytes)])
}

/** As ggml.h numbers them. */
const GGML: Readonly<Record<WeightType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q8_0: 8,
  Q4_K: 12,
  Q6_K: 14,
  BF16: 30,
}

const text = (value: string): Uint8Array => {
  const bytes = utf8.encode(value)
  return joined([word(bytes.length, 8), bytes])
}

const float = (value: number): Uint8Array => new Uint8Array(Float32Array.of(value).buffer)

/** Whole numbers are u32, others f32; the type's number comes first. */
const saidBytes = (value: Said): readonly [number, Uint8Array] => {
  if (typeof value === 'string') return [8, text(value)]
  if (typeof value === 'boolean') return [7, Uint8Array.of(Number(value))]
  if (typeof value === 'number')
    return Number.isInteger(value) ? [4, word(value, 4)] : [6, float(value)]
  const parts = value.map((one) => saidBytes(one))
  const kind = parts[0]?.[0] ?? 4
  return [9, joined([word(kind, 4), word(parts.length, 8), ...parts.map(([, bytes]) => bytes)])]
}

const ALIGNMENT = 32

const padding = (length: number): Uint8Array =>
  new Uint8Array((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT)

export const ggufBytes = (
  about: Readonly<Record<string, Said>>,
  tensors: readonly Written[],
): Uint8Array<ArrayBuffer> => {
  const keys = Object.entries(about).flatMap(([key, value]) => {
    const [type, bytes] = saidBytes(value)
    return [text(key), word(type, 4), bytes]
  })
  let at = 0
  const infos: Uint8Array[] = []
  const data: Uint8Array[] = []
  for (const { name, type, shape, bytes } of tensors) {
    const sizes = shape.toReversed().map((size) => word(size, 8))
    infos.push(text(name), word(shape.length, 4), ...sizes, word(GGML[type], 4), word(at, 8))
    const whole = joined([bytes, padding(bytes.length)])
    data.push(whole)
    at += whole.length
  }
  const counts = [word(tensors.length, 8), word(Object.keys(about).length, 8)]
  const head = joined([utf8.encode('GGUF'), word(3, 4), ...counts, ...keys, ...infos])
  return joined([head, padding(head.length), ...data])
}

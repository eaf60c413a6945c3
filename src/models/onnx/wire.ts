/**
 * Protobuf as it lies in bytes: fields by number, looked at one message at a time. The bytes are a
 * stranger's, so a length is believed only as far as there are bytes.
 */
import { PbfReader } from 'pbf'

/** A whole number, a float, or bytes that are a text, a message or a packed list. */
type Field = number | Uint8Array

/** All occurrences of each field, in order. */
export type Fields = ReadonlyMap<number, readonly Field[]>

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** The fields of one message, or null where the bytes are no message. */
export const fieldsOf = (bytes: Uint8Array): Fields | null => {
  const found = new Map<number, Field[]>()
  const reader = new PbfReader(bytes)
  try {
    while (reader.pos < bytes.length) {
      const number = reader.nextField()
      const value = number === 0 ? null : readField(reader)
      if (value === null || reader.pos > bytes.length) return null
      const others = found.get(number)
      if (others === undefined) found.set(number, [value])
      else others.push(value)
    }
    return found
  } catch {
    return null
  }
}

const readField = (reader: PbfReader): Field | null => {
  switch (reader.type) {
    case VARINT:
      return reader.readVarint(true)
    case FIXED64:
      return reader.readDouble()
    case FIXED32:
      return reader.readFloat()
    case BYTES: {
      const length = reader.readVarint()
      const end = reader.pos + length
      if (end > reader.length) return null
      const bytes = reader.buf.subarray(reader.pos, end)
      reader.pos = end
      return bytes
    }
    default:
      return null
  }
}

export const bytesIn = (fields: Fields, number: number): readonly Uint8Array[] =>
  (fields.get(number) ?? []).filter((field) => typeof field !== 'number')

/** The last one counts, as protobuf has it. */
export const textIn = (fields: Fields, number: number): string => {
  const bytes = bytesIn(fields, number).at(-1)
  return bytes === undefined ? '' : decodeText(bytes)
}

export const textsIn = (fields: Fields, number: number): readonly string[] =>
  bytesIn(fields, number).map(decodeText)

export const numberIn = (fields: Fields, number: number, missing = 0): number => {
  const last = fields.get(number)?.at(-1)
  return typeof last === 'number' ? last : missing
}

/** A repeated field, packed or not; null where a packed one is broken. */
export const numbersIn = (
  fields: Fields,
  number: number,
  kind: 'varint' | 'float' | 'double',
): number[] | null => {
  const found: number[] = []
  for (const field of fields.get(number) ?? []) {
    if (typeof field === 'number') found.push(field)
    else if (!unpack(field, kind, found)) return null
  }
  return found
}

const unpack = (
  field: Uint8Array,
  kind: 'varint' | 'float' | 'double',
  found: number[],
): boolean => {
  const reader = new PbfReader(field)
  try {
    while (reader.pos < field.length) {
      if (kind === 'varint') found.push(reader.readVarint(true))
      else found.push(kind === 'float' ? reader.readFloat() : reader.readDouble())
    }
    return reader.pos === field.length
  } catch {
    return false
  }
}

const decoder = new TextDecoder()
const decodeText = (bytes: Uint8Array): string => decoder.decode(bytes)

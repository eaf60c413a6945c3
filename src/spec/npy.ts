/**
 * NumPy's array file: a short header, then the elements. Versions 1 and 2, C order, little endian
 * float32, int32, uint32, int8 and uint8. Anything else is refused in words.
 */
import {
  dtypeBytes,
  elements,
  tensorBytes,
  viewAs,
  type DType,
  type Tensor,
} from '../../kernels/kernel.ts'
import { concat, utf8 } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'

export type FileError = {
  readonly code: 'bad-file'
  readonly expected: string
  readonly found: string
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
const DESCR: Readonly<Record<string, DType>> = {
  '<f4': 'f32',
  '<i4': 'i32',
  '<u4': 'u32',
  '|i1': 'i8',
  '|u1': 'u8',
}
/** A header says a type, an order and a shape; NumPy's own reader stops at 10 000 characters too. */
const HEADER_MAX = 10_000
const DIMENSIONS_MAX = 4
/** The data begins at a multiple of this (NEP 1). */
const ALIGN = 64

const refuse = (expected: string, found: unknown) =>
  err({ code: 'bad-file' as const, expected, found: String(found).slice(0, 60) })

export const isNpy = (bytes: Uint8Array): boolean =>
  bytes.byteLength >= 10 && MAGIC.every((byte, i) => bytes[i] === byte)

export const readNpy = (bytes: Uint8Array): Result<Tensor, FileError> => {
  if (!isNpy(bytes)) {
    return refuse('a .npy file', 'another kind of file')
  }
  const major = bytes[6]!
  if (major !== 1 && major !== 2) return refuse('.npy version 1 or 2', `version ${major}`)
  const start = major === 1 ? 10 : 12
  if (bytes.byteLength < start) return refuse('a whole .npy header', 'the end of the file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > HEADER_MAX || start + length > bytes.byteLength) {
    return refuse(`a .npy header of at most ${HEADER_MAX} bytes`, length)
  }
  const header = readHeader(bytes.subarray(start, start + length))
  if (!header.ok) return header
  const { dtype, shape } = header.value
  const body = bytes.subarray(start + length)
  const size = tensorBytes(header.value)
  if (!Number.isSafeInteger(size) || size !== body.byteLength) {
    return refuse(`${size} bytes of elements for ${dtype}[${shape.join(', ')}]`, body.byteLength)
  }
  return ok({ dtype, shape, data: viewAs(dtype, body) })
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, the three keys in any order. */
const readHeader = (bytes: Uint8Array): Result<{ dtype: DType; shape: number[] }, FileError> => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  const body = /^\{(.*)\}\s*$/s.exec(text)?.[1]
  const found = new Map<string, string>()
  const entry =
    /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']{0,16}'|True|False|\([\d,\s]{0,200}\))\s*(,|$)/y
  for (let at = 0; body !== undefined && at < body.trimEnd().length;) {
    entry.lastIndex = at
    const match = entry.exec(body)
    if (!match || found.has(match[1]!)) return refuse('a .npy header', text.trim())
    found.set(match[1]!, match[2]!)
    at = entry.lastIndex
  }
  const [descr, order, shape] = ['descr', 'fortran_order', 'shape'].map((key) => found.get(key))
  if (descr === undefined || order === undefined || !shape?.startsWith('(')) {
    return refuse('a .npy header with descr, fortran_order and shape', text.trim())
  }
  const kind = descr.slice(1, -1)
  const dtype = Object.hasOwn(DESCR, kind) ? DESCR[kind] : undefined
  if (!dtype)
    return refuse(`elements of type ${Object.keys(DESCR).join(', ')}`, kind + remedy(kind))
  if (order !== 'False') return refuse('C order (numpy.ascontiguousarray)', 'Fortran order')
  const words = shape
    .slice(1, -1)
    .split(',')
    .map((word) => word.trim())
  if (words.at(-1) === '') words.pop()
  const numbers = words.map((word) => (/^\d{1,10}$/.test(word) ? Number(word) : 0))
  if (numbers.length > DIMENSIONS_MAX || numbers.some((n) => n < 1)) {
    return refuse(`a shape of at most ${DIMENSIONS_MAX} dimensions, none of them 0`, shape)
  }
  return ok({ dtype, shape: numbers.length === 0 ? [1] : numbers })
}

/** What a person writes in NumPy before saving, who has numbers of another width or byte order. */
const remedy = (kind: string): string => {
  const words: Readonly<Record<string, string>> = { f: '<f4', i: '<i4', u: '<u4', b: '<i4' }
  const fitting = words[/^[<>|=]([fiub])\d{1,2}$/.exec(kind)?.[1] ?? '']
  return fitting === undefined ? '' : `; astype('${fitting}') makes one that fits`
}

export const writeNpy = ({ dtype, shape, data }: Tensor): Uint8Array<ArrayBuffer> => {
  const descr = Object.entries(DESCR).find(([, known]) => known === dtype)![0]
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`
  const length = Math.ceil((10 + header.length + 1) / ALIGN) * ALIGN - 10
  const head = new Uint8Array([...MAGIC, 1, 0, length & 0xff, length >> 8])
  const used = elements(shape) * dtypeBytes(dtype)
  const body = new Uint8Array(data.buffer, data.byteOffset, used)
  return concat([head, utf8(`${header.padEnd(length - 1)}\n`), body])
}

/** TensorProto: the numbers of a tensor, in any of the ways in which ONNX writes them down. */
import { elementOf } from '../../../kernels/tensor/ops/cast.ts'
import { refuse } from '../../../kernels/tensor/outcome.ts'
import { narrow } from '../../../kernels/tensor/tensor.ts'
import { elements } from '../../../kernels/kernel.ts'
import { brainToNumber, halfToNumber } from '../half-floats.ts'
import { isPacked, unpack } from './packed.ts'
import { bytesIn, fieldsOf, numberIn, numbersIn, textIn } from './wire.ts'
import type { Outcome, Refusal } from '../../../kernels/tensor/outcome.ts'
import type { ElementType, Numbers, Tensor } from '../../../kernels/tensor/tensor.ts'
import type { Packed } from './packed.ts'
import type { Fields } from './wire.ts'

/** Numbers of the fields of TensorProto in onnx.proto. */
const DIMS = 1
const DATA_TYPE = 2
const FLOAT_DATA = 4
const INT32_DATA = 5
const INT64_DATA = 7
const NAME = 8
const RAW_DATA = 9
const DOUBLE_DATA = 10
const UINT64_DATA = 11
const DATA_LOCATION = 14

/** As in the binder: nothing larger runs anywhere. */
const MAX_ELEMENTS = 2 ** 29

export type NamedTensor = { readonly name: string; readonly tensor: Tensor }

/** A file that holds one tensor. */
export const readTensorFile = (bytes: Uint8Array): Outcome<NamedTensor> => {
  const fields = fieldsOf(bytes)
  return fields === null ? refused(refuse('bad-graph', 'no protobuf')) : readTensor(fields)
}

export const readTensor = (fields: Fields): Outcome<NamedTensor> => {
  const name = textIn(fields, NAME)
  const shape = numbersIn(fields, DIMS, 'varint')
  const element = elementOf(numberIn(fields, DATA_TYPE))
  if (element === null)
    return refused(refuse('unsupported', `tensor ${name}: type ${numberIn(fields, DATA_TYPE)}`))
  if (numberIn(fields, DATA_LOCATION) !== 0)
    return refused(refuse('unsupported', `tensor ${name}: numbers in another file`))
  if (shape === null) return refused(refuse('bad-graph', `tensor ${name}: a broken shape`))
  const count = elements(shape)
  if (shape.some((size) => size < 0) || !(count <= MAX_ELEMENTS))
    return refused(refuse('too-large', `tensor ${name}: [${shape.slice(0, 16).join(', ')}]`))
  const raw = bytesIn(fields, RAW_DATA).at(-1)
  const data = isPacked(element)
    ? unpack(raw ?? numbersIn(fields, INT32_DATA, 'varint') ?? [], element, count)
    : raw === undefined
      ? listed(fields, element)
      : fromRaw(raw, element)
  if (data === null) return refused(refuse('bad-graph', `tensor ${name}: broken numbers`))
  if (data.length !== count)
    return refused(
      refuse('bad-graph', `tensor ${name}: ${data.length} numbers for ${count} places`),
    )
  return { ok: true, value: { name, tensor: { element, shape, data } } }
}

const refused = (error: Refusal): { readonly ok: false; readonly error: Refusal } => ({
  ok: false,
  error,
})

/** Those that have at least a byte of their own. */
type Whole = Exclude<ElementType, Packed>

const listed = (fields: Fields, element: Whole): Numbers | null => {
  const [tag, kind] = LISTS[element]
  const numbers = numbersIn(fields, tag, kind)
  if (numbers === null) return null
  switch (element) {
    case 'f32':
      return Float32Array.from(numbers)
    case 'f16':
      return Float32Array.from(numbers, halfToNumber)
    case 'bf16':
      return Float32Array.from(numbers, brainToNumber)
    default:
      return Float64Array.from(numbers, (x) => narrow(element, x))
  }
}

const whole = [INT32_DATA, 'varint'] as const
/** Where numbers are that are not raw: those of 16 bits as their bits. */
const LISTS: Record<Whole, readonly [number, 'varint' | 'float' | 'double']> = {
  f32: [FLOAT_DATA, 'float'],
  f64: [DOUBLE_DATA, 'double'],
  f16: whole,
  bf16: whole,
  i64: [INT64_DATA, 'varint'],
  i32: whole,
  i16: whole,
  i8: whole,
  u64: [UINT64_DATA, 'varint'],
  u32: [UINT64_DATA, 'varint'],
  u16: whole,
  u8: whole,
  bool: whole,
}

const BYTES: Record<Whole, number> = {
  f32: 4,
  f64: 8,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u64: 8,
  u32: 4,
  u16: 2,
  u8: 1,
  bool: 1,
}

/** Little-endian, as ONNX has it on every machine. */
const fromRaw = (raw: Uint8Array, element: Whole): Numbers => {
  const size = BYTES[element]
  const count = Math.floor(raw.byteLength / size)
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const all = { length: count }
  switch (element) {
    case 'f32':
      return Float32Array.from(all, (_, i) => view.getFloat32(i * size, true))
    case 'f64':
      return Float64Array.from(all, (_, i) => view.getFloat64(i * size, true))
    case 'f16':
      return Float32Array.from(all, (_, i) => halfToNumber(view.getUint16(i * size, true)))
    case 'bf16':
      return Float32Array.from(all, (_, i) => brainToNumber(view.getUint16(i * size, true)))
    case 'i64':
      return Float64Array.from(all, (_, i) => Number(view.getBigInt64(i * size, true)))
    case 'u64':
      return Float64Array.from(all, (_, i) => Number(view.getBigUint64(i * size, true)))
    case 'u32':
      return Float64Array.from(all, (_, i) => view.getUint32(i * size, true))
    case 'i32':
      return Int32Array.from(all, (_, i) => view.getInt32(i * size, true))
    case 'i16':
    case 'u16':
      return Int32Array.from(all, (_, i) => narrow(element, view.getUint16(i * size, true)))
    case 'i8':
    case 'u8':
    case 'bool':
      return Int32Array.from(all, (_, i) => narrow(element, view.getUint8(i)))
  }
}

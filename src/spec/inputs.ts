/**
 * The inputs of a spec: which it wants, those it makes itself from a seed, and those read from files.
 * Pictures are decoded by the environment, which knows more formats than anybody should write again.
 */
import {
  allocate,
  dtypeBytes,
  elements,
  viewAs,
  type DType,
  type Tensor,
} from '../../kernels/kernel.ts'
import { unreachable } from '../base/assert.ts'
import { prng } from '../base/prng.ts'
import { err, ok, type Result } from '../base/result.ts'
import { isNpy, readNpy, type FileError } from './npy.ts'
import type { InputKind } from './program.ts'
import type { Spec } from './spec.ts'

export type WantedInput = {
  readonly name: string
  readonly kind: InputKind
  /** `false`: `makeInput` makes it. `true`: somebody has to bring a file. */
  readonly fromFile: boolean
  readonly dtype: DType
  /** 0 where the file decides. */
  readonly shape: readonly number[]
  readonly seed: number
}

export const wantedInputs = (spec: Spec): readonly WantedInput[] =>
  Object.entries(spec.inputs).map(([name, input]) => ({
    name,
    ...input,
    fromFile: input.kind !== 'random' && input.kind !== 'range',
  }))

/**
 * `random`: uniform in [-1, 1) in steps of 2^-23, or all values of an integer type. `range`: 0, 1, 2,
 * ..., as f32 exact up to 2^24. Null for what comes from a file.
 */
export const makeInput = ({ kind, dtype, shape, seed }: WantedInput): Tensor | null => {
  if (kind !== 'random' && kind !== 'range') return null
  const data = allocate(dtype, elements(shape))
  if (kind === 'range') {
    for (let i = 0; i < data.length; i++) data[i] = i
    return { dtype, shape, data }
  }
  const { u32 } = prng(seed)
  const bytes = dtypeBytes(dtype)
  for (let i = 0; i < data.length; i++) {
    if (dtype === 'f32') data[i] = (u32() >>> 8) / 0x80_0000 - 1
    else data[i] = bytes === 1 ? u32() >>> 24 : u32()
  }
  return { dtype, shape, data }
}

/** Reads a file for an input of numbers. */
export const readInput = (wanted: WantedInput, bytes: Uint8Array): Result<Tensor, FileError> => {
  switch (wanted.kind) {
    case 'npy': {
      const tensor = readNpy(bytes)
      return tensor.ok ? fitting(wanted, tensor.value) : tensor
    }
    case 'f32':
    case 'i32':
    case 'u32':
    case 'i8':
      return readRaw(wanted, bytes)
    case 'onnx':
      return ok({ dtype: 'u8', shape: [bytes.byteLength], data: bytes })
    case 'image':
      return refuse('pixels, decoded by whoever calls this', 'a file')
    case 'random':
    case 'range':
      // In place of what the spec would make; the name of a file does not say which kind it is.
      return isNpy(bytes) ? readInput({ ...wanted, kind: 'npy' }, bytes) : readRaw(wanted, bytes)
    default:
      return unreachable(wanted.kind)
  }
}

/** Decoded pixels, RGBA, row by row, as the input of an image job. */
export const imageInput = (
  rgba: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
): Result<Tensor, FileError> => {
  const fits = [width, height].every((side) => Number.isSafeInteger(side) && side >= 1)
  if (!fits || rgba.byteLength !== width * height * 4) {
    return refuse('4 bytes for each pixel', `${rgba.byteLength} bytes for ${width}x${height}`)
  }
  const data = new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.byteLength)
  return ok({ dtype: 'u8', shape: [height, width, 4], data })
}

const refuse = (expected: string, found: unknown) =>
  err({ code: 'bad-file' as const, expected, found: String(found).slice(0, 60) })

/** 0 is any size, and no sizes at all are any shape. */
export const isShape = (found: readonly number[], wanted: readonly number[]): boolean =>
  wanted.length === 0 ||
  (found.length === wanted.length && wanted.every((n, i) => n === 0 || n === found[i]))

const fitting = ({ dtype, shape }: WantedInput, tensor: Tensor): Result<Tensor, FileError> => {
  if (tensor.dtype === dtype && isShape(tensor.shape, shape)) return ok(tensor)
  const wanted = shape.length === 0 ? 'any' : shape.map((n) => n || 'any').join(', ')
  return refuse(`${dtype}[${wanted}]`, `${tensor.dtype}[${tensor.shape.join(', ')}]`)
}

/** Bare little-endian elements; one size that the spec leaves open follows from how many there are. */
const readRaw = ({ dtype, shape }: WantedInput, bytes: Uint8Array): Result<Tensor, FileError> => {
  const count = bytes.byteLength / dtypeBytes(dtype)
  if (shape.length === 0) return refuse('a .npy file, for its shape', 'elements without one')
  const open = shape.filter((n) => n === 0).length
  const known = shape.reduce((product, n) => product * (n || 1), 1)
  const rest = count / known
  const fits = open === 0 ? rest === 1 : open === 1 && Number.isSafeInteger(rest) && rest >= 1
  if (!fits) {
    const expected =
      open > 1
        ? 'a shape in the spec, for the file has none'
        : `${dtype} elements for [${shape.join(', ')}]`
    return refuse(expected, `${bytes.byteLength} bytes`)
  }
  return ok({ dtype, shape: shape.map((n) => n || rest), data: viewAs(dtype, bytes) })
}

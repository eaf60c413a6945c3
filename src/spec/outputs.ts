/** What a person gets: an output tensor as a file of the format that the spec asks for. */
import { tensorBytes, viewAs, type Tensor, type TensorType } from '../../kernels/kernel.ts'
import { utf8 } from '../base/bytes.ts'
import { assert, unreachable } from '../base/assert.ts'
import type { Program } from '../core/job.ts'
import { whole } from '../core/rect.ts'
import { writeNpy } from './npy.ts'
import { encodePng } from './png.ts'
import { outputRules, type Format } from './program.ts'
import { renderCounts } from './render.ts'

export type OutputFile = {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Without the dot. */
  readonly extension: 'png' | 'npy' | 'json' | 'txt'
  readonly mediaType: string
}

/** The format of an output whose spec is not at hand, such as that of a job found in storage. */
export const usualFormat = (program: Program, name: string): Format =>
  outputRules(program.kind)[name]?.formats[0] ?? 'npy'

export const outputFile = (
  program: Program,
  type: TensorType,
  bytes: Uint8Array,
  format: Format,
): OutputFile => {
  assert(bytes.byteLength === tensorBytes(type), 'an output is as large as its type')
  const tensor: Tensor = { ...type, data: viewAs(type.dtype, bytes) }
  switch (format) {
    case 'png':
      return { bytes: toPng(program, tensor), extension: 'png', mediaType: 'image/png' }
    case 'npy':
      return { bytes: writeNpy(tensor), extension: 'npy', mediaType: 'application/octet-stream' }
    case 'json':
      return { bytes: utf8(toJson(tensor)), extension: 'json', mediaType: 'application/json' }
    case 'text':
      return { bytes: utf8(toText(tensor)), extension: 'txt', mediaType: 'text/plain' }
    default:
      return unreachable(format)
  }
}

/** A picture's pixels as they are; iteration counts through their palette. */
export const toPixels = (program: Program, tensor: Tensor): Uint8Array | Uint8ClampedArray => {
  if (program.kind !== 'mandelbrot') return tensor.data as Uint8Array
  return renderCounts(
    tensor.data as Uint32Array,
    whole(tensor),
    program.iterations,
    program.palette,
  )
}

const toPng = (program: Program, tensor: Tensor): Uint8Array<ArrayBuffer> =>
  encodePng(toPixels(program, tensor), tensor.shape[1]!, tensor.shape[0]!)

/** They tell any two f32 apart. */
const DIGITS_MAX = 9

/** A whole number in full; otherwise as few digits as lead back to the same f32. */
const number = (value: number, { dtype }: TensorType): string => {
  if (dtype !== 'f32' || Number.isSafeInteger(value)) return String(value)
  for (let digits = 1; digits < DIGITS_MAX; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(Number(value.toPrecision(DIGITS_MAX)))
}

/** Nested lists, a row per line; what JSON has no number for becomes null. */
const toJson = (tensor: Tensor): string => {
  const { rows, cols } = whole(tensor)
  const row = (at: number): string => {
    const values = tensor.data.subarray(at * cols, (at + 1) * cols)
    return `[${Array.from(values, (v) => (Number.isFinite(v) ? number(v, tensor) : 'null')).join(',')}]`
  }
  if (tensor.shape.length < 2) return `${row(0)}\n`
  return `[\n${Array.from({ length: rows }, (_, r) => row(r)).join(',\n')}\n]\n`
}

/** Elements separated by blanks, a row per line. */
const toText = (tensor: Tensor): string => {
  const { rows, cols } = whole(tensor)
  const separator = tensor.shape.length < 2 ? '\n' : ' '
  const row = (at: number): string =>
    Array.from(tensor.data.subarray(at * cols, (at + 1) * cols), (v) => number(v, tensor)).join(
      separator,
    )
  return `${Array.from({ length: rows }, (_, r) => row(r)).join('\n')}\n`
}

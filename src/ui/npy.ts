/**
 * Outputs as files other programs read. NPY 1.0 is a magic word, a header of text padded to 64 bytes,
 * and the raw little-endian numbers (numpy.lib.format).
 */
import { utf8 } from '../base/bytes.ts'
import type { OutputView } from '../peer/view.ts'
import { numbersOf } from './tensor.ts'

const DESCR = { f32: '<f4', i32: '<i4', u32: '<u4', i8: '|i1', u8: '|u1' } as const
/** Magic (6), version (2), length of the header (2). */
const PREAMBLE = 10

export const npy = (output: OutputView, bytes: Uint8Array<ArrayBuffer>): Blob => {
  const shape = output.shape.length === 1 ? `${output.shape[0]},` : output.shape.join(', ')
  const head = `{'descr': '${DESCR[output.dtype]}', 'fortran_order': False, 'shape': (${shape}), }`
  const length = Math.ceil((PREAMBLE + head.length + 1) / 64) * 64 - PREAMBLE
  const preamble = new Uint8Array([0x93, ...utf8('NUMPY'), 1, 0, length & 0xff, length >> 8])
  return new Blob([preamble, utf8(`${head.padEnd(length - 1)}\n`), bytes], {
    type: 'application/octet-stream',
  })
}

/** More numbers than this make a JSON file nobody can open. */
export const JSON_ELEMENTS_MAX = 4_000_000

/** One object; numbers that JSON has no word for (NaN, infinities) become null. */
export const json = (
  output: OutputView,
  bytes: Uint8Array<ArrayBuffer>,
  about: Readonly<Record<string, string>>,
): Blob | null => {
  const numbers = numbersOf(output, bytes)
  if (!numbers || numbers.length > JSON_ELEMENTS_MAX) return null
  const { name, dtype, shape } = output
  const data = Array.from(numbers, (value) => (Number.isFinite(value) ? value : null))
  return new Blob([`${JSON.stringify({ ...about, name, dtype, shape, data })}\n`], {
    type: 'application/json',
  })
}

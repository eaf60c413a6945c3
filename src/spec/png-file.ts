/**
 * A PNG file taken apart: its head, its palette, and its pixels, still compressed. What is neither
 * needed for the pixels nor critical is skipped, colour profiles included, which are compressed, too.
 *
 * @source W3C, Portable Network Graphics, 3rd ed., §5 and §11
 */
import { ok, type Result } from '../base/result.ts'
import { badPicture, checkedSize, type PictureError } from './picture.ts'

export type PngHead = {
  readonly width: number
  readonly height: number
  readonly depth: number
  readonly colour: Colour
  readonly interlaced: boolean
}

export type PngFile = PngHead & {
  /** Three bytes for each colour. */
  readonly palette: Uint8Array
  /** What is transparent: an alpha for each colour of a palette, or one colour in samples of 16 bits. */
  readonly transparency: Uint8Array
  /** One zlib stream. */
  readonly compressed: Uint8Array
}

type Colour = 'grey' | 'rgb' | 'palette' | 'grey-alpha' | 'rgba'

const COLOURS: Readonly<Record<number, { colour: Colour; depths: readonly number[] }>> = {
  0: { colour: 'grey', depths: [1, 2, 4, 8, 16] },
  2: { colour: 'rgb', depths: [8, 16] },
  3: { colour: 'palette', depths: [1, 2, 4, 8] },
  4: { colour: 'grey-alpha', depths: [8, 16] },
  6: { colour: 'rgba', depths: [8, 16] },
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
/** Length, type and checksum around the data of a chunk. */
const AROUND = 12
const HEAD_BYTES = 13

export const isPng = (bytes: Uint8Array): boolean =>
  SIGNATURE.every((byte, at) => bytes[at] === byte)

type Chunk = { readonly type: string; readonly data: Uint8Array }

/** All chunks up to the end; null where the file ends before. Checksums are left to the zlib stream's own. */
const chunksOf = (bytes: Uint8Array): Chunk[] | null => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks: Chunk[] = []
  for (let at = SIGNATURE.length; at + AROUND <= bytes.byteLength;) {
    const length = view.getUint32(at)
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (type === 'IEND') return chunks
    if (at + AROUND + length > bytes.byteLength) return null
    chunks.push({ type, data: bytes.subarray(at + 8, at + 8 + length) })
    at += AROUND + length
  }
  return null
}

/** @error bad-image */
export const readPngFile = (bytes: Uint8Array): Result<PngFile, PictureError> => {
  if (!isPng(bytes)) return badPicture('no PNG file')
  const chunks = chunksOf(bytes)
  if (chunks === null) return badPicture('a PNG file that ends too early')
  const head = readHead(chunks[0])
  if (!head.ok) return head
  const stranger = chunks.find(({ type }) => /^[A-Z]/.test(type) && !KNOWN.includes(type))
  if (stranger) return badPicture('a PNG file with parts that are not known')
  const one = (type: string): Uint8Array =>
    chunks.find((chunk) => chunk.type === type)?.data ?? new Uint8Array(0)
  const palette = one('PLTE')
  if (palette.byteLength % 3 !== 0 || palette.byteLength > 3 * 256) {
    return badPicture('a PNG file with a broken palette')
  }
  const compressed = joined(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data))
  return ok({ ...head.value, palette, transparency: one('tRNS'), compressed })
}

const KNOWN = ['IHDR', 'PLTE', 'IDAT']

const readHead = (chunk: Chunk | undefined): Result<PngHead, PictureError> => {
  if (chunk?.type !== 'IHDR' || chunk.data.byteLength !== HEAD_BYTES) {
    return badPicture('a PNG file without a head')
  }
  const view = new DataView(chunk.data.buffer, chunk.data.byteOffset, HEAD_BYTES)
  const size = checkedSize(view.getUint32(0), view.getUint32(4))
  if (!size.ok) return size
  const [depth, colour, compression, filter, interlace] = chunk.data.subarray(8)
  const known = COLOURS[colour!]
  if (!known?.depths.includes(depth!) || compression !== 0 || filter !== 0 || interlace! > 1) {
    return badPicture('a PNG file of a kind that does not exist')
  }
  return ok({ ...size.value, depth: depth!, colour: known.colour, interlaced: interlace === 1 })
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  if (parts.length === 1) return parts[0]!
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

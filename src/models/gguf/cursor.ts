/**
 * Reads the numbers and texts of a GGUF head one after the other. Where the bytes at hand end it answers nothing,
 * and remembers that it wanted more.
 */
export class Cursor {
  /** Where the next one begins. */
  at = 0
  /** It was asked for bytes beyond the end: what it answered since then means nothing. */
  short = false
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #text = new TextDecoder()

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Whether so many bytes are at hand; else it is short. */
  has(count: number): boolean {
    if (this.at + count > this.#bytes.byteLength) this.short = true
    return !this.short
  }

  whole(type: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64'): number {
    const view = this.#view
    switch (type) {
      case 'u8':
        return this.#next(1, (at) => view.getUint8(at))
      case 'i8':
        return this.#next(1, (at) => view.getInt8(at))
      case 'u16':
        return this.#next(2, (at) => view.getUint16(at, true))
      case 'i16':
        return this.#next(2, (at) => view.getInt16(at, true))
      case 'u32':
        return this.#next(4, (at) => view.getUint32(at, true))
      case 'i32':
        return this.#next(4, (at) => view.getInt32(at, true))
      case 'u64':
        return this.#next(8, (at) => Number(view.getBigUint64(at, true)))
      case 'i64':
        return this.#next(8, (at) => Number(view.getBigInt64(at, true)))
    }
  }

  float(type: 'f32' | 'f64'): number {
    return type === 'f32'
      ? this.#next(4, (at) => this.#view.getFloat32(at, true))
      : this.#next(8, (at) => this.#view.getFloat64(at, true))
  }

  text(): string {
    const length = this.whole('u64')
    if (!this.has(length)) return ''
    const from = this.at
    this.at += length
    return this.#text.decode(this.#bytes.subarray(from, this.at))
  }

  #next(bytes: number, read: (at: number) => number): number {
    if (!this.has(bytes)) return 0
    this.at += bytes
    return read(this.at - bytes)
  }
}

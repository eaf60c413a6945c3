/** Floats of 16 bits as numbers: IEEE's half, and the upper half of an f32. */

/** Half floats are 65536, and weights are some thousand million of them. */
let table: Float32Array | null = null

const halfTable = (): Float32Array =>
  (table ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfToNumber(bits)))

export const halfAt = (view: DataView, at: number): number => halfTable()[view.getUint16(at, true)]!

/** The upper bits of what is given are not looked at. */
export const halfToNumber = (bits: number): number => {
  const sign = (bits & 0x8000) === 0 ? 1 : -1
  const exponent = (bits >> 10) & 0x1f
  const part = bits & 0x3ff
  if (exponent === 31) return part === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? part * 2 ** -24 : (1 + part / 1024) * 2 ** (exponent - 15))
}

export const brainToNumber = (bits: number): number =>
  new Float32Array(Uint32Array.of((bits & 0xffff) << 16).buffer)[0]!

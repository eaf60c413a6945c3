/** Which blocks of a model are somewhere, as `holds` has it: bit i of byte i >> 3 for block i. */

export const hasBlock = (bits: Uint8Array, block: number): boolean =>
  ((bits[block >> 3] ?? 0) & (1 << (block & 7))) !== 0

export const blockBits = (has: readonly boolean[]): Uint8Array<ArrayBuffer> => {
  const bits = new Uint8Array(Math.ceil(has.length / 8))
  for (const [block, is] of has.entries()) if (is) bits[block >> 3]! |= 1 << (block & 7)
  return bits
}

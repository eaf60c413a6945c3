/** Numbers as WGSL says them, for one lane and for four. */
import { fromBits } from './wgsl-math.ts'
import type { GpuElement } from './tensor.ts'
import type { WgslFunction } from './wgsl-function.ts'

const bitsOf = (x: number): number => new Uint32Array(Float32Array.of(x).buffer)[0]!

/** WGSL has no literals for NaN, the infinities and -0, and may not take subnormal ones. */
export const literalText = (element: GpuElement, x: number): [string, readonly WgslFunction[]] => {
  if (element === 'i32') return [`I(${integerText(x)})`, []]
  const f = Math.fround(x)
  const plain = Number.isFinite(f) && (Math.abs(f) >= 2 ** -126 || Object.is(f, 0))
  return plain ? [`F(${f}f)`, []] : [`from_bits(${bitsOf(f)}u)`, [fromBits]]
}

const integerText = (x: number): string => {
  const whole = Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x)))
  return whole === -(2 ** 31) ? 'i32(0x80000000u)' : String(whole)
}

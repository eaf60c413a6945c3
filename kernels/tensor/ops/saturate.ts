/** Numbers as quantised ones: the nearest whole number, halves to even, then the zero point, then the edges of the type. */
import { roundEven } from './special-functions.ts'
import type { ElementType } from '../tensor.ts'

const RANGES: Readonly<Partial<Record<ElementType, readonly [number, number]>>> = {
  i8: [-128, 127],
  u8: [0, 255],
  i16: [-32_768, 32_767],
  u16: [0, 65_535],
}

export const isQuantised = (element: ElementType): boolean => RANGES[element] !== undefined

/** @param element a quantised type */
export const saturate = (element: ElementType, x: number, zero: number): number => {
  const [low, high] = RANGES[element]!
  return Math.max(low, Math.min(high, roundEven(x) + zero))
}

/** The same in WGSL; `zero` is an I. */
export const saturateText = (element: ElementType, x: string, zero: string): string => {
  const [low, high] = RANGES[element]!
  return `I(clamp(round(${x}) + F(${zero}), F(${low}), F(${high})))`
}

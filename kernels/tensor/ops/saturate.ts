/** Numbers as quantised ones: the nearest whole number, halves to even, then the zero point, then the edges of the type. */
import { smallRange } from '../tensor.ts'
import { roundEven } from './special-functions.ts'
import type { ElementType } from '../tensor.ts'

export const isQuantised = (element: ElementType): boolean => smallRange(element) !== null

/** @param element a quantised type */
export const saturate = (element: ElementType, x: number, zero: number): number => {
  const [low, high] = smallRange(element)!
  return Math.max(low, Math.min(high, roundEven(x) + zero))
}

/** The same in WGSL; `zero` is an I. */
export const saturateText = (element: ElementType, x: string, zero: string): string => {
  const [low, high] = smallRange(element)!
  return `I(clamp(round(${x}) + F(${zero}), F(${low}), F(${high})))`
}

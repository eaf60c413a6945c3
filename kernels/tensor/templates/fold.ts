/** What a reduction does with two numbers, in WGSL, and what it begins with. */
import { fromBits, maxNan, minNan } from '../wgsl-math.ts'
import type { GpuElement } from '../tensor.ts'
import type { WgslFunction } from '../wgsl-function.ts'

export type Fold = 'sum' | 'prod' | 'max' | 'min'

export type FoldText = {
  readonly initial: string
  step(found: string, next: string): string
  readonly functions: readonly WgslFunction[]
}

export const foldText = (element: GpuElement, fold: Fold): FoldText => {
  const float = element === 'f32'
  switch (fold) {
    case 'sum':
      return { initial: float ? 'F(0.0)' : 'I(0)', step: (a, b) => `${a} + ${b}`, functions: [] }
    case 'prod':
      return { initial: float ? 'F(1.0)' : 'I(1)', step: (a, b) => `${a} * ${b}`, functions: [] }
    case 'max': {
      const initial = float ? 'from_bits(0xff800000u)' : 'I(i32(0x80000000u))'
      const step = (a: string, b: string): string => `${float ? 'max_nan' : 'max'}(${a}, ${b})`
      return { initial, step, functions: [fromBits, maxNan] }
    }
    case 'min': {
      const initial = float ? 'from_bits(0x7f800000u)' : 'I(0x7fffffff)'
      const step = (a: string, b: string): string => `${float ? 'min_nan' : 'min'}(${a}, ${b})`
      return { initial, step, functions: [fromBits, minNan] }
    }
  }
}

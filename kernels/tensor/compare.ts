/** Whether numbers agree within a tolerance, and how far apart they are at most. */
import type { Tolerance } from '../kernel.ts'
import { isFloat, sameShape } from './tensor.ts'
import type { Tensor } from './tensor.ts'

export type Comparison = {
  readonly agrees: boolean
  /** Largest difference of finite numbers. */
  readonly maxError: number
  /** The first place that differs too much, in words; empty if none does. */
  readonly why: string
}

/** |got - want| <= abs + rel * scale; integers must be equal, and so must be what is not finite. */
export const compareTensors = (got: Tensor, want: Tensor, tolerance: Tolerance): Comparison => {
  if (got.element !== want.element || !sameShape(got.shape, want.shape)) {
    const words = (t: Tensor): string => `${t.element}[${t.shape.join(', ')}]`
    return { agrees: false, maxError: Infinity, why: `${words(got)} in place of ${words(want)}` }
  }
  // What f32 cannot hold is infinite on a GPU, however small its error.
  const held = want.element === 'f32' ? Math.fround : (x: number): number => x
  let peak = 0
  for (const x of want.data) if (Number.isFinite(held(x))) peak = Math.max(peak, Math.abs(x))
  const float = isFloat(want.element)
  let maxError = 0
  let why = ''
  for (let i = 0; i < want.data.length; i++) {
    const [a, b] = [held(got.data[i]!), held(want.data[i]!)]
    const far = Math.abs(a - b)
    if (Number.isFinite(far)) maxError = Math.max(maxError, far)
    const scale = tolerance.scale === 'tensor' ? peak : Math.abs(b)
    const allowed = float ? tolerance.abs + tolerance.rel * scale : 0
    const same = Object.is(a, b) || a === b || (Number.isFinite(b) && far <= allowed)
    if (!same && why === '') why = `element ${i} is ${a} in place of ${b}`
  }
  return { agrees: why === '', maxError, why }
}

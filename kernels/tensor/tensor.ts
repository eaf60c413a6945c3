/** Tensors as a graph sees them: an element type, a shape, and numbers in row-major order. */
import { elements } from '../kernel.ts'

export const ELEMENT_TYPES = [
  ...(['f32', 'f64', 'f16', 'bf16', 'i64', 'i32', 'i16', 'i8', 'i4', 'i2'] as const),
  ...(['u64', 'u32', 'u16', 'u8', 'u4', 'u2', 'bool'] as const),
] as const
export type ElementType = (typeof ELEMENT_TYPES)[number]

export type Shape = readonly number[]
export type TensorType = { readonly element: ElementType; readonly shape: Shape }

/** Anything that holds numbers; integers of 64 bits are exact to 2^53 here, and to 32 bits on a GPU. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array
export type Tensor = TensorType & { readonly data: Numbers }

/** A GPU knows two: floats are f32 and all else is i32, a bool being 0 or 1. */
export type GpuElement = 'f32' | 'i32'

const FLOATS: ReadonlySet<ElementType> = new Set(['f32', 'f64', 'f16', 'bf16'])

export const isFloat = (element: ElementType): boolean => FLOATS.has(element)
export const gpuElement = (element: ElementType): GpuElement => (isFloat(element) ? 'f32' : 'i32')

export const sizeOf = ({ shape }: { readonly shape: Shape }): number => elements(shape)

/** Steps between neighbours along each dimension of a tensor that lies in row-major order. */
export const rowMajor = (shape: Shape): number[] => {
  const strides: number[] = []
  let step = 1
  for (const size of shape.toReversed()) {
    strides.unshift(step)
    step *= size
  }
  return strides
}

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i])

/** The shape that all shapes stretch to, as ONNX and NumPy broadcast; null where they do not fit. */
export const broadcast = (...shapes: readonly Shape[]): Shape | null => {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  const sizes = Array.from({ length: rank }, (_, i) => {
    const found = shapes.map((shape) => shape[shape.length - rank + i] ?? 1)
    const size = found.find((candidate) => candidate !== 1) ?? 1
    return found.every((candidate) => candidate === 1 || candidate === size) ? size : null
  })
  return sizes.every((size) => size !== null) ? sizes : null
}

/** Bits of whole numbers that are held in more than they have. */
const SMALL: Readonly<Partial<Record<ElementType, number>>> = {
  ...{ i16: 16, i8: 8, i4: 4, i2: 2 },
  ...{ u16: 16, u8: 8, u4: 4, u2: 2 },
}

/** The smallest and the largest whole number of a type of fewer than 32 bits; null for other types. */
export const smallRange = (element: ElementType): readonly [number, number] | null => {
  const bits = SMALL[element]
  if (bits === undefined) return null
  return element.startsWith('i') ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]
}

/** How many of its 32 bits a small whole number leaves unused. */
export const unusedBits = (element: ElementType): number => 32 - (SMALL[element] ?? 32)

/** What an element of this type holds after a number was stored in it. Floats stay as they are. */
export const narrow = (element: ElementType, x: number): number => {
  switch (element) {
    case 'f32':
    case 'f64':
    case 'f16':
    case 'bf16':
      return x
    case 'bool':
      return x === 0 ? 0 : 1
    case 'i2':
    case 'i4':
    case 'i8':
    case 'i16':
      return (x << unusedBits(element)) >> unusedBits(element)
    case 'u2':
    case 'u4':
    case 'u8':
    case 'u16':
      return (x << unusedBits(element)) >>> unusedBits(element)
    case 'i32':
      return x | 0
    case 'u32':
      return x >>> 0
    case 'i64':
    case 'u64':
      return Math.trunc(x)
  }
}

export const tensor = (
  element: ElementType,
  shape: Shape,
  data: readonly number[] | Numbers,
): Tensor => ({ element, shape, data: data instanceof Array ? Float64Array.from(data) : data })

/** A tensor's numbers as a GPU holds them; integers that do not fit 32 bits end at the edge. */
export const toGpu = ({
  element,
  data,
}: Tensor): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> => {
  if (isFloat(element)) return Float32Array.from(data)
  const [low, high] = element === 'u32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1]
  return Int32Array.from(data, (x) => Math.min(high, Math.max(low, x)))
}

/** Back from the bytes of a GPU buffer. */
export const fromGpu = (type: TensorType, bytes: ArrayBuffer): Tensor => {
  const size = sizeOf(type)
  if (isFloat(type.element)) return { ...type, data: new Float32Array(bytes, 0, size) }
  const words = new Int32Array(bytes, 0, size)
  if (type.element !== 'u32') return { ...type, data: words }
  return { ...type, data: Float64Array.from(words, (x) => x >>> 0) }
}

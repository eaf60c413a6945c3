/**
 * What can be computed, exactly. A kernel is one stem of three files: a complete WGSL shader, its
 * definition with a plain CPU reference, and a test. This room imports only itself and could be
 * published as it is: plain numbers with unit suffixes stand where the rest of the house brands.
 */

export type DType = 'f32' | 'i32' | 'u32' | 'i8' | 'u8'
export type TensorType = { readonly dtype: DType; readonly shape: readonly number[] }
export type TensorData = Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array
export type Tensor = TensorType & { readonly data: TensorData }

/** What travels with a task: integers and text only, so that every encoder makes the same bytes. */
export type ParamValue = number | string | readonly number[]
export type Params = Readonly<Record<string, ParamValue>>
export type ParamError = {
  readonly code: 'bad-param'
  readonly param: string
  readonly expected: string
  readonly found: string
}
export type Parsed<P> =
  | { readonly ok: true; readonly value: P }
  | { readonly ok: false; readonly error: ParamError }

/**
 * How a result is checked by someone who does not want to compute all of it again.
 * - `freivalds`: C x = A (B x) for secret random x, drawn after the commitment.
 * - `bit-equality`: sampled items are computed again and every bit must agree.
 * - `sampled`: sampled items are computed again in float64 and must agree within the tolerance.
 * - `recompute`: all of it is computed again (only where that is cheaper than moving the data).
 * - `op-by-op`: a part of a model, each operator by what is cheapest; its result shows what that takes.
 * - `replicas`: nobody can foretell it; the results of different nodes have to agree.
 */
export type Check = 'freivalds' | 'bit-equality' | 'sampled' | 'recompute' | 'op-by-op' | 'replicas'

/** |got - want| <= abs + rel * scale, scale = |want| per element, or the largest |want| per tensor. */
export type Tolerance = {
  readonly abs: number
  readonly rel: number
  readonly scale: 'element' | 'tensor'
}

/**
 * What an honest device may answer for one element, where that depends on the data: any number in
 * [low, high] (infinities included when the bound reaches past the largest f32), and NaN if `nan`.
 */
export type Range = { readonly low: number; readonly high: number; readonly nan: boolean }

/** How one slice of a task is laid on a GPU. */
export type Dispatch = {
  /** Workgroups in x, y, z for the items of this slice. */
  readonly grid: readonly [number, number, number]
  /** The shader's uniform block `params`, at binding 0. */
  readonly uniforms: ArrayBuffer
}

export type KernelCase = {
  readonly name: string
  readonly params: Params
  /** Inputs of the case, made on the spot from a seed; never stored. */
  readonly inputs: () => Tensor[]
}

/** What all have in common, whatever they run on. */
export type Kernel<P = unknown> = {
  /** Name and version: `matmul@1`. Any change to the numbers it makes is a new version. */
  readonly id: string
  readonly title: string
  /** Accepts what came over the wire, or says which field is wrong. Nothing below is called before. */
  parse(params: Params): Parsed<P>
  inputs(p: P): readonly TensorType[]
  output(p: P): TensorType
  /** Operations of the whole task; a multiply-add is two. From shapes only. */
  costFlop(p: P): number
  /** Bytes read and written once per operand. From shapes only. */
  costBytes(p: P): number
  /** A task is sliced and sampled by item: an output row, pixel or element. Items are independent. */
  items(p: P): number
  /** Output elements per item; items lie one after another in the output. */
  itemLength(p: P): number
  /** Writes items [from, to) to `out` (which holds just those items), computing in float64 or in exact integers. */
  reference(p: P, inputs: readonly TensorData[], from: number, to: number, out: TensorData): void
  readonly check: Check
  /** Absent where results must agree to the bit. */
  readonly tolerance?: Tolerance
  /** Where one tolerance cannot fit all data: decides in place of `tolerance`. Only for itemLength 1. */
  range?(p: P, inputs: readonly TensorData[], item: number): Range
}

/** A kernel that is one shader. */
export type ShaderKernel<P = unknown> = Kernel<P> & {
  /** Stem of the shader, `matmul` for `matmul.wgsl`; bindings: 0 params, 1.. inputs, last the output. */
  readonly shader: string
  /** Buffers are padded with zeros to a multiple of this many bytes; 4 if absent (16 for vec4 views). */
  readonly padding?: 4 | 16
  /** Where a CPU that plays GPU does worse than the reference: a software adapter is then passed by. */
  fasterOnCpu?(p: P): boolean
  /** Name of the shader's entry point for these parameters; `main` if absent. */
  entry?(p: P): string
  /** Slices begin at multiples of this many items; 1 if absent. Any such split gives the same bytes. */
  grain?(p: P): number
  /** Source to use instead of the file's where part of it is made from the parameters (map). */
  specialise?(source: string, p: P): string
  dispatch(p: P, from: number, to: number): Dispatch
  /** Workgroup storage and invocations stay within WebGPU's default limits. */
  readonly workgroup: readonly [number, number, number]
  readonly cases: readonly KernelCase[]
}

/** The storage binding every WebGPU adapter has to offer: 2^27 bytes. No tensor is larger. */
export const MAX_TENSOR_BYTES = 0x800_0000

const BYTES: Record<DType, number> = { f32: 4, i32: 4, u32: 4, i8: 1, u8: 1 }

export const dtypeBytes = (dtype: DType): number => BYTES[dtype]

export const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

export const tensorBytes = (type: TensorType): number => elements(type.shape) * BYTES[type.dtype]

export const allocate = (dtype: DType, length: number): TensorData => {
  switch (dtype) {
    case 'f32':
      return new Float32Array(length)
    case 'i32':
      return new Int32Array(length)
    case 'u32':
      return new Uint32Array(length)
    case 'i8':
      return new Int8Array(length)
    case 'u8':
      return new Uint8Array(length)
  }
}

/** Sees bytes as elements; copies only where the bytes are not aligned. */
export const viewAs = (dtype: DType, bytes: Uint8Array): TensorData => {
  const size = BYTES[dtype]
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  const length = Math.floor(aligned.byteLength / size)
  const { buffer, byteOffset } = aligned
  switch (dtype) {
    case 'f32':
      return new Float32Array(buffer, byteOffset, length)
    case 'i32':
      return new Int32Array(buffer, byteOffset, length)
    case 'u32':
      return new Uint32Array(buffer, byteOffset, length)
    case 'i8':
      return new Int8Array(buffer, byteOffset, length)
    case 'u8':
      return new Uint8Array(buffer, byteOffset, length)
  }
}

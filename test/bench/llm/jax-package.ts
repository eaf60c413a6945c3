/** What we use of jax-js for the language model, as types: the package is not installed where types are checked. */

export type JaxArray = {
  readonly ref: JaxArray
  mul(other: JaxArray | number): JaxArray
  add(other: JaxArray | number): JaxArray
  sub(other: JaxArray): JaxArray
  div(other: JaxArray): JaxArray
  reshape(shape: readonly number[]): JaxArray
  data(): Promise<Float32Array>
  dispose(): void
}

/** Arrays in lists and objects, however deep. */
export type Tree = JaxArray | readonly Tree[] | { readonly [name: string]: Tree }

export type Jax = {
  init(device: 'webgpu'): Promise<unknown>
  defaultDevice(device: 'webgpu'): unknown
  blockUntilReady(arrays: Tree): Promise<unknown>
  jit<T extends Tree, A extends readonly Tree[]>(formula: (...given: A) => T): (...given: A) => T
  readonly tree: { ref<T extends Tree>(tree: T): T; dispose(tree: Tree): void }
  readonly numpy: {
    readonly int32: unknown
    array(
      data: Float32Array | Int32Array | readonly number[],
      options: { shape?: readonly number[]; dtype?: unknown },
    ): JaxArray
    matmul(a: JaxArray, b: JaxArray): JaxArray
    take(x: JaxArray, at: JaxArray, axis: number): JaxArray
    mean(x: JaxArray, axis: number, options: { keepdims: boolean }): JaxArray
    sqrt(x: JaxArray): JaxArray
    split(x: JaxArray, parts: number | readonly number[], axis: number): JaxArray[]
    concatenate(parts: readonly JaxArray[], axis: number): JaxArray
    where(condition: JaxArray, x: JaxArray, y: JaxArray): JaxArray
    equal(a: JaxArray, b: JaxArray): JaxArray
  }
  readonly nn: {
    silu(x: JaxArray): JaxArray
    dotProductAttention(
      q: JaxArray,
      k: JaxArray,
      v: JaxArray,
      options: { isCausal?: boolean },
    ): JaxArray
  }
}

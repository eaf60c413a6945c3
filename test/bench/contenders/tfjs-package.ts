/** What we use of TensorFlow.js, as types: the package is not installed where types are checked. */

export type TfTensor = {
  readonly shape: readonly number[]
  data(): Promise<Float32Array>
  dispose(): void
}

export type Tf = {
  setBackend(name: 'webgpu'): Promise<boolean>
  ready(): Promise<void>
  env(): { set(flag: string, value: boolean): void }
  /** Its queue is private: it batches what it is given, and nothing public sends it off. */
  backend(): {
    readonly queue: GPUQueue
    readonly commandEncoder: unknown
    endComputePassEncoder(): void
    submitQueue(): void
  }
  tidy(work: () => TfTensor): TfTensor
  tensor(data: Float32Array, shape: readonly number[]): TfTensor
  matMul(a: TfTensor, b: TfTensor, turnA?: boolean, turnB?: boolean): TfTensor
  softmax(x: TfTensor): TfTensor
  moments(x: TfTensor, axis: number, keep: boolean): { mean: TfTensor; variance: TfTensor }
  rsqrt(x: TfTensor): TfTensor
  add(a: TfTensor, b: TfTensor | number): TfTensor
  sub(a: TfTensor, b: TfTensor | number): TfTensor
  mul(a: TfTensor, b: TfTensor | number): TfTensor
  sum(x: TfTensor): TfTensor
  conv2d(x: TfTensor, w: TfTensor, strides: number, pad: 'same'): TfTensor
  readonly fused: {
    matMul(asked: { a: TfTensor; b: TfTensor; bias: TfTensor; activation?: 'relu' }): TfTensor
  }
}

/** What we use of jax-js, as types: the package is not installed where types are checked. */

export type JaxArray = {
  readonly ref: JaxArray
  mul(other: JaxArray | number): JaxArray
  add(other: JaxArray | number): JaxArray
  data(): Promise<Float32Array>
  dispose(): void
}

export type Jax = {
  init(device: 'webgpu'): Promise<unknown>
  defaultDevice(device: 'webgpu'): unknown
  getWebGPUDevice(): GPUDevice
  blockUntilReady(arrays: readonly JaxArray[]): Promise<unknown>
  jit(formula: (...inputs: JaxArray[]) => JaxArray): (...inputs: JaxArray[]) => JaxArray
  readonly numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray
    matmul(a: JaxArray, b: JaxArray): JaxArray
    swapaxes(x: JaxArray, a: number, b: number): JaxArray
    sum(x: JaxArray): JaxArray
  }
  readonly nn: {
    softmax(x: JaxArray, axis: number): JaxArray
    relu(x: JaxArray): JaxArray
    standardize(x: JaxArray, axis: number, options: { epsilon: number }): JaxArray
  }
  readonly lax: {
    conv(x: JaxArray, w: JaxArray, strides: readonly number[], padding: 'SAME'): JaxArray
  }
}

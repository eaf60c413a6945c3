/** jax-js: each subject is one `jit`. Arrays are consumed by what they are given to, hence `ref`. */
import { PEERS, type Contender } from '../contender.ts'

export type JaxArray = {
  readonly ref: JaxArray
  mul(other: JaxArray | number): JaxArray
  add(other: JaxArray | number): JaxArray
  data(): Promise<Float32Array>
  dispose(): void
}

/** What we use of it; the package is not installed where types are checked. */
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

export const openJax = async (): Promise<Contender> => {
  const url = `${PEERS}/@jax-js/jax/dist/index.js`
  const jax = (await import(/* @vite-ignore */ url)) as Jax
  await jax.init('webgpu')
  jax.defaultDevice('webgpu')
  const { queue } = jax.getWebGPUDevice()
  return {
    name: 'jax-js',
    gpu: true,
    async prepare(subject) {
      const inputs = subject.inputs.map(({ data, shape }) =>
        jax.numpy.array(data as Float32Array, { shape }),
      )
      const formula = jax.jit((...given) => subject.jax(jax, given))
      const once = (): JaxArray => formula(...inputs.map(({ ref }) => ref))
      return {
        async run(times) {
          const found = Array.from({ length: times }, once)
          await jax.blockUntilReady(found)
          await queue.onSubmittedWorkDone()
          for (const each of found) each.dispose()
        },
        read: () => once().data(),
        close: () => inputs.forEach((input) => input.dispose()),
      }
    },
  }
}

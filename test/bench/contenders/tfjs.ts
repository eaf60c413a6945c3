/** TensorFlow.js on its WebGPU backend, as its own script tags bring it. */
import { PEERS, type Contender } from '../contender.ts'
import { turned } from '../turned.ts'
import type { Tf, TfTensor } from './tfjs-package.ts'

const scriptTag = (url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const tag = document.createElement('script')
    tag.src = url
    tag.addEventListener('load', () => resolve())
    tag.addEventListener('error', () => reject(new Error(`${url} did not load`)))
    document.head.append(tag)
  })

export const openTfjs = async (): Promise<Contender> => {
  await scriptTag(`${PEERS}/@tensorflow/tfjs-core/dist/tf-core.min.js`)
  await scriptTag(`${PEERS}/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js`)
  const { tf } = globalThis as unknown as { tf: Tf }
  await tf.setBackend('webgpu')
  await tf.ready()
  // Else what is small runs on the CPU.
  tf.env().set('WEBGPU_CPU_FORWARD', false)
  const done = async (): Promise<void> => {
    const backend = tf.backend()
    if (backend.commandEncoder !== null && backend.commandEncoder !== undefined) {
      backend.endComputePassEncoder()
      backend.submitQueue()
    }
    await backend.queue.onSubmittedWorkDone()
  }
  return {
    name: 'tfjs',
    gpu: true,
    async prepare(subject) {
      const orders = subject.tfjsOrders
      const inputs = subject.inputs.map(({ data, shape }, i) => {
        const order = orders?.inputs[i]
        const moved =
          order === undefined ? { shape, data: data as Float32Array } : turned(shape, data, order)
        return tf.tensor(moved.data, moved.shape)
      })
      const once = (): TfTensor => tf.tidy(() => subject.tfjs(tf, inputs))
      return {
        async run(times) {
          const found = Array.from({ length: times }, once)
          await done()
          for (const each of found) each.dispose()
        },
        async read() {
          const found = once()
          const data = await found.data()
          found.dispose()
          return orders === undefined ? data : turned(found.shape, data, orders.output).data
        },
        close: () => inputs.forEach((input) => input.dispose()),
      }
    },
  }
}

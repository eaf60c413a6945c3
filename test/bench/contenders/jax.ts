/** jax-js: each subject is one `jit`. Arrays are consumed by what they are given to, hence `ref`. */
import { PEERS, type Contender } from '../contender.ts'
import type { Jax, JaxArray } from './jax-package.ts'

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

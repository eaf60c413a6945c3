/** A driver that compiles for minutes stalls nobody: the CPU answers, and the shaders are there later. */
import { expect, it } from 'vitest'
import { FREE } from '../../workers/runnable.ts'
import { TensorEngine } from '../../workers/tensor/engine.ts'
import { TensorRunner } from '../../workers/tensor/runner.ts'
import { trialOf } from '../../workers/tensor/trial.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { engine } from './device.ts'
import type { Gpu } from '../../workers/gpu/device.ts'

/** The same device, whose compiler says nothing until it is told to. */
const slow = (gpu: Gpu): { readonly gpu: Gpu; finish(): void } => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const device = new Proxy(gpu.device, {
    get(real, name) {
      const found: unknown = Reflect.get(real, name, real)
      if (name === 'createComputePipelineAsync')
        return async (asked: GPUComputePipelineDescriptor) => {
          await promise
          return real.createComputePipelineAsync(asked)
        }
      return typeof found === 'function' ? (found.bind(real) as unknown) : found
    },
  })
  return { gpu: { ...gpu, device }, finish: resolve }
}

const { bound, inputs } = trialOf('Add', [[4], [4]])

it.skipIf(engine === null)(
  'a compiler that takes long is an error with a code, until it is done',
  async () => {
    const { gpu, finish } = slow(engine!.runner.gpu)
    const runner = new TensorRunner(gpu)
    const program = lower(bound, engine!.target)
    const late = await runner.prepare(program, 20)
    expect(late).toMatchObject({ ok: false, error: { code: 'compiles-long' } })
    finish()
    const made = await runner.prepare(program, 60_000)
    if (!made.ok) throw new Error(made.error.detail)
    expect(await made.value.run(inputs)).toMatchObject({
      value: { outputs: [{ data: new Float32Array(4).fill(1) }] },
    })
    made.value.close()
  },
)

it.skipIf(engine === null)('the CPU answers where shaders are not there yet', async () => {
  const { gpu, finish } = slow(engine!.runner.gpu)
  const { target } = engine!
  const open = new TensorEngine({
    memoryBytes: 2 ** 26,
    threads: 1,
    gpu: async () => ({ ok: true, value: gpu }),
    choices: { get: async () => ({ target, measured: {} }), set: async () => undefined },
    compileMs: 20,
  })
  const prepared = await open.prepare(bound)
  if (!prepared.ok) throw new Error(prepared.error.detail)
  expect(prepared.value.kind).toBe('wasm')
  expect((await prepared.value.run(inputs, FREE)).ok).toBe(true)
  prepared.value.close()
  finish()
  const kindNow = async (): Promise<string> => {
    const again = await open.prepare(bound)
    if (!again.ok) return again.error.code
    again.value.close()
    return again.value.kind
  }
  await expect.poll(kindNow, { timeout: 60_000 }).toBe(target.family)
  open.close()
})

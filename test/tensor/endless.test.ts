/** What nobody could stop is not begun: a worker that is silent for long is ended, and given up after three times. */
import { expect, it } from 'vitest'
import { CpuRunner } from '../../workers/tensor/cpu-runner.ts'
import { FREE } from '../../workers/runnable.ts'
import { taskOf } from './rough-device.ts'

const prepared = async (taps: number) => {
  const cpu = await CpuRunner.open({ memoryBytes: 2 ** 28, threads: 1, referenceOnly: true })
  const lines = [
    'input x f32[1,1,65536] r0@0',
    `y = MaxPool(x) kernel_shape=[${taps}] # wide`,
    'output y',
  ]
  const params = { graph: lines.join('\n'), reads: 'f32', lengths: [65_536] }
  return cpu.prepare(taskOf(params).bound)
}

it('refuses an operator that a plain reference would be at for minutes, and says which', async () => {
  const detail = 'wide MaxPool would take too long without it'
  expect(await prepared(4096)).toMatchObject({ error: { code: 'needs-webgpu', detail } })
})

it('takes one that is done in a moment', async () => {
  const made = await prepared(2)
  if (!made.ok) throw new Error(made.error.detail)
  const x = { element: 'f32', shape: [1, 1, 65_536], data: new Float32Array(65_536) } as const
  expect((await made.value.run([x], FREE)).ok).toBe(true)
})

import { describe, expect, it, vi } from 'vitest'
import { err, ok } from '../base/result.ts'
import { cid } from '../base/ids.ts'
import type { Compute, ComputeTask } from '../ports.ts'
import { watchDevice } from './watch-device.ts'

const task: ComputeTask = { id: 'a/1', kernel: 'sum@1', params: {}, inputs: [] }
const answering = (code: string | null): Pick<Compute, 'run'> => ({
  run: async () =>
    code === null
      ? ok({ output: new Uint8Array(4), cid: cid('bafkreia'), computeMs: 1 })
      : err({ code, detail: '' }),
})
const lossesAfter = async (code: string | null): Promise<number> => {
  const lost = vi.fn<() => void>()
  const compute = watchDevice(answering(code) as Compute, lost)
  const done = await compute.run(
    task,
    () => 1,
    () => undefined,
  )
  expect(done.ok).toBe(code === null)
  return lost.mock.calls.length
}

describe('alice, whose graphics driver restarts', () => {
  it('is told when a task of bob fails by it', async () => {
    expect(await lossesAfter('device-lost')).toBe(1)
  })
  it('is left alone by tasks that are done, cancelled or wrong', async () => {
    expect(await lossesAfter(null)).toBe(0)
    expect(await lossesAfter('cancelled')).toBe(0)
    expect(await lossesAfter('bad-param')).toBe(0)
  })
})

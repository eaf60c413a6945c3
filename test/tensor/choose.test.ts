import { describe, expect, it } from 'vitest'
import { adapterKey, choose } from '../../workers/tensor/choose.ts'
import { inMemory } from '../../workers/tensor/choices.ts'
import { CpuRunner } from '../../workers/tensor/cpu-runner.ts'
import { engine } from './device.ts'
import type { Choice } from '../../workers/tensor/choices.ts'

const openCpu = (): Promise<CpuRunner> => CpuRunner.open({ memoryBytes: 2 ** 26, threads: 1 })

describe.skipIf(engine === null)('the choice of an engine', () => {
  it('takes what was measured to be the fastest, and keeps what it found', async () => {
    const choices = inMemory()
    const { runner } = engine!
    const { target, measured } = await choose(runner, openCpu, choices)
    const [best] = Object.entries(measured).toSorted(([, a], [, b]) => a - b)
    const name = best![0]
    if (target === null) expect(name).toBe('WebAssembly')
    else {
      expect(name.startsWith(target.family)).toBe(true)
      expect(name.includes('subgroups')).toBe(target.subgroup !== null && target.family !== 'gpu')
    }
    expect(await choices.get(adapterKey(runner.gpu.device))).toEqual({ target, measured })
  })

  it('tries the CPU too where the adapter is one', async () => {
    const { runner } = engine!
    const { measured } = await choose(runner, openCpu, inMemory())
    const { kind } = runner.gpu.adapter
    expect('WebAssembly' in measured).toBe(kind === 'software')
    expect('gpu' in measured).toBe(kind === 'gpu')
  })

  it('is not measured again where it is kept, so that anybody can force one', async () => {
    const choices = inMemory()
    const { runner } = engine!
    const forced: Choice = { target: { family: 'gpu', subgroup: null }, measured: {} }
    await choices.set(adapterKey(runner.gpu.device), forced)
    expect(await choose(runner, openCpu, choices)).toEqual(forced)
  })
})

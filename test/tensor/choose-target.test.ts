import { describe, expect, it } from 'vitest'
import { adapterKey, chooseTarget } from '../../workers/tensor/choose-target.ts'
import { engine } from './device.ts'
import type { Choice, Choices } from '../../workers/tensor/choose-target.ts'

const inMemory = (): Choices & { readonly kept: Map<string, Choice> } => {
  const kept = new Map<string, Choice>()
  return {
    kept,
    get: async (adapter) => kept.get(adapter),
    set: async (adapter, choice) => void kept.set(adapter, choice),
  }
}

describe.skipIf(engine === null)('the choice of kernels', () => {
  it('takes the family that was measured to be the fastest, and keeps what it found', async () => {
    const choices = inMemory()
    const { runner } = engine!
    const chosen = await chooseTarget(runner, choices)
    if (!chosen.ok) throw new Error(chosen.error.detail)
    const { target, measured } = chosen.value
    const times = Object.entries(measured).toSorted(([, a], [, b]) => a - b)
    if (times.length > 0) {
      const [name] = times[0]!
      expect(name.startsWith(target.family)).toBe(true)
      expect(name.includes('subgroups')).toBe(target.subgroup !== null && target.family !== 'gpu')
    }
    expect(choices.kept.get(adapterKey(runner.device))).toEqual(chosen.value)
  })

  it('is not measured again where it is kept, so that anybody can force one', async () => {
    const choices = inMemory()
    const { runner } = engine!
    const forced: Choice = { target: { family: 'gpu', subgroup: null }, measured: {} }
    choices.kept.set(adapterKey(runner.device), forced)
    expect(await chooseTarget(runner, choices)).toEqual({ ok: true, value: forced })
  })
})

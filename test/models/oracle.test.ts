/** A real model against answers computed elsewhere in float64, in every form in which it is published here. */
import { describe, expect, it } from 'vitest'
import { distance, engines, modelAt, stagesOf, tell } from './engines.ts'
import { oracle } from './oracle.ts'
import type { EngineName } from '../../relay/tensor-engines.ts'
import type { Oracle } from './oracle.ts'

const FORMS = [
  { form: 'safetensors', file: '', type: 'F32' },
  { form: 'GGUF in F32', file: 'stories260K.F32.gguf', type: 'F32' },
  { form: 'GGUF in Q8_0', file: 'stories260K.Q8_0.gguf', type: 'Q8_0' },
  { form: 'GGUF in Q4_0', file: 'stories260K.Q4_0.gguf', type: 'Q4_0' },
] as const

/** What is cut where has nothing to do with the engine; a software adapter is slow. */
const STAGES: Readonly<Record<EngineName, readonly number[]>> = {
  cpu: [1, 2, 3, 5],
  webgpu: [1, 3],
}

/** All that the oracle has said where nothing is cut; cuts change nothing that so many tokens would not show. */
const lengthOf = (name: EngineName, form: string, count: number): number => {
  if (name === 'cpu') return count === 1 ? 64 : 12
  return count === 1 && form === 'safetensors' ? 24 : 6
}

/** Observed were 1.2e-5 at most. */
const LOGITS_OFF = 1e-3

const { folder, cases }: Oracle = oracle ?? { folder: '', cases: [] }

describe.skipIf(oracle === null).each(engines)('on %s', (name, engine) => {
  describe.each(FORMS)('$form', ({ form, file, type }) => {
    it.each(STAGES[name])('answers as the oracle does in %i stages', async (count) => {
      const model = await modelAt(`${folder}/${file}`)
      const tokens = lengthOf(name, form, count)
      for (const { prompt, prompt_ids, greedy } of cases) {
        const stages = await stagesOf(model, count, engine)
        const told = await tell({ ...model, stages, prompt, tokens })
        const expected = greedy[type]
        expect(told.error).toBeNull()
        expect(told.promptIds).toEqual(prompt_ids)
        expect(told.ids).toEqual(expected.new_ids.slice(0, tokens))
        expect(distance(told.logits, expected.logits_after_prompt)).toBeLessThan(LOGITS_OFF)
        const isAll = tokens === expected.new_ids.length
        if (isAll) expect(prompt + told.text).toBe(expected.text)
        else expect(expected.text.startsWith(prompt + told.text)).toBe(true)
      }
    })
  })
})

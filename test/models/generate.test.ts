/** How an answer begins, ends and is drawn, whatever computes it. */
import { describe, expect, it } from 'vitest'
import { openModel, type Model } from '../../src/models/open-model.ts'
import { distance, engines, given, modelAt, stagesOf, tell } from './engines.ts'
import { MADE, madeModel } from './made-model.ts'
import { oracle } from './oracle.ts'
import { plainLogits } from './plain-llama.ts'
import type { Generation } from '../../src/models/generate.ts'
import type { Sampling } from '../../src/models/sampling.ts'
import type { StageSession } from '../../src/models/stage-session.ts'

const [, cpu] = engines[0]!
const LONG = { ...MADE, max_position_embeddings: 400 }
const made = madeModel(LONG, { layout: 'hf', types: ['F32'], seed: 11 })
const open = async (): Promise<Model> => given(await openModel(made.files))

const say = async (model: Model, asked: Partial<Generation>, stages = 1) =>
  tell({
    ...model,
    prompt: 'a',
    tokens: 8,
    ...asked,
    stages: await stagesOf(model, stages, cpu),
  })

const withContext = (model: Model, context: number): Model => ({
  ...model,
  config: { ...model.config, context },
})

describe('an answer', () => {
  it('goes on correctly where tables of keys have to grow, after a prompt in several runs', async () => {
    const prompt = 'Zug um Zug '.repeat(23)
    const told = await say(await open(), { prompt, tokens: 6 }, 2)
    expect(told.error).toBeNull()
    expect(told.promptIds).toHaveLength(253)
    expect(distance(told.logits, plainLogits(made, told.promptIds))).toBeLessThan(1e-3)
    const all = [...told.promptIds, ...told.ids]
    for (let at = 253; at < 259; at++) {
      const logits = plainLogits(made, all.slice(0, at))
      expect(all[at]).toBe(logits.indexOf(Math.max(...logits)))
    }
  })

  it('fills the context and stops there', async () => {
    const model = withContext(await open(), 24)
    const told = await say(model, { prompt: 'grüße, 世界', tokens: 1000 })
    expect(told.error).toBeNull()
    // The last token is told and never looked at.
    expect(told.promptIds.length + told.ids.length).toBe(25)
  })

  it('may begin where the context is full already', async () => {
    const told = await say(withContext(await open(), 5), { prompt: '12345', tokens: 9 })
    expect(told).toMatchObject({ error: null, promptIds: { length: 5 }, ids: { length: 1 } })
  })

  it('stops at the token that ends it, which is no text', async () => {
    const model = await open()
    const plain = await say(model, { prompt: 'stop', tokens: 5 })
    const end = plain.ids[2]!
    const told = await say(
      { ...model, config: { ...model.config, eos: [end] } },
      { prompt: 'stop', tokens: 5 },
    )
    expect(told.ids).toEqual(plain.ids.slice(0, plain.ids.indexOf(end) + 1))
  })

  it('is refused before anything is computed', async () => {
    const model = withContext(await open(), 5)
    const refused = async (asked: Partial<Generation>) => {
      const step = () => Promise.reject(new Error('computed'))
      const stage = { step, choose: step, close: () => undefined }
      const told = await tell({ ...model, prompt: 'a', tokens: 8, ...asked, stages: [stage] })
      expect(told.ids).toEqual([])
      return told.error?.code
    }
    expect(await refused({ prompt: '123456' })).toBe('prompt-too-long')
    expect(await refused({ prompt: '' })).toBe('empty-prompt')
    for (const odd of [{ temperature: -1 }, { temperature: NaN }, { topK: 0.5 }, { topP: 0 }])
      expect(await refused({ sampling: { ...DARING, ...odd } })).toBe('bad-sampling')
  })

  it('is an error where a stage fails, and ends with it', async () => {
    const model = await open()
    const [first] = await stagesOf(model, 1, cpu)
    let steps = 0
    const choose: StageSession['choose'] = async (asked, top) =>
      steps++ === 2
        ? { ok: false, error: { code: 'engine', detail: 'lost' } }
        : first!.choose(asked, top)
    const stage: StageSession = {
      step: (asked) => first!.step(asked),
      choose,
      close: () => first!.close(),
    }
    const told = await tell({ ...model, prompt: 'abc', tokens: 8, stages: [stage] })
    expect(told.error).toEqual({ code: 'engine', detail: 'lost' })
    expect(told.ids.length).toBeLessThan(8)
  })
})

const DARING: Sampling = { temperature: 1.5, topK: 40, topP: 0.95 }

describe('tokens that are drawn', () => {
  it('are the same for a seed in one stage and in three, and others for another', async () => {
    const model = await open()
    const drawn = async (seed: number, stages: number) =>
      (await say(model, { prompt: 'seed', sampling: DARING, seed, tokens: 12 }, stages)).ids
    const one = await drawn(5, 1)
    expect(await drawn(5, 3)).toEqual(one)
    expect(await drawn(6, 1)).not.toEqual(one)
  })
})

describe.skipIf(oracle === null)('the real model', () => {
  it('begins by itself where nothing is said', async () => {
    const model = await modelAt(oracle!.folder)
    const told = await say(model, { prompt: '', tokens: 6 })
    expect(told).toMatchObject({ error: null, promptIds: [1] })
    expect(told.text).toMatch(/^[A-Z][a-z]/)
  })

  it.each(['', 'stories260K.F32.gguf'])(
    'has the same tokens for any text from "%s"',
    async (file) => {
      const [model, other] = [
        await modelAt(oracle!.folder),
        await modelAt(`${oracle!.folder}/${file}`),
      ]
      for (const text of [
        'Grüße, 世界 🙂',
        '  two  spaces ',
        'a\nb\tc',
        '<s>',
        'Once</s>',
        '\u0000',
      ]) {
        const ids = given(model.tokenizer.encode(text))
        expect(given(other.tokenizer.encode(text))).toEqual(ids)
        expect(ids[0]).toBe(1)
      }
    },
  )
})

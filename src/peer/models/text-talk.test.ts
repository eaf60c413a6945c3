import { describe, expect, it } from 'vitest'
import { microCredits } from '../../base/units.ts'
import { ok } from '../../base/result.ts'
import { GREEDY } from '../../models/sampling.ts'
import type { Tokenizer } from '../../models/tokenizer/tokenizer.ts'
import type { ModelSource, Talk } from './session-view.ts'
import { beginText, type TextAsked } from './text-talk.ts'

/** Bytes of UTF-8 as tokens, so that a character may be spread over several. */
const bytewise: Tokenizer = {
  size: 257,
  encode: (text) => ok([...new TextEncoder().encode(text)]),
  decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids)),
}
const source: ModelSource = {
  manifest: {
    ...({ v: 1, kind: 'model', name: 'bytes', version: '1', license: 'mit' } as const),
    ...{ config: '{}', blocks: [], root: new Uint8Array(32) },
  },
  read: () => undefined,
}
const END = 256
const asked: TextAsked = {
  ...{
    config: { context: 12, eos: [END], vocabulary: 257 },
    tokenizer: bytewise,
    title: 'Bytes',
    prompt: 'abc',
  },
  ...{ tokens: 4, sampling: GREEDY, seed: 0, stages: 0, budget: microCredits(0) },
}

const begin = (change: Partial<TextAsked> = {}) => {
  const talks: Talk[] = []
  const told: unknown[] = []
  const handle = { talk: (talk: Talk) => `s${talks.push(talk)}` }
  const began = beginText(
    handle,
    source,
    { ...asked, ...change },
    {
      piece: (piece) => told.push(piece),
      rewound: (kept, text) => told.push({ kept, text }),
      ended: (problem) => told.push(problem),
    },
  )
  return { began, talks, told }
}

describe('a language model asked in text', () => {
  it('is asked in tokens, for free unless there is a budget', () => {
    const { began, talks } = begin()
    expect(began).toMatchObject({ ok: true, value: { session: 's1', promptIds: [97, 98, 99] } })
    expect(talks[0]).toMatchObject({ promptIds: [97, 98, 99], tokens: 4, price: 0 })
    expect(talks[0]).not.toHaveProperty('stages')
    const paid = begin({ budget: microCredits(5), stages: 3 }).talks[0]
    expect(paid).toMatchObject({ price: 1_000, budget: 5, stages: 3 })
  })

  it('tells a character once all of it is there, and what is left with the last token', () => {
    const { talks, told } = begin()
    const [e, u] = [...new TextEncoder().encode('é')]
    for (const id of [120, e!, u!, e!]) talks[0]!.token(id)
    talks[0]!.ended(null)
    expect(told).toEqual([
      { id: 120, text: 'x' },
      { id: e, text: '' },
      { id: u, text: 'é' },
      { id: e, text: '\ufffd' },
      null,
    ])
  })

  it.each([
    ['has no tokens', { promptIds: [], ids: [] }],
    ['begins with one that the model does not know', { promptIds: [97, 257], ids: [98] }],
    ['has come to one that the model does not know', { promptIds: [97], ids: [98, 2 ** 40] }],
  ])('is not asked to go on with a text that %s', (_, from) => {
    const { began, talks } = begin({ from, tokens: 8 })
    expect(began).toMatchObject({ ok: false, error: { code: 'bad-text' } })
    expect(talks).toEqual([])
  })

  it('ends with a token that is no text', () => {
    const { talks, told } = begin()
    talks[0]!.token(120)
    talks[0]!.token(END)
    expect(told).toEqual([
      { id: 120, text: 'x' },
      { id: END, text: '' },
    ])
  })

  it('is told again from where a node had lied', () => {
    const { talks, told } = begin()
    const [e, u] = [...new TextEncoder().encode('é')]
    for (const id of [120, e!, u!]) talks[0]!.token(id)
    talks[0]!.rewound(2)
    for (const id of [u!, 121]) talks[0]!.token(id)
    expect(told.slice(3)).toEqual([
      { kept: 2, text: 'x' },
      { id: u, text: 'é' },
      { id: 121, text: 'y' },
    ])
  })

  it('asks for no more than the context takes', () => {
    expect(begin({ tokens: 99 }).talks[0]!.tokens).toBe(10)
    expect(begin({ prompt: 'a'.repeat(12), tokens: 99 }).talks[0]!.tokens).toBe(1)
  })

  it('is refused before anybody is asked', () => {
    const codes = [
      begin({ prompt: '' }),
      begin({ prompt: 'a'.repeat(13) }),
      begin({ sampling: { ...GREEDY, topP: 0 } }),
    ].map(({ began, talks }) => [began.ok ? '' : began.error.code, talks.length])
    expect(codes).toEqual([
      ['empty-prompt', 0],
      ['prompt-too-long', 0],
      ['bad-sampling', 0],
    ])
  })
})

describe('a text that goes on from what there was', () => {
  const from = { promptIds: [97, 98, 99], ids: [120, 0xc3] }

  it('asks for the rest behind all that is there, and counts and tells all of it', () => {
    const { talks, told } = begin({ from, tokens: 5, seed: 7 })
    expect(talks[0]).toMatchObject({ promptIds: [97, 98, 99, 120, 0xc3], tokens: 3, drawn: 2 })
    for (const id of [0xa9, 121]) talks[0]!.token(id)
    // Half of a character was there before.
    expect(told).toEqual([
      { id: 0xa9, text: 'é' },
      { id: 121, text: 'y' },
    ])
    talks[0]!.rewound(0)
    expect(told.at(-1)).toEqual({ kept: 2, text: 'x' })
  })

  it('is refused where nothing is left to be asked for', () => {
    const nothing = { ok: false, error: { code: 'nothing-left' } }
    expect(begin({ from, tokens: 2 }).began).toMatchObject(nothing)
    const full = { promptIds: [97, 98, 99], ids: Array.from({ length: 10 }, () => 120) }
    expect(begin({ from: full, tokens: 40 }).began).toMatchObject(nothing)
  })
})

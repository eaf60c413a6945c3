/** The page in which the tensor engine and other libraries run one language model in turn. */
import { openJax } from './llm/jax.ts'
import { CACHED, makeModel, PROMPT } from './llm/model.ts'
import { openOrt } from './llm/ort.ts'
import { openOurs } from './llm/ours.ts'
import type { Asked, LlmContender } from './llm/contender.ts'

/** Short runs are repeated until they take this long: waiting alone is uncertain by some 2 ms. */
const ENOUGH_MS = 40
const MAX_TIMES = 16

/** Milliseconds of one token, and of the prompt. */
export type Times = { readonly decode: number; readonly prefill: number }
export type Described = { readonly name: string; readonly gpu: boolean }

const made = makeModel()
const cached = made.tokens.slice(0, CACHED)
const prompt = made.tokens.slice(0, PROMPT)
const next = made.tokens[CACHED]!
let contenders: readonly LlmContender[] = []

const timed = async (work: () => Promise<unknown>, times: number): Promise<number> => {
  const began = performance.now()
  for (let i = 0; i < times; i++) await work()
  return (performance.now() - began) / times
}

const repeated = async (work: () => Promise<unknown>): Promise<number> => {
  const once = await timed(work, 1)
  const times = Math.min(MAX_TIMES, Math.ceil(ENOUGH_MS / once))
  return times <= 1 ? once : timed(work, times)
}

/** Largest distance of two logits. */
const distance = (got: Float32Array, want: Float32Array): number => {
  if (got.length !== want.length) return Infinity
  return got.reduce((most, x, i) => {
    const away = Math.abs(x - want[i]!)
    return away <= most ? most : Number.isNaN(away) ? Infinity : away
  }, 0)
}

const of = (name: string): LlmContender => contenders.find((one) => one.name === name)!

const llm = {
  async open(): Promise<{ adapter: string; contenders: Described[] }> {
    const ours = await openOurs(made, 'webgpu')
    contenders = [
      ours,
      await openOurs(made, null),
      await openJax(made),
      await openOrt(made, 'webgpu'),
      await openOrt(made, 'wasm'),
    ]
    const described = contenders.map(({ name, gpu }) => ({ name, gpu }))
    return { adapter: ours.adapter, contenders: described }
  },
  /** Compiles, warms up, and says how far the logits of each are from ours. */
  async prepare(): Promise<Record<string, number>> {
    const differences: Record<string, number> = {}
    let ours: readonly Float32Array[] | null = null
    for (const one of contenders) {
      const prefilled = (await one.prefill(prompt)).slice()
      await one.say(cached)
      const logits = [prefilled, (await one.decode(next)).slice()]
      ours ??= logits
      differences[one.name] = Math.max(...logits.map((each, i) => distance(each, ours![i]!)))
      await one.decode(next)
    }
    return differences
  },
  /** One contender's part of a round. */
  async turn(name: string): Promise<Times> {
    const one = of(name)
    const decode = await repeated(() => one.decode(next))
    return { decode, prefill: await repeated(() => one.prefill(prompt)) }
  },
  /** What one token asks of the device. */
  async asked(name: string): Promise<Asked | null> {
    const one = of(name)
    const before = { ...one.asked?.() }
    await one.decode(next)
    const after = one.asked?.() ?? null
    if (after === null) return null
    return {
      dispatches: after.dispatches - (before.dispatches ?? 0),
      submits: after.submits - (before.submits ?? 0),
      readbacks: after.readbacks - (before.readbacks ?? 0),
    }
  },
}

export type LlmPage = typeof llm
Object.assign(globalThis, { llm })

/** A language model of a program's own over the nodes of a swarm: tokens as they come. */
import { openLanguageModel } from '../boot/language-model.ts'
import type { Joined } from '../boot/join.ts'
import { mayShare } from '../models/license.ts'
import { GREEDY, type Sampling } from '../models/sampling.ts'
import { beginText, type TextAsked } from '../peer/models/text-talk.ts'
import { microCredits, MICRO_PER_CREDIT, type MicroCredits } from '../base/units.ts'
import { orThrow, SwarmError } from './error.ts'

export type GenerateOptions = {
  /** A GGUF file, or the files of a folder as Hugging Face has it. */
  readonly model: File | Blob | readonly File[]
  readonly prompt: string
  /** New tokens at most; 64 if absent. */
  readonly tokens?: number
  /** `greedy`, which is usual, or how tokens are drawn; what is absent does not narrow the choice. */
  readonly sampling?: 'greedy' | Partial<Sampling>
  readonly seed?: number
  /** Nodes to spread over at most; as many as make it faster if absent. */
  readonly stages?: number
  /** You may pass the model on, whatever its license says: it is given to the nodes that compute it. */
  readonly share?: boolean
  /** The most it may cost: credits, or `free`, which is usual. */
  readonly budget?: number | 'free'
  /** Aborting stops it; what has come by then is paid. */
  readonly signal?: AbortSignal
}

export type Token = {
  readonly id: number
  /** What is certain to follow the text of the tokens before; may be empty. */
  readonly text: string
  /** 0, 1, 2 ... Where a node had lied it goes back: what was told from there on is withdrawn. */
  readonly at: number
}

/** Tokens that nobody has asked for yet wait here; a text that is not read stops at its own end. */
const TOKENS_MAX = 1_000_000

/**
 * @throws SwarmError bad-input, unreadable, wrong-tokenizer and what else is wrong with a model, may-not-share,
 *   prompt-too-long, empty-prompt, bad-sampling, nobody-came, no-room, over-budget, cancelled
 */
export async function* generateText(
  { handle }: Joined,
  options: GenerateOptions,
): AsyncGenerator<Token, void, undefined> {
  const { signal } = options
  const wish = wishOf(options)
  const files = Array.isArray(options.model) ? (options.model as File[]) : [options.model as Blob]
  if (files.length === 0 || !files.every((file) => file instanceof Blob))
    throw new SwarmError('bad-input', 'model: expected a File, a Blob or a list of Files')
  const { model, source } = orThrow(await openLanguageModel(files))
  const may = mayShare(model.license)
  if (may.kind === 'ask' && options.share !== true)
    throw new SwarmError(
      'may-not-share',
      `${may.why} With share: true you say that you may pass it on.`,
    )
  const made = orThrow(await source(() => undefined))
  if (signal?.aborted) throw cancelled(signal)
  const { config, tokenizer, name } = model
  const asked: TextAsked = { ...wish, config, tokenizer, title: name }
  const line = waitingLine<Token>()
  let at = 0
  const talk = orThrow(
    beginText(handle, made, asked, {
      piece: (piece) => line.push({ ...piece, at: at++ }),
      rewound: (kept) => void (at = kept),
      ended: (problem) => line.end(problem && new SwarmError(problem.code, problem.text)),
    }),
  )
  const stop = (): void => handle.stopTalk(talk.session)
  const abort = (): void => {
    stop()
    line.end(cancelled(signal!))
  }
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const next = await line.next()
      if (next === null) return
      yield next
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    // Whoever leaves the loop wants no more of it. One that has ended is not stopped by this.
    stop()
  }
}

const cancelled = (signal: AbortSignal): SwarmError =>
  new SwarmError('cancelled', 'The text was cancelled.', { cause: signal.reason })

type Wish = Pick<TextAsked, 'prompt' | 'tokens' | 'sampling' | 'seed' | 'stages' | 'budget'>

/** Callers without types may hand over anything. */
const wishOf = (options: GenerateOptions): Wish => {
  const { prompt, sampling = 'greedy', budget = 'free' } = options
  if (typeof prompt !== 'string')
    throw new SwarmError('bad-input', `prompt: expected a text, found ${typeof prompt}`)
  const whole = (
    name: 'tokens' | 'seed' | 'stages',
    usual: number,
    least: number,
    most: number,
  ) => {
    const value = options[name] ?? usual
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value
    throw new SwarmError(
      'bad-input',
      `${name}: expected a whole number from ${least} to ${most}, found ${value}`,
    )
  }
  return {
    prompt,
    tokens: whole('tokens', 64, 1, TOKENS_MAX),
    seed: whole('seed', 0, 0, 2 ** 32 - 1),
    stages: whole('stages', 0, 0, 1_024),
    sampling: sampling === 'greedy' ? GREEDY : { ...ALL, ...sampling },
    budget: budgetOf(budget),
  }
}

/** Any token, by its probability. */
const ALL: Sampling = { temperature: 1, topK: 0, topP: 1 }

const budgetOf = (budget: number | 'free'): MicroCredits => {
  if (budget === 'free') return microCredits(0)
  const micro = Math.round(budget * MICRO_PER_CREDIT)
  if (Number.isSafeInteger(micro) && micro >= 1) return microCredits(micro)
  throw new SwarmError('bad-input', `budget: expected credits or free, found ${budget}`)
}

/** What comes before somebody asks for it waits in line; nobody asks twice at once. */
const waitingLine = <T>() => {
  const waiting: T[] = []
  let isOver = false
  let problem: SwarmError | null = null
  let wake: () => void = () => undefined
  return {
    push(one: T): void {
      waiting.push(one)
      wake()
    },
    end(why: SwarmError | null): void {
      if (isOver) return
      isOver = true
      problem = why
      wake()
    },
    /** Null at the end. @throws what it ended with */
    async next(): Promise<T | null> {
      while (waiting.length === 0 && !isOver) await new Promise<void>((resolve) => (wake = resolve))
      const one = waiting.shift()
      if (one !== undefined) return one
      if (problem) throw problem
      return null
    },
  }
}

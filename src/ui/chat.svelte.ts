/**
 * A text that a model goes on with, as one sees it: the model that was brought, what is asked of it, and what has come.
 * It outlives the panel, so that a text goes on while one looks at something else.
 */
import { microCredits, MICRO_PER_CREDIT, type MicroCredits } from '../base/units.ts'
import type { Problem } from '../peer/view.ts'
import type { KeptText, OpenModel, TextGoing, TextWish } from './model-services.ts'
import type { Swarm } from './swarm.svelte.ts'
import { chat as t } from './text/chat.ts'

export type Manner = 'likeliest' | 'steady' | 'lively' | 'own'
type Drawn = Pick<TextWish, 'temperature' | 'topK' | 'topP'>

/** From the dullest to the most daring; the numbers are those that others call so. */
export const MANNERS: Readonly<Record<Exclude<Manner, 'own'>, Drawn>> = {
  likeliest: { temperature: 0, topK: 0, topP: 1 },
  steady: { temperature: 0.7, topK: 40, topP: 0.95 },
  lively: { temperature: 1, topK: 0, topP: 0.98 },
}
export const TOKENS_MAX = 4_096

export type Answer = {
  readonly prompt: string
  readonly text: string
  /** Tokens that were asked for, and that have come. */
  readonly wanted: number
  readonly made: number
  /** As the node's view names it; null before the nodes are asked. */
  readonly session: string | null
  readonly naming: number
  readonly over: boolean
  readonly problem: Problem | null
}

export class Chat {
  readonly #swarm: Swarm
  model = $state.raw<OpenModel | null>(null)
  /** The files that are being read. */
  opening = $state.raw<string | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** The person said that she may give this model to others. */
  maySend = $state.raw(false)
  prompt = $state<string>(t.example)
  tokens = $state(64)
  manner = $state<Manner>('likeliest')
  temperature = $state(0.8)
  topK = $state(40)
  topP = $state(0.95)
  seed = $state(0)
  stages = $state(0)
  free = $state(true)
  /** In credits. */
  budget = $state(1)
  answer = $state.raw<Answer | null>(null)
  /** What there is of the text that is shown, where more can follow. */
  unfinished = $state.raw<KeptText | null>(null)
  /** Those of earlier visits, the newest first. */
  texts = $state.raw<readonly KeptText[]>([])

  #going: TextGoing | null = null
  #turn = 0

  constructor(swarm: Swarm) {
    this.#swarm = swarm
  }

  get running(): boolean {
    return this.answer !== null && !this.answer.over
  }

  async open(files: readonly File[]): Promise<void> {
    const services = this.#swarm.services
    if (!services) return
    this.stop()
    if (files.length === 0) {
      this.problem = { code: 'no-files', text: t.model.nothing }
      return
    }
    const turn = ++this.#turn
    this.opening = files.length === 1 ? files[0]!.name : t.model.files(files.length)
    this.problem = null
    const opened = await services.openModel(files)
    if (turn !== this.#turn) return
    this.opening = null
    if (opened.ok) {
      this.model = opened.value
      this.maySend = opened.value.doubt === null
      // A text of an earlier visit waits for its model.
      if (this.unfinished === null) this.answer = null
    } else this.problem = opened.error
    this.#swarm.said = opened.ok ? t.said.open(opened.value.name) : opened.error.text
  }

  /** What a spec asks for goes into the form; which model, is for the person to say. */
  fill(wish: TextWish): void {
    const { prompt, tokens, temperature, topK, topP, seed, stages, budget } = wish
    Object.assign(this, { prompt, tokens, temperature, topK, topP, seed, stages })
    this.manner = temperature === 0 ? 'likeliest' : 'own'
    this.free = budget === 0
    if (budget > 0) this.budget = budget / MICRO_PER_CREDIT
  }

  close(): void {
    this.stop()
    this.#turn += 1
    this.model = null
    this.#show(null)
    this.problem = null
  }

  #show(text: KeptText | null): void {
    this.unfinished = text !== null && isUnfinished(text) ? text : null
    this.answer = text && {
      ...{ prompt: text.wish.prompt, text: text.text, wanted: text.wish.tokens },
      ...{ made: text.ids.length, session: null, naming: 0, over: true, problem: null },
    }
  }

  async readTexts(): Promise<void> {
    const found = await this.#swarm.services?.texts()
    if (found?.ok === true) this.texts = found.value
  }

  /** A text of an earlier visit is shown again, and the form is as it was. */
  show(text: KeptText): void {
    this.fill(text.wish)
    this.#show(text)
    this.problem = null
    this.#swarm.said = t.kept.shown(text.model.name)
  }

  /** One of them, or all. */
  async forget(text: KeptText | null): Promise<void> {
    const forgotten = await this.#swarm.services?.forgetText(text?.id ?? null)
    if (forgotten?.ok === false) this.problem = forgotten.error
    else this.#swarm.said = t.kept.forgotten
    await this.readTexts()
  }

  #drawn(): Drawn {
    const { temperature, topK, topP } = this
    return this.manner === 'own' ? { temperature, topK, topP } : MANNERS[this.manner]
  }

  get price(): MicroCredits {
    return microCredits(this.free ? 0 : Math.max(1, Math.round(this.budget * MICRO_PER_CREDIT)))
  }

  /** Begins, or goes on with what there is. */
  go(from: KeptText | null): void {
    const { model, prompt, tokens, seed, stages } = this
    if (!model || this.running) return
    const fresh = { prompt, text: '', wanted: tokens, made: 0, session: null, naming: 0 }
    this.answer = { ...(from && this.answer ? this.answer : fresh), over: false, problem: null }
    this.unfinished = null
    const change = (more: Partial<Answer>): void => {
      if (this.answer?.over === false) this.answer = { ...this.answer, ...more }
    }
    this.#swarm.said = t.said.begun
    this.#going = model.goOn(
      { prompt, tokens, seed, stages, budget: this.price, ...this.#drawn() },
      {
        naming: (naming) => change({ naming }),
        began: (session) => change({ session }),
        piece: (text) => {
          const { answer } = this
          if (answer) change({ text: answer.text + text, made: answer.made + 1 })
        },
        rewound: (made, text) => change({ made, text }),
        ended: (problem) => {
          if (this.answer?.over === false) this.#swarm.said = problem?.text ?? t.said.done
          change({ over: true, problem })
          if (problem) this.#mayGoOn(from)
        },
      },
      from,
    )
  }

  /** @param from what there was before, where it ended before it began */
  #mayGoOn(from: KeptText | null): void {
    const text = this.#going?.soFar() ?? from
    this.unfinished = text !== null && isUnfinished(text) ? text : null
  }

  stop(): void {
    if (!this.running) return
    this.#going?.stop()
    this.answer = { ...this.answer!, over: true }
    this.#mayGoOn(null)
    this.#swarm.said = t.said.stopped
  }

  /** What has come becomes the prompt. */
  takeUp(): void {
    if (this.answer) this.prompt = this.answer.prompt + this.answer.text
  }
}

/** More can follow. */
export const isUnfinished = ({ ids, over, wish }: KeptText): boolean =>
  !over && ids.length < wish.tokens

const chats = new WeakMap<Swarm, Chat>()

/** One for each page; it is made when the panel is opened for the first time. */
export const chatOf = (swarm: Swarm): Chat => {
  const known = chats.get(swarm)
  const chat = known ?? new Chat(swarm)
  if (!known) chats.set(swarm, chat)
  return chat
}

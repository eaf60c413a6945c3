/** A language model that somebody has brought to this page: what it is, and how it is asked. */
import type { JobId } from '../base/ids.ts'
import type { Result } from '../base/result.ts'
import type { MicroCredits } from '../base/units.ts'
import type { Problem } from '../peer/view.ts'

export type TextWish = {
  readonly prompt: string
  /** New tokens at most. */
  readonly tokens: number
  /** 0 takes the likeliest token always. */
  readonly temperature: number
  /** 0 for all. */
  readonly topK: number
  /** 1 for all. */
  readonly topP: number
  readonly seed: number
  /** Nodes at most; 0 for as many as make it faster. */
  readonly stages: number
  /** 0 asks for what nodes give away. */
  readonly budget: MicroCredits
}

/** A text as this browser keeps it, so that it can go on after a reload. */
export type KeptText = {
  readonly id: string
  readonly beganAt: number
  /** `root` names its weights, whatever the files are called. */
  readonly model: { readonly name: string; readonly root: string }
  readonly wish: TextWish
  /** What its receipts name: each time that it went on has its own. */
  readonly jobs: readonly JobId[]
  readonly promptIds: readonly number[]
  readonly ids: readonly number[]
  readonly text: string
  /** Nothing more follows. */
  readonly over: boolean
}

const TITLE_MAX = 80
type Titled = {
  readonly wish: Pick<TextWish, 'prompt'>
  readonly text: string
  readonly model: { readonly name: string }
}

const oneLine = (text: string): string => {
  const line = text.trim().replaceAll(/\s+/g, ' ')
  // Half of a character would be left over.
  const cut = line.slice(0, TITLE_MAX - 1).replace(/[\ud800-\udbff]$/, '')
  return line.length > TITLE_MAX ? `${cut}…` : line
}

/** What a text is called by, on one line: how it begins, and it may begin with nothing. */
export const titleOf = ({ wish, text, model }: Titled): string =>
  oneLine(wish.prompt) || oneLine(text) || model.name

export type TextGoing = {
  stop(): void
  /** Null before there is anything to keep. */
  soFar(): KeptText | null
}

export type TextNews = {
  /** The model's parts are being named, before anybody is asked. */
  naming(permille: number): void
  /** As `View.sessions` names it. */
  began(session: string): void
  piece(text: string): void
  /** A node had lied: only the first `made` tokens stand, those from before among them, and `text` is theirs. */
  rewound(made: number, text: string): void
  /** Null: all tokens are there, or the model has ended its answer. */
  ended(problem: Problem | null): void
}

export type OpenModel = {
  readonly name: string
  readonly bytes: number
  readonly layers: number
  /** Tokens that it can look at. */
  readonly context: number
  /** As its files say it; empty where they say nothing. */
  readonly license: string
  /** Why a person is to say whether it may be given to others; null where its licence says so. */
  readonly doubt: string | null
  /** How many tokens a prompt has, or why the model cannot go on with it. */
  measure(prompt: string): Result<number, Problem>
  /** Goes on with a text over the nodes that are there. @param from what there is of it; of the wish only nodes and budget count then */
  goOn(wish: TextWish, news: TextNews, from: KeptText | null): TextGoing
}

export type ModelServices = {
  /** The last texts, the newest first. */
  texts(): Promise<Result<readonly KeptText[], Problem>>
  /** One of them, or all. */
  forgetText(id: string | null): Promise<Result<null, Problem>>
  /** One GGUF file, or the files of a folder. Nothing large is read. */
  openModel(files: readonly File[]): Promise<Result<OpenModel, Problem>>
}

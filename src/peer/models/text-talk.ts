/**
 * A language model asked in text: what the command line, programs and the page have in common. The prompt becomes
 * tokens, the nodes are asked to go on, and what comes back becomes text as soon as it can no longer change.
 */
import type { JobId } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { MicroCredits } from '../../base/units.ts'
import { PRICE_MILLI_MAX } from '../../core/price.ts'
import { readPrompt, roomAfter } from '../../models/read-prompt.ts'
import { checkSampling } from '../../models/sampling.ts'
import { textStream } from '../../models/tokenizer/text-stream.ts'
import type { LlamaConfig } from '../../models/llama/config.ts'
import type { Sampling } from '../../models/sampling.ts'
import type { Tokenizer } from '../../models/tokenizer/tokenizer.ts'
import type { PortError } from '../../ports.ts'
import { talkJob } from '../../spec/talk.ts'
import type { NodeHandle } from '../view.ts'
import type { ModelSource, SessionId, SessionProblem } from './session-view.ts'

/** One token; the text is what is certain to follow what was told before, and may be empty. */
export type TextPiece = { readonly id: number; readonly text: string }

export type TextAsked = {
  readonly config: Pick<LlamaConfig, 'context' | 'eos' | 'vocabulary'>
  readonly tokenizer: Tokenizer
  readonly title: string
  readonly prompt: string
  /** What there is of it from before: it goes on behind that. */
  readonly from?: { readonly promptIds: readonly number[]; readonly ids: readonly number[] }
  /** New tokens at most, those from before among them; fewer where the context is full, or the model ends its answer. */
  readonly tokens: number
  readonly sampling: Sampling
  readonly seed: number
  /** 0 for as many as there are, and make it faster. */
  readonly stages: number
  /** The most it may cost; 0 asks for what nodes give away. */
  readonly budget: MicroCredits
}

export type TextEvents = {
  /** Once, before the first token. */
  prompted?(logits: Float32Array): void
  piece(piece: TextPiece): void
  /** A node had lied: only the first `kept` tokens stand, those from before among them, and `text` is theirs. */
  rewound(kept: number, text: string): void
  ended(problem: SessionProblem | null): void
}

export type TextTalk = {
  readonly session: SessionId
  readonly job: JobId
  readonly promptIds: readonly number[]
}

/** Whether it can be asked at all, before a large file is read. @error prompt-too-long, empty-prompt, bad-sampling */
export const checkText = ({
  config,
  tokenizer,
  prompt,
  sampling,
}: Pick<TextAsked, 'config' | 'tokenizer' | 'prompt' | 'sampling'>): Result<
  readonly number[],
  PortError
> => {
  const checked = checkSampling(sampling)
  return checked.ok ? readPrompt({ config, tokenizer }, prompt) : err(checked.error)
}

/** @error as `checkText`; bad-text, nothing-left for what is there from before */
export const beginText = (
  handle: Pick<NodeHandle, 'talk'>,
  source: ModelSource,
  asked: TextAsked,
  events: TextEvents,
): Result<TextTalk, PortError> => {
  const read = checkText(asked)
  if (!read.ok) return read
  const { config, tokenizer, title, sampling, seed, stages, budget } = asked
  const given = asked.from?.promptIds ?? read.value
  const before = asked.from?.ids ?? []
  const promptIds = [...given, ...before]
  if (promptIds.length === 0 || promptIds.some((id) => id >= config.vocabulary))
    return err({ code: 'bad-text', detail: 'The text has tokens that the model does not know.' })
  const { name, root } = source.manifest
  const room = roomAfter(config.context, promptIds.length)
  const tokens = Math.min(asked.tokens - before.length, room)
  if (tokens < 1) return err({ code: 'nothing-left', detail: 'The text is as long as it can be.' })
  const job = talkJob({ model: { name, root }, promptIds, tokens, sampling, seed, budget })
  const told = teller(config.eos, tokenizer, given, before.length + tokens)
  for (const id of before) told.add(id)
  const session = handle.talk({
    ...{ source, job, title, promptIds, tokens, sampling, seed, drawn: before.length },
    ...(stages === 0 ? {} : { stages }),
    // Whoever pays pays what the formula says: a lower price is refused by some, and makes it slower.
    ...(budget === 0 ? { price: 0 } : { price: PRICE_MILLI_MAX, budget }),
    prompted: (logits) => events.prompted?.(logits),
    token: (id) => events.piece({ id, text: told.add(id) }),
    rewound(kept) {
      const standing = before.length + kept
      events.rewound(standing, told.rewind(standing))
    },
    ended: events.ended,
  })
  return ok({ session, job, promptIds })
}

/** Tokens become text in their order, and again up to a place from which they are drawn anew. */
const teller = (
  eos: readonly number[],
  tokenizer: Tokenizer,
  promptIds: readonly number[],
  most: number,
) => {
  let ids: number[] = []
  let stream = textStream(tokenizer, promptIds)
  const add = (id: number): string => {
    ids.push(id)
    const isEnd = eos.includes(id)
    const text = isEnd ? '' : stream.add(id)
    return isEnd || ids.length === most ? text + stream.end() : text
  }
  return {
    add,
    rewind(kept: number): string {
      const before = ids.slice(0, kept)
      ids = []
      stream = textStream(tokenizer, promptIds)
      return before.map(add).join('')
    },
  }
}

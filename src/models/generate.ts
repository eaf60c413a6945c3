/** Tokens of a model one after the other: the prompt through all stages, then each token on its own. */
import { ok } from '../base/result.ts'
import { prng } from '../base/prng.ts'
import { likeliest, type Candidates } from '../core/candidates.ts'
import { modelError } from './model-error.ts'
import { readPrompt } from './read-prompt.ts'
import { candidatesFor, checkSampling, GREEDY, sample } from './sampling.ts'
import { MAX_FRESH } from './stage.ts'
import { textStream } from './tokenizer/text-stream.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../base/result.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { ModelError, ModelResult } from './model-error.ts'
import type { Sampling } from './sampling.ts'
import type { StageSession, Step } from './stage-session.ts'
import type { Tokenizer } from './tokenizer/tokenizer.ts'

export type Generation = {
  readonly config: LlamaConfig
  readonly tokenizer: Tokenizer
  /** Of each stage in their order; none has seen anything yet. */
  readonly stages: readonly StageSession[]
  readonly prompt: string
  /** New tokens at most; fewer where the model ends its answer, or the context is full. */
  readonly tokens: number
  /** The likeliest token if absent. */
  readonly sampling?: Sampling
  readonly seed?: number
}

/** The first piece has the prompt's ids and no token. */
export type Piece = {
  readonly promptIds: readonly number[]
  readonly id: number | null
  /** What is certain to follow what was told before. */
  readonly text: string
  /** Of the first token, in the first piece; what others are drawn from is not all of them. */
  readonly logits: Float32Array | null
}

/** @error prompt-too-long, empty-prompt, bad-sampling, and what stages say; then it ends */
export async function* generate(asked: Generation): AsyncGenerator<Result<Piece, ModelError>> {
  const ready = start(asked)
  if (!ready.ok) return yield ready
  const { config, tokenizer, stages, tokens, seed = 0 } = asked
  const { promptIds, sampling } = ready.value
  const top = candidatesFor(sampling, config.vocabulary)
  const random = prng(seed)
  let past = 0
  let logits: ModelResult<Float32Array>
  do {
    const some = promptIds.slice(past, past + MAX_FRESH)
    logits = await logitsAfter(stages, some, past)
    past += some.length
  } while (past < promptIds.length && logits.ok)
  if (!logits.ok) return yield logits
  yield ok({ promptIds, id: null, text: '', logits: logits.value })
  const stream = textStream(tokenizer, promptIds)
  let among: ModelResult<Candidates> = ok(likeliest(logits.value, top || config.vocabulary))
  for (let made = 0; made < tokens; made++) {
    const id = sample(among.value, sampling, random)
    const isLast = made + 1 === tokens || past >= config.context || config.eos.includes(id)
    const text = config.eos.includes(id) ? '' : stream.add(id)
    if (isLast) return yield ok({ promptIds, id, text: text + stream.end(), logits: null })
    among = await candidatesAfter(stages, id, { past, top })
    if (!among.ok) return yield among
    past++
    yield ok({ promptIds, id, text, logits: null })
  }
}

const start = ({
  config,
  tokenizer,
  prompt,
  sampling = GREEDY,
}: Generation): ModelResult<{ promptIds: readonly number[]; sampling: Sampling }> => {
  const checked = checkSampling(sampling)
  if (!checked.ok) return checked
  const ids = readPrompt({ config, tokenizer }, prompt)
  return ids.ok ? ok({ promptIds: ids.value, sampling }) : ids
}

const logitsAfter = async (
  stages: readonly StageSession[],
  tokens: readonly number[],
  past: number,
): Promise<ModelResult<Float32Array>> => {
  const given = await beforeLast(stages, tokens, past)
  if (!given.ok) return given
  const made = await given.value.last.step(given.value.step)
  return made.ok ? ok(Float32Array.from(made.value.data)) : made
}

const candidatesAfter = async (
  stages: readonly StageSession[],
  token: number,
  { past, top }: { readonly past: number; readonly top: number },
): Promise<ModelResult<Candidates>> => {
  if (top === 0) {
    const logits = await logitsAfter(stages, [token], past)
    return logits.ok ? ok(likeliest(logits.value, logits.value.length)) : logits
  }
  const given = await beforeLast(stages, [token], past)
  return given.ok ? given.value.last.choose(given.value.step, top) : given
}

/** Through all stages but the last, which is answered with what it is given. */
const beforeLast = async (
  stages: readonly StageSession[],
  tokens: readonly number[],
  past: number,
): Promise<ModelResult<{ readonly last: StageSession; readonly step: Step }>> => {
  const last = stages.at(-1)
  if (last === undefined) return modelError('bad-config', 'a model without stages')
  let input: Step['input'] = tokens
  for (const stage of stages.slice(0, -1)) {
    const made: ModelResult<Tensor> = await stage.step({ input, past })
    if (!made.ok) return made
    input = made.value
  }
  return ok({ last, step: { input, past } })
}

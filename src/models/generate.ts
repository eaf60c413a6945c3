/** Tokens of a model one after the other: the prompt through all stages, then each token on its own. */
import { ok } from '../base/result.ts'
import { prng } from '../base/prng.ts'
import { modelError } from './model-error.ts'
import { readPrompt } from './read-prompt.ts'
import { checkSampling, GREEDY, sample } from './sampling.ts'
import { MAX_FRESH } from './stage.ts'
import { textStream } from './tokenizer/text-stream.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../base/result.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { ModelError, ModelResult } from './model-error.ts'
import type { Sampling } from './sampling.ts'
import type { StageSession } from './stage-session.ts'
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
  /** Of the token that comes next. */
  readonly logits: Tensor
}

/** @error prompt-too-long, empty-prompt, bad-sampling, and what stages say; then it ends */
export async function* generate(asked: Generation): AsyncGenerator<Result<Piece, ModelError>> {
  const ready = start(asked)
  if (!ready.ok) return yield ready
  const { config, tokenizer, stages, tokens, seed = 0 } = asked
  const { promptIds, sampling } = ready.value
  const random = prng(seed)
  let past = 0
  let logits: ModelResult<Tensor>
  do {
    const some = promptIds.slice(past, past + MAX_FRESH)
    logits = await through(stages, some, past)
    past += some.length
  } while (past < promptIds.length && logits.ok)
  if (!logits.ok) return yield logits
  yield ok({ promptIds, id: null, text: '', logits: logits.value })
  const stream = textStream(tokenizer, promptIds)
  for (let made = 0; made < tokens; made++) {
    const id = sample(logits.value.data, sampling, random)
    const isLast = made + 1 === tokens || past >= config.context || config.eos.includes(id)
    const text = config.eos.includes(id) ? '' : stream.add(id)
    if (isLast) return yield ok({ promptIds, id, text: text + stream.end(), logits: logits.value })
    logits = await through(stages, [id], past)
    if (!logits.ok) return yield logits
    past++
    yield ok({ promptIds, id, text, logits: logits.value })
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

/** Through all stages, one after the other. */
const through = async (
  stages: readonly StageSession[],
  tokens: readonly number[],
  past: number,
): Promise<ModelResult<Tensor>> => {
  let input: readonly number[] | Tensor = tokens
  for (const stage of stages) {
    const made: ModelResult<Tensor> = await stage.step({ input, past })
    if (!made.ok) return made
    input = made.value
  }
  return 'shape' in input ? ok(input) : modelError('bad-config', 'a model without stages')
}

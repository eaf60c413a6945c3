/** What a model of the Llama family is, whatever file says it. */
import { ok } from '../../base/result.ts'
import { modelError } from '../model-error.ts'
import type { ModelResult } from '../model-error.ts'
import type { Rope } from './rope.ts'

export type LlamaConfig = {
  readonly layers: number
  /** Numbers of a token between layers. */
  readonly width: number
  readonly heads: number
  /** Fewer than heads where several of them share keys and values. */
  readonly keyHeads: number
  readonly headSize: number
  /** Numbers between the two products of the feed-forward part. */
  readonly inner: number
  readonly vocabulary: number
  /** Tokens that it can look at. */
  readonly context: number
  readonly epsilon: number
  readonly rope: Rope
  /** Whether the last product is with the table of the first lookup. */
  readonly tied: boolean
  readonly bos: number | null
  /** Any of them ends the answer. */
  readonly eos: readonly number[]
}

/** Far above any model there is; so that a broken file is no allocation. */
const LIMITS = {
  layers: 1024,
  width: 2 ** 17,
  heads: 4096,
  keyHeads: 4096,
  headSize: 4096,
  inner: 2 ** 20,
  vocabulary: 2 ** 22,
  context: 2 ** 27,
} as const

/** @error bad-config, unsupported */
export const checkConfig = (config: LlamaConfig): ModelResult<LlamaConfig> => {
  for (const [name, most] of Object.entries(LIMITS)) {
    const value = config[name as keyof typeof LIMITS]
    if (!Number.isSafeInteger(value) || value < 1 || value > most)
      return modelError('bad-config', `${name}: a whole number from 1 to ${most}, found ${value}`)
  }
  const { heads, keyHeads, headSize, epsilon, rope, vocabulary, bos, eos } = config
  if (heads % keyHeads !== 0)
    return modelError('bad-config', `${heads} heads cannot share ${keyHeads} of keys`)
  if (!(epsilon > 0 && epsilon < 1)) return modelError('bad-config', `epsilon ${epsilon}`)
  if (!(rope.base > 0) || rope.turned % 2 !== 0 || rope.turned < 2 || rope.turned > headSize)
    return modelError('bad-config', `${rope.turned} of ${headSize} numbers turned by ${rope.base}`)
  const odd = [...(bos === null ? [] : [bos]), ...eos].find(
    (id) => !Number.isSafeInteger(id) || id < 0 || id >= vocabulary,
  )
  return odd === undefined ? ok(config) : modelError('bad-config', `there is no token ${odd}`)
}

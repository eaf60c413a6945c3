/** Text to token ids and back. The tokenizer itself is a library's; what a stranger's file makes it do ends here. */
import { ok } from '../../base/result.ts'
import { modelError, reasonOf } from '../model-error.ts'
import type { Tokenizer as Library } from '@huggingface/tokenizers'
import type { LlamaConfig } from '../llama/config.ts'
import type { ModelResult } from '../model-error.ts'

/** Longer than any context, and some seconds of work. */
const MAX_TEXT = 2 ** 22

export type Tokenizer = {
  /** One more than the largest id. */
  readonly size: number
  /** @error prompt-too-long, bad-tokenizer */
  encode(text: string): ModelResult<readonly number[]>
  decode(ids: readonly number[]): string
}

/** `tokenizer.json` and `tokenizer_config.json`, as objects. @error bad-tokenizer */
export const makeTokenizer = async (
  json: object,
  config: object,
): Promise<ModelResult<Tokenizer>> => {
  try {
    // Loaded when a model is opened: most nodes never see a text.
    const { Tokenizer: Made } = await import('@huggingface/tokenizers')
    return ok(wrapped(new Made(json, config)))
  } catch (cause) {
    return modelError('bad-tokenizer', reasonOf(cause))
  }
}

const wrapped = (library: Library): Tokenizer => ({
  size: [...library.get_vocab().values()].reduce((most, id) => Math.max(most, id), -1) + 1,
  encode(text) {
    if (text.length > MAX_TEXT)
      return modelError('prompt-too-long', `${text.length} letters, ${MAX_TEXT} at most`)
    try {
      const { ids } = library.encode(text)
      return ids.every((id) => Number.isSafeInteger(id) && id >= 0)
        ? ok(ids)
        : modelError('bad-tokenizer', 'it has no token for a part of the text')
    } catch (cause) {
      return modelError('bad-tokenizer', reasonOf(cause))
    }
  },
  decode(ids) {
    const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false }
    try {
      return ids.length === 0 ? '' : library.decode([...ids], options)
    } catch {
      return ''
    }
  },
})

/** Tables are padded to round sizes; more than this part of them without a token is another model's tokenizer. */
const MAX_UNUSED = 0.05

/** Whether a tokenizer can be the model's. @error wrong-tokenizer */
export const checkTokenizer = (
  tokenizer: Tokenizer,
  { vocabulary }: LlamaConfig,
): ModelResult<Tokenizer> => {
  const { size } = tokenizer
  if (size > vocabulary)
    return modelError(
      'wrong-tokenizer',
      `the tokenizer has ${size} tokens, the model ${vocabulary}`,
    )
  return size < vocabulary * (1 - MAX_UNUSED)
    ? modelError(
        'wrong-tokenizer',
        `the tokenizer has only ${size} tokens, the model ${vocabulary}`,
      )
    : ok(tokenizer)
}

/** What a spec may say of a text that a language model goes on with: its prompt, how much, and how it is drawn. */
import { isCid } from '../base/ids.ts'
import { mapping, optional, textual, wholeNumber, type Reader } from './field.ts'
import { readDecimal } from './quantity.ts'
import { decimal } from './texts.ts'

/** Millionths, as a contract has whole numbers only. */
export const SAMPLING_UNIT = 1_000_000
const DIGITS = 6

const TEMPERATURE_MAX = 100 * SAMPLING_UNIT
const TOP_K_MAX = 2 ** 22
/** Far longer than any context in tokens; the model itself says what it takes. */
const PROMPT_MAX = 48 * 1024
const PATH_MAX = 4_096
const TOKENS_MAX = 1_000_000
/** As many as a model has layers, at most. */
const STAGES_MAX = 1_024
const SEED_MAX = 2 ** 32 - 1

export type SamplingParams = {
  readonly temperature: number
  readonly 'top-k': number
  readonly 'top-p': number
}
const GREEDY: SamplingParams = { temperature: 0, 'top-k': 0, 'top-p': SAMPLING_UNIT }

const shortText = (what: string, max: number): Reader<string> =>
  textual(
    `${what} of at most ${max} characters`,
    // One that looks like a name of content would become a link.
    (text) => (text.length <= max && !isCid(text) ? text : null),
    false,
  )

const temperature = decimal(DIGITS, 0, TEMPERATURE_MAX, 'a decimal from 0 to 100, such as 0.8')
const topK = wholeNumber(0, TOP_K_MAX)
const topP = decimal(DIGITS, 1, SAMPLING_UNIT, 'a decimal above 0, 1 at most, such as 0.95')

const SAMPLING = '"greedy", or such as "temperature=0.8,top-k=40,top-p=0.95"'

/** `greedy`, or names with their values; null where it is neither. */
const samplingText = (text: string): SamplingParams | null => {
  if (text.trim() === 'greedy') return GREEDY
  const found: { -readonly [K in keyof SamplingParams]: number } = { ...GREEDY }
  const named = new Set<string>()
  for (const part of text.split(',')) {
    const [, name, value] = /^\s*(temperature|top-k|top-p)\s*=\s*(\S+)\s*$/.exec(part) ?? []
    if (name === undefined || named.has(name)) return null
    named.add(name)
    const read = readDecimal(value!, name === 'top-k' ? 0 : DIGITS)
    const least = name === 'top-p' ? 1 : 0
    const most = { temperature: TEMPERATURE_MAX, 'top-k': TOP_K_MAX, 'top-p': SAMPLING_UNIT }
    const key = name as keyof SamplingParams
    if (read === null || read < least || read > most[key]) return null
    found[key] = read
  }
  return found
}

const SAMPLING_FIELDS = mapping({
  temperature: optional(temperature, GREEDY.temperature),
  'top-k': optional(topK, GREEDY['top-k']),
  'top-p': optional(topP, GREEDY['top-p']),
})
const fromText = textual(SAMPLING, samplingText, false)

const sampling: Reader<SamplingParams> = (tree, field, report) =>
  tree.kind === 'map' ? SAMPLING_FIELDS(tree, field, report) : fromText(tree, field, report)

export const TALK_PARAMS = {
  /** A GGUF file or a folder, on the machine that asks: it is no part of the contract. */
  model: optional(shortText('the path of a model', PATH_MAX), ''),
  prompt: optional(shortText('text', PROMPT_MAX), ''),
  tokens: optional(wholeNumber(1, TOKENS_MAX), 64),
  sampling: optional(sampling, GREEDY),
  // Each by itself, in place of what `sampling` says of it.
  temperature: optional<number | null>(temperature, null),
  'top-k': optional<number | null>(topK, null),
  'top-p': optional<number | null>(topP, null),
  seed: optional(wholeNumber(0, SEED_MAX), 0),
  stages: optional(wholeNumber(0, STAGES_MAX), 0),
}

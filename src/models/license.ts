/**
 * Whether a model's weights may go to other nodes, by what its files say of the license. This is no legal advice: it
 * keeps somebody from publishing by accident what says of itself that it must not be.
 */

export type MayShare =
  | { readonly kind: 'yes' }
  /** A person has to say so; `why` in words. */
  | { readonly kind: 'ask'; readonly why: string }

/** Words by which a text forbids it, whatever else it says. */
const FORBIDS: readonly (readonly [RegExp, string])[] = [
  [/\bproprietary\b|\bclosed(?: source)?\b/, 'is proprietary'],
  [/\ball rights reserved\b/, 'reserves all rights'],
  [
    /\b(?:no|not|non|without|forbid\w*|prohibit\w*) (?:be )?(?:re)?distribut\w*|distribution (?:is )?(?:prohibited|forbidden|not allowed)|\bmust not be shared\b|\bdo not share\b/,
    'forbids to pass it on',
  ],
  [/\bconfidential\b|\btrade secret\b/, 'is confidential'],
  [/\binternal\b|\bin house\b|\bprivate\b|\bunreleased\b/, 'is for internal use'],
  [/\bunlicensed\b|\bno license\b/, 'gives no license'],
  [/\bevaluation only\b|\bnda\b/, 'is for evaluation only'],
]

/**
 * As SPDX and Hugging Face name them, without the marks between words: what may be passed on, if only under the same
 * terms, by anybody who has it.
 */
const OPEN: readonly RegExp[] = [
  /^apache(?: license)?(?: version)?(?: v?2(?: 0)?)?$/,
  /^mit(?: license| 0)?$/,
  /^(?:new |simplified |modified )?bsd(?: [0-4])?(?: clause)?(?: clear| license)*$/,
  /^[0-4] clause bsd(?: license)?$/,
  /^(?:isc|zlib|bsl 1 0|boost|ncsa|ms pl|postgresql|artistic 2 0|wtfpl|unlicense|0bsd|odc by|odbl|pddl)(?: license)?$/,
  /^(?:a|l)?gpl(?: v?[0-9](?: [0-9])?)?(?: or later| only)?$/,
  /^(?:mpl|epl|eupl|ecl|ofl|osl)(?: v?[0-9](?: [0-9])?)?$/,
  /^cc0?(?: by(?: nc)?(?: sa| nd)?)?(?: [0-9](?: [0-9])?)?(?: universal| international)?$/,
  /^(?:big(?:science|code) )?(?:bloom )?(?:open ?rail)(?:\+\+| m| s| d| a)*(?: v?[0-9](?: [0-9])?)?$/,
  /^(?:bigscience bloom rail|bigscience rail|creativeml openrail m|bigcode openrail m)(?: [0-9](?: [0-9])?)?$/,
  /^(?:meta )?llama ?[0-9]*(?: [0-9])?(?: community)?(?: license)?(?: agreement)?$/,
  /^gemma(?: terms of use| license)?$/,
  /^(?:tongyi )?(?:qwen|qianwen)(?: research)?(?: license)?(?: agreement)?$/,
  /^deepseek(?: license)?$/,
  /^cdla(?: sharing| permissive)?(?: [0-9](?: [0-9])?)?$/,
  /^public domain$/,
]

/** One spelling for `Apache-2.0`, `apache_2.0` and `Apache 2.0`. */
const spelled = (license: string): string =>
  license
    .toLowerCase()
    .replaceAll(/[^a-z0-9+]+/g, ' ')
    .trim()
    .replace(/^the /, '')

export const mayShare = (license: string): MayShare => {
  const text = spelled(license)
  // Most files say nothing; then there is nothing to go by.
  if (license.trim() === '') return { kind: 'yes' }
  const forbids = FORBIDS.find(([words]) => words.test(text))
  if (forbids) return ask(`The model's license ("${license}") ${forbids[1]}.`)
  if (text !== '' && OPEN.some((name) => name.test(text))) return { kind: 'yes' }
  return ask(`The model's license ("${license}") is none that is known here to allow it.`)
}

const ask = (reason: string): MayShare => ({
  kind: 'ask',
  why: `${reason} Nodes that compute for you would get its weights, and may keep them and pass them on.`,
})

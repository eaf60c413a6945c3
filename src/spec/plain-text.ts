/** Characters that are no text: they steer terminals, or make a line read otherwise than it says. */

/** Control characters of both sets, without tab and line feed; and what stands for bytes that were none. */
const CONTROL = '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\ufffd'
/** Embeddings, overrides and isolates: what follows is shown in another order than it is read. */
const TURNING = '\\u202a-\\u202e\\u2066-\\u2069'
/** Marks of direction and separators of lines: fit for prose, but not for a name or a title. */
const UNSEEN = '\\u061c\\u200e\\u200f\\u2028\\u2029'

const IN_FILES = new RegExp(`[${CONTROL}${TURNING}]`)
const IN_WORDS = new RegExp(`[${CONTROL}${TURNING}${UNSEEN}]`)
const NOT_VISIBLE = new RegExp(`[\\t\\n${CONTROL}${TURNING}${UNSEEN}]+`, 'g')

export type Strange = { readonly at: number; readonly name: string }

/** The first character that does not belong into a file, or into a text that stands in one (`words`). */
export const strangeIn = (text: string, where: 'file' | 'words'): Strange | null => {
  const found = (where === 'file' ? IN_FILES : IN_WORDS).exec(text)
  if (found) {
    const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
    return { at: found.index, name: `the character U+${code}, which is not text` }
  }
  return text.isWellFormed() ? null : { at: 0, name: 'half a surrogate pair' }
}

/** Text of others as it may reach a terminal: on one line, and all of it to be seen. */
export const visible = (text: string): string => text.replace(NOT_VISIBLE, ' ')

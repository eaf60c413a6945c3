/** What a schema says of hostile or damaged JSON, in the words of the other messages: expected and found. */
import { getDotPath, type BaseIssue } from 'valibot'

const WORDS_MAX = 80

/** `whole` names the document, for what is wrong with all of it. */
export const issueWords = (issue: BaseIssue<unknown>, whole: string): string => {
  const at = getDotPath(issue) ?? whole
  const { expected, received, message } = issue
  if (expected === null) return `${at}: ${message}`
  if (expected === 'never') return `${at}: expected no such field, found one`
  const found = received === 'undefined' ? 'nothing' : received
  const wanted = found === 'nothing' && expected.startsWith('"') ? 'this field' : expected
  return `${at}: expected ${clip(wanted)}, found ${clip(found)}`
}

const clip = (text: string): string =>
  text.length > WORDS_MAX ? `${text.slice(0, WORDS_MAX)}…` : text

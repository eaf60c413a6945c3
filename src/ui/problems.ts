/** What is wrong, in words, and what can be done about it. */
import type { Problem } from '../peer/view.ts'
import { sentence } from './sentence.ts'

/** Sentences for problems that come as a code and a few raw words; the others bring their own. */
const PROBLEM_WORDS: Readonly<Record<string, (detail: string) => string>> = {
  'result-rejected': (why) =>
    `A result of this device was not accepted (${why}). That is likely an unstable GPU or driver.`,
  'device-lost': () => 'The graphics driver restarted. Your unit was handed back.',
  'faulty-peer': () =>
    'A node sent something that cannot be understood. The link to it was closed.',
  'storage-corrupt': (what) => `Some stored data was damaged and left out: ${what}.`,
  'not-owed': () => 'A node offered to pay for something that was not done here. It was refused.',
  'bad-signature': () => 'A payment had a wrong signature and was refused.',
  'wrong-credit': () => 'A node answered a payment with other figures than agreed.',
  fork: () => 'A node paid with a history that contradicts an earlier one. It was refused.',
  'settling-too-slow': () =>
    'This device cannot write receipts to its disk as fast as they come. It takes no more work until it has caught up.',
  'shader-failed': () => 'The graphics driver refused a program. Its task was handed back.',
}
export const problemWords = ({ code, text }: Problem): string =>
  PROBLEM_WORDS[code]?.(text) ?? sentence(text === '' ? code : text)

/** What can be done about a known problem; the sentence itself comes with the problem. */
export type Remedy = 'resume-half' | 'reload' | 'storage' | 'earn' | 'update' | null
export const remedyFor = (problem: Problem): Remedy => {
  switch (problem.code) {
    case 'device-lost':
      return 'resume-half'
    case 'quota-full':
    case 'storage-corrupt':
    case 'too-many-jobs':
      return 'storage'
    case 'overdraft':
    case 'no-credit':
      return 'earn'
    case 'version-too-old':
      return 'update'
    case 'compute-gone':
    case 'superseded':
    case 'data-gone':
      return 'reload'
    default:
      return null
  }
}

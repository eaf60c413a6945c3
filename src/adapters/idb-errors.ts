/** What a browser's storage can refuse, as a code and a sentence a person understands. */
import type { PortError } from '../ports.ts'

export const PROBLEMS = {
  noStorage: {
    code: 'no-storage',
    detail:
      'This browser keeps nothing here (a private window, or storage is blocked). What you earn now is lost when the tab closes.',
  },
  quotaFull: {
    code: 'quota-full',
    detail:
      'The disk space this browser gives us is full. Delete old jobs, or free space on the disk.',
  },
  blocked: {
    code: 'blocked',
    detail: 'Another tab still runs an older version of this page. Close it, then try again.',
  },
  superseded: {
    code: 'superseded',
    detail: 'A newer version of this page was opened in another tab. Reload this one.',
  },
  tooOld: {
    code: 'too-old',
    detail: 'The data here was written by a newer version of this page. Reload to get it.',
  },
  damaged: {
    code: 'damaged',
    detail:
      'The data this browser keeps for us is damaged. Erase it, then restore your key from its backup.',
  },
  silent: {
    code: 'no-answer',
    detail: "The browser's storage does not answer. Restart the browser.",
  },
  dataGone: {
    code: 'data-gone',
    detail:
      'The browser deleted our data while the page was open. Restore your key from its backup.',
  },
  keepsClosing: {
    code: 'damaged',
    detail: 'The browser closes its storage again and again. Restart the browser.',
  },
} as const satisfies Record<string, PortError>

export const nameOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'name' in cause ? String(cause.name) : ''

export const inWords = (cause: unknown): PortError => {
  switch (nameOf(cause)) {
    case 'QuotaExceededError':
      return PROBLEMS.quotaFull
    case 'VersionError':
      return PROBLEMS.tooOld
    case 'SecurityError':
    case 'ReferenceError':
    case 'InvalidStateError':
      // Firefox's private windows of old, and pages with blocked storage.
      return PROBLEMS.noStorage
    case 'UnknownError':
    case 'NotReadableError':
    case 'DataError':
    case 'NotFoundError':
      return PROBLEMS.damaged
    default: {
      const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
      return {
        code: 'storage-failed',
        detail: `The browser's storage refused: ${detail.slice(0, 160)}`,
      }
    }
  }
}

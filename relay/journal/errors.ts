/** What a disk can refuse, as a code and a sentence a person understands. */
import type { PortError } from '../../src/ports.ts'
import { fileTrouble } from '../file-trouble.ts'

export const PROBLEMS = {
  full: { code: 'quota-full', detail: 'The disk, or the part of it we may use, is full.' },
  closed: { code: 'closed', detail: 'The store was closed.' },
  damaged: {
    code: 'damaged',
    detail: 'The journal cannot be read at all. Put the folder aside, and start with an empty one.',
  },
  lockLost: {
    code: 'store-locked',
    detail: 'Another program has taken over this folder. Nothing more is written from here.',
  },
} as const satisfies Record<string, PortError>

export const inWords = (cause: unknown): PortError => {
  const code =
    typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  const detail = fileTrouble(cause).slice(0, 200)
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return PROBLEMS.full
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return { code: 'no-storage', detail: `The folder cannot be written: ${detail}` }
    default:
      return { code: 'storage-failed', detail: `The disk refused: ${detail}` }
  }
}

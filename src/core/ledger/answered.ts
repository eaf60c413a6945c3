/**
 * Which debits an account has answered, by payer. Whoever answers and whoever reads the chain keep the
 * same window, or an account could write a credit that everybody else refuses.
 */
import type { Did } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { LedgerError } from './rules.ts'

export const ANSWERED_LIMITS = {
  /**
   * Answered debits remembered per payer. As in a transport's replay window, a debit older than all
   * of them counts as answered: forgetting must never let one cheque be cashed twice.
   */
  window: 256,
  /** Different payers of one account. A longer life needs checkpoints, which this version lacks. */
  payers: 4_096,
} as const

/** Sequence numbers of answered debits by payer, ascending. */
export type Answered = ReadonlyMap<Did, readonly number[]>

/** The answer to one more debit, or why it must not be given. */
export const noteAnswered = (
  answered: Answered,
  from: Did,
  seq: number,
): Result<Answered, LedgerError> => {
  const seqs = answered.get(from)
  if (!seqs && answered.size >= ANSWERED_LIMITS.payers)
    return err({ code: 'too-many-payers', detail: `at most ${ANSWERED_LIMITS.payers}` })
  const window = remember(seqs ?? [], seq)
  if (!window) return err({ code: 'answered-twice', detail: `debit ${seq} of ${from}` })
  return ok(new Map(answered).set(from, window))
}

/** The window with one more number in it, or null when the number is in it or too old for it. */
const remember = (seqs: readonly number[], seq: number): readonly number[] | null => {
  if (seqs.includes(seq)) return null
  const full = seqs.length >= ANSWERED_LIMITS.window
  if (full && seq < seqs[0]!) return null
  return [...(full ? seqs.slice(1) : seqs), seq].toSorted((a, b) => a - b)
}

/**
 * The cheques that this account has answered, read from its own chain: the one record of who paid it
 * what that cannot be pushed out of memory, and is there after every start.
 */
import type { Cid, Did } from '../base/ids.ts'
import { noteAnswered, type Answered } from '../core/ledger/answered.ts'
import type { Block } from '../core/ledger/block.ts'
import type { LedgerError } from '../core/ledger/rules.ts'

export type AnsweredCheques = ReturnType<typeof answeredCheques>

export const answeredCheques = () => {
  let windows: Answered = new Map()
  const names = new Map<Did, Map<number, Cid>>()

  const note = ({ link }: Block): void => {
    if (!link) return
    const noted = noteAnswered(windows, link.account, link.seq)
    if (noted.ok) windows = noted.value
    const of = names.get(link.account) ?? new Map<number, Cid>()
    names.set(link.account, of.set(link.seq, link.cid))
  }

  return {
    note,
    /** The chain is another than was thought. */
    read(chain: readonly Block[]): void {
      windows = new Map()
      names.clear()
      chain.forEach(note)
    },
    /** Why a debit must not be answered, or null: every reader of our chain would stop there. */
    problem(debit: Block): LedgerError | null {
      const noted = noteAnswered(windows, debit.account, debit.seq)
      return noted.ok ? null : noted.error
    },
    payers: (): ReadonlySet<Did> => new Set(names.keys()),
    /** The block at this place of a payer's chain, as it was when it paid us. */
    nameAt: (payer: Did, seq: number): Cid | null => names.get(payer)?.get(seq) ?? null,
    /** A payer that shows less of its chain than this holds something back. */
    last: (payer: Did): number => windows.get(payer)?.at(-1) ?? 0,
  }
}

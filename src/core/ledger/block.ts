/**
 * Personal chains of half-blocks. Each account writes one chain of its own; a payment is two
 * half-blocks, a debit in the payer's chain and the credit that answers it in the payee's. A debit is
 * a cheque: irrevocable once signed, answered at any time by exactly one credit.
 */
import type { Cid, Did } from '../../base/ids.ts'
import { microCredits, type MicroCredits } from '../../base/units.ts'

/** What an account has after a block: balance + held + burned = allocation + received - spent. */
export type Totals = {
  readonly balance: MicroCredits
  /** Set aside by holds. No act of this version makes one, so it is 0. */
  readonly held: MicroCredits
  readonly burned: MicroCredits
  readonly received: MicroCredits
  readonly spent: MicroCredits
}

export type Act =
  | { readonly act: 'open' }
  | {
      readonly act: 'debit'
      readonly to: Did
      readonly amount: MicroCredits
      readonly receipt: Cid
    }
  | {
      readonly act: 'credit'
      readonly from: Did
      readonly amount: MicroCredits
      readonly receipt: Cid
    }
  | { readonly act: 'burn'; readonly amount: MicroCredits }

/** The half-block of the counterparty that a credit answers. */
export type BlockLink = { readonly account: Did; readonly seq: number; readonly cid: Cid }

export type Block = {
  readonly v: 1
  readonly kind: 'block'
  readonly swarm: Cid
  readonly account: Did
  readonly seq: number
  readonly prev: Cid | null
  readonly link: BlockLink | null
  /** Hours since 1970: finer time would let strangers time each other's devices. */
  readonly hour: number
  readonly act: Act
  readonly totals: Totals
}

/** A block with its name; the last one of a chain is all that the next one is judged against. */
export type Tip = { readonly cid: Cid; readonly block: Block }

/** Everything but the first: each changes what stood before. */
export type LaterAct = Exclude<Act, { act: 'open' }>

/** The totals that must stand after an act. May be negative or unsafe: that is for the rules to see. */
export const totalsAfter = (before: Totals, act: LaterAct): Totals => {
  switch (act.act) {
    case 'debit':
      return {
        ...before,
        balance: microCredits(before.balance - act.amount),
        spent: microCredits(before.spent + act.amount),
      }
    case 'credit':
      return {
        ...before,
        balance: microCredits(before.balance + act.amount),
        received: microCredits(before.received + act.amount),
      }
    case 'burn':
      return {
        ...before,
        balance: microCredits(before.balance - act.amount),
        burned: microCredits(before.burned + act.amount),
      }
  }
}

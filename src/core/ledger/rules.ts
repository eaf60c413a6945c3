/**
 * The law of one chain, as named rules in the order in which they are tried. A block is judged
 * against the one before it, the debit it claims to answer, and the genesis; signatures are checked
 * at the boundary, before anything comes here.
 */
import type { Cid } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { MicroCredits } from '../../base/units.ts'
import { totalsAfter, type Block, type Tip, type Totals } from './block.ts'
import { allocationOf, type CidOf, type Swarm } from './genesis.ts'

export type LedgerCode =
  | 'wrong-swarm'
  | 'not-opened'
  | 'opened-twice'
  | 'wrong-account'
  | 'gap'
  | 'wrong-prev'
  | 'hour-backwards'
  | 'unexpected-link'
  | 'bad-amount'
  | 'to-itself'
  | 'no-debit'
  | 'wrong-debit'
  | 'overdraft'
  | 'wrong-totals'
  // What only a book, that remembers more than the last block, can see:
  | 'known'
  | 'fork'
  | 'answered-twice'
  | 'too-many-payers'

export type LedgerError = { readonly code: LedgerCode; readonly detail: string }

export type Step = {
  readonly tip: Tip | null
  readonly block: Block
  /** The debit a credit links to, with the CID computed from its bytes. */
  readonly answers: Tip | null
  readonly swarm: Cid
  /** What the genesis gives to the author. */
  readonly allocation: MicroCredits
}

/** Why the rule is broken, or null. */
type Rule = { readonly code: LedgerCode; readonly breach: (step: Step) => string | null }

const isAmount = (n: number): boolean => Number.isSafeInteger(n) && n > 0

const TOTALS = ['balance', 'held', 'burned', 'received', 'spent'] as const

const expectedTotals = ({ tip, block, allocation }: Step): Record<keyof Totals, number> => {
  if (tip && block.act.act !== 'open') return totalsAfter(tip.block.totals, block.act)
  return { balance: allocation, held: 0, burned: 0, received: 0, spent: 0 }
}

const sameDebit = ({ block, answers }: Step): string | null => {
  const { act, link } = block
  if (act.act !== 'credit') return null
  if (link === null || answers === null) return 'a credit answers a debit'
  const { block: theirs, cid } = answers
  if (theirs.act.act !== 'debit') return `it links to a ${theirs.act.act}`
  if (theirs.swarm !== block.swarm) return 'the debit is of another swarm'
  if (theirs.act.to !== block.account) return 'the debit is addressed to somebody else'
  if (link.cid !== cid || link.seq !== theirs.seq) return 'it links to another block'
  if (link.account !== theirs.account || act.from !== theirs.account) return 'wrong payer'
  if (act.amount !== theirs.act.amount) return `${act.amount}, not ${theirs.act.amount}`
  return act.receipt === theirs.act.receipt ? null : 'it names another receipt'
}

const RULES: readonly Rule[] = [
  {
    code: 'wrong-swarm',
    breach: ({ block, swarm }) => (block.swarm === swarm ? null : block.swarm),
  },
  {
    code: 'not-opened',
    breach: ({ tip, block }) =>
      tip || block.act.act === 'open' ? null : `a chain starts with open, not ${block.act.act}`,
  },
  {
    code: 'opened-twice',
    breach: ({ tip, block }) => (tip && block.act.act === 'open' ? `at ${block.seq}` : null),
  },
  {
    code: 'wrong-account',
    breach: ({ tip, block }) =>
      !tip || tip.block.account === block.account ? null : block.account,
  },
  {
    code: 'gap',
    breach: ({ tip, block }) => {
      const next = (tip?.block.seq ?? 0) + 1
      return block.seq === next ? null : `${block.seq} where ${next} is next`
    },
  },
  {
    code: 'wrong-prev',
    breach: ({ tip, block }) => (block.prev === (tip?.cid ?? null) ? null : String(block.prev)),
  },
  {
    code: 'hour-backwards',
    breach: ({ tip, block }) =>
      Number.isSafeInteger(block.hour) && block.hour >= (tip?.block.hour ?? 0)
        ? null
        : `${block.hour} after ${tip?.block.hour ?? 0}`,
  },
  {
    code: 'unexpected-link',
    breach: ({ block }) =>
      block.link === null || block.act.act === 'credit' ? null : 'only a credit links',
  },
  {
    code: 'bad-amount',
    breach: ({ block: { act } }) =>
      act.act === 'open' || isAmount(act.amount) ? null : `an amount of ${act.amount}`,
  },
  {
    code: 'to-itself',
    breach: ({ block: { act, account } }) =>
      act.act === 'debit' && act.to === account ? 'a payment to itself moves nothing' : null,
  },
  {
    code: 'no-debit',
    breach: ({ block, answers }) =>
      block.act.act === 'credit' && (answers === null || block.link === null)
        ? 'a credit answers a debit'
        : null,
  },
  { code: 'wrong-debit', breach: sameDebit },
  {
    code: 'overdraft',
    breach: (step) => {
      const { balance } = expectedTotals(step)
      return balance >= 0 ? null : `${-balance} more than there is`
    },
  },
  {
    code: 'wrong-totals',
    breach: (step) => {
      const expected = expectedTotals(step)
      const wrong = TOTALS.find(
        (key) => step.block.totals[key] !== expected[key] || !Number.isSafeInteger(expected[key]),
      )
      return wrong ? `${wrong} ${step.block.totals[wrong]}, not ${expected[wrong]}` : null
    },
  },
]

/** The first rule a step breaks, or null. */
export const brokenRule = (step: Step): LedgerError | null => {
  for (const { code, breach } of RULES) {
    const detail = breach(step)
    if (detail !== null) return { code, detail }
  }
  return null
}

/** Judges the block after `tip` (null: the first one). `answers` is the debit a credit links to. */
export const validateNext = (
  tip: Tip | null,
  block: Block,
  answers: Block | null,
  swarm: Swarm,
  cidOf: CidOf,
): Result<Tip, LedgerError> => {
  const error = brokenRule({
    tip,
    block,
    answers: answers && { cid: cidOf(answers), block: answers },
    swarm: swarm.cid,
    allocation: allocationOf(swarm, block.account),
  })
  return error ? err(error) : ok({ cid: cidOf(block), block })
}

/** A block together with the debit it answers, as they travel. */
export type Entry = { readonly block: Block; readonly answers: Block | null }

/**
 * Judges a whole chain, oldest block first. Also refuses a second answer to one debit.
 * The error says at which sequence number.
 */
export const validateChain = (
  chain: readonly Entry[],
  swarm: Swarm,
  cidOf: CidOf,
): Result<Tip | null, LedgerError & { readonly seq: number }> => {
  let tip: Tip | null = null
  const answered = new Set<Cid>()
  for (const { block, answers } of chain) {
    const next: Result<Tip, LedgerError> = validateNext(tip, block, answers, swarm, cidOf)
    if (!next.ok) return err({ ...next.error, seq: block.seq })
    if (block.link) {
      if (answered.has(block.link.cid)) {
        return err({ code: 'answered-twice', detail: block.link.cid, seq: block.seq })
      }
      answered.add(block.link.cid)
    }
    tip = next.value
  }
  return ok(tip)
}

/**
 * Two different blocks of one account at one place prove, to anybody and for ever, that it wrote two
 * histories (evidence E1). Both signatures must have been checked.
 */
export const isForkProof = (a: Block, b: Block, cidOf: CidOf): boolean =>
  a.swarm === b.swarm && a.account === b.account && a.seq === b.seq && cidOf(a) !== cidOf(b)

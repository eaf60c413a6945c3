/** Writes the next half-block of one's own chain. What the rules would refuse is never written. */
import type { Cid, Did } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { microCredits, type MicroCredits } from '../../base/units.ts'
import { totalsAfter, type Block, type BlockLink, type LaterAct, type Tip } from './block.ts'
import { allocationOf, type Swarm } from './genesis.ts'
import { brokenRule, type LedgerError } from './rules.ts'

const zero = microCredits(0)

/** The first block of a chain: takes up what the genesis gives to the account, mostly nothing. */
export const openBlock = (swarm: Swarm, account: Did, hour: number): Block => ({
  v: 1,
  kind: 'block',
  swarm: swarm.cid,
  account,
  seq: 1,
  prev: null,
  link: null,
  hour,
  act: { act: 'open' },
  totals: {
    balance: allocationOf(swarm, account),
    held: zero,
    burned: zero,
    received: zero,
    spent: zero,
  },
})

/** Signs away `amount` to `to` for the work in `receipt`. Refused when the balance does not cover it. */
export const debit = (
  tip: Tip,
  to: Did,
  amount: MicroCredits,
  receipt: Cid,
  hour: number,
): Result<Block, LedgerError> => follow(tip, { act: 'debit', to, amount, receipt }, null, hour)

/** Takes up a debit addressed to us. */
export const credit = (tip: Tip, answers: Tip, hour: number): Result<Block, LedgerError> => {
  const { account, act } = answers.block
  if (act.act !== 'debit') {
    return err({ code: 'no-debit', detail: `a ${act.act} cannot be answered` })
  }
  const { amount, receipt } = act
  return follow(tip, { act: 'credit', from: account, amount, receipt }, answers, hour)
}

/** Destroys credit for good. */
export const burn = (tip: Tip, amount: MicroCredits, hour: number): Result<Block, LedgerError> =>
  follow(tip, { act: 'burn', amount }, null, hour)

const linkTo = ({ cid, block }: Tip): BlockLink => ({
  account: block.account,
  seq: block.seq,
  cid,
})

const follow = (
  tip: Tip,
  act: LaterAct,
  answers: Tip | null,
  hour: number,
): Result<Block, LedgerError> => {
  const { swarm, account, seq, totals } = tip.block
  const block: Block = {
    v: 1,
    kind: 'block',
    swarm,
    account,
    seq: seq + 1,
    prev: tip.cid,
    link: answers && linkTo(answers),
    // A clock that was set back must not stop the chain.
    hour: Math.max(hour, tip.block.hour),
    act,
    totals: totalsAfter(totals, act),
  }
  const error = brokenRule({ tip, block, answers, swarm, allocation: zero })
  return error ? err(error) : ok(block)
}

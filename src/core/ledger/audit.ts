/**
 * The books of a whole swarm, when all its chains are at hand (a test, the simulator, an auditor):
 * value is neither made nor lost, whatever happened.
 */
import type { Cid, Did } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { microCredits, type MicroCredits } from '../../base/units.ts'
import type { Block } from './block.ts'
import type { CidOf, Swarm } from './genesis.ts'
import { validateChain, type LedgerError } from './rules.ts'

export type Audit = {
  readonly supply: MicroCredits
  readonly balances: MicroCredits
  readonly held: MicroCredits
  readonly burned: MicroCredits
  /** Debits signed and not answered. */
  readonly inFlight: MicroCredits
  /** Allocated to accounts that have not opened a chain. */
  readonly unopened: MicroCredits
}

export type AuditError = {
  readonly code: 'bad-chain' | 'two-chains' | 'credited-twice' | 'not-conserved'
  readonly detail: string
  /** The rule that a bad chain breaks. */
  readonly cause?: LedgerError
}

/** Judges a closed set of chains, one per account, each oldest block first. */
export const auditSwarm = (
  chains: readonly (readonly Block[])[],
  swarm: Swarm,
  cidOf: CidOf,
): Result<Audit, AuditError> => {
  const debits = allDebits(chains, cidOf)
  const open = new Map(debits)
  for (const { link } of chains.flat()) {
    if (link && debits.has(link.cid) && !open.delete(link.cid)) {
      return err({ code: 'credited-twice', detail: link.cid })
    }
  }
  const seen = new Set<Did>()
  const sum = { balances: 0, held: 0, burned: 0 }
  for (const chain of chains) {
    const entries = chain.map((block) => ({
      block,
      answers: (block.link && debits.get(block.link.cid)) ?? null,
    }))
    const tip = validateChain(entries, swarm, cidOf)
    if (!tip.ok) {
      const { code, detail } = tip.error
      return err({ code: 'bad-chain', detail: `at ${tip.error.seq}`, cause: { code, detail } })
    }
    if (!tip.value) continue
    const { account, totals } = tip.value.block
    if (seen.has(account)) return err({ code: 'two-chains', detail: account })
    seen.add(account)
    sum.balances += totals.balance
    sum.held += totals.held
    sum.burned += totals.burned
  }
  return balance(sum, open, seen, swarm)
}

const allDebits = (chains: readonly (readonly Block[])[], cidOf: CidOf): Map<Cid, Block> => {
  const debits = new Map<Cid, Block>()
  for (const block of chains.flat()) if (block.act.act === 'debit') debits.set(cidOf(block), block)
  return debits
}

const balance = (
  sum: { readonly balances: number; readonly held: number; readonly burned: number },
  open: ReadonlyMap<Cid, Block>,
  seen: ReadonlySet<Did>,
  swarm: Swarm,
): Result<Audit, AuditError> => {
  let inFlight = 0
  for (const { act } of open.values()) inFlight += act.act === 'debit' ? act.amount : 0
  let unopened = 0
  for (const [account, amount] of swarm.allocations) if (!seen.has(account)) unopened += amount
  const all = sum.balances + sum.held + sum.burned + inFlight + unopened
  if (all !== swarm.supply) {
    return err({ code: 'not-conserved', detail: `${all}, not ${swarm.supply}` })
  }
  return ok({
    supply: swarm.supply,
    balances: microCredits(sum.balances),
    held: microCredits(sum.held),
    burned: microCredits(sum.burned),
    inFlight: microCredits(inFlight),
    unopened: microCredits(unopened),
  })
}

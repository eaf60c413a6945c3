/**
 * A genesis document founds a swarm: it names who holds what at the start and fixes the supply for
 * ever, because nothing mints afterwards. The swarm's name is the document's CID.
 */
import type { Cid, Did } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { microCredits, type MicroCredits } from '../../base/units.ts'
import type { Block } from './block.ts'

export type Genesis = {
  readonly v: 1
  readonly kind: 'genesis'
  readonly name: string
  readonly supply: MicroCredits
  readonly allocations: readonly { readonly account: Did; readonly amount: MicroCredits }[]
  /** Hours since 1970. */
  readonly hour: number
}

/** A genesis that has been examined: what every rule of the ledger is judged against. */
export type Swarm = {
  readonly cid: Cid
  readonly name: string
  readonly supply: MicroCredits
  readonly hour: number
  readonly allocations: ReadonlyMap<Did, MicroCredits>
}

export type GenesisError = {
  readonly code: 'bad-supply' | 'bad-allocation' | 'allocated-twice' | 'not-all-allocated'
  readonly detail: string
}

/** Names a document by its canonical bytes. The codec lives outside this room, so it is passed in. */
export type CidOf = (document: Block | Genesis) => Cid

const isWhole = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

/**
 * Examines a genesis. The allocations must add up to exactly the supply: a rest that nobody holds
 * would be credit that the conservation invariant counts and no chain can show.
 */
export const foundSwarm = (genesis: Genesis, cidOf: CidOf): Result<Swarm, GenesisError> => {
  if (!isWhole(genesis.supply) || genesis.supply === 0) {
    return err({ code: 'bad-supply', detail: `a supply of ${genesis.supply}` })
  }
  const allocations = new Map<Did, MicroCredits>()
  let left: number = genesis.supply
  for (const { account, amount } of genesis.allocations) {
    if (!isWhole(amount) || amount === 0) {
      return err({ code: 'bad-allocation', detail: `${amount} to ${account}` })
    }
    if (allocations.has(account)) return err({ code: 'allocated-twice', detail: account })
    allocations.set(account, amount)
    left -= amount
  }
  if (left !== 0) {
    return err({ code: 'not-all-allocated', detail: `allocations miss the supply by ${left}` })
  }
  const { name, supply, hour } = genesis
  return ok({ cid: cidOf(genesis), name, supply, hour, allocations })
}

export const allocationOf = (swarm: Swarm, account: Did): MicroCredits =>
  swarm.allocations.get(account) ?? microCredits(0)

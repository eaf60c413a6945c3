/**
 * Chains in the order in which their money can be followed: before each credit stands what its payer
 * wrote up to the debit, and before that what stands behind the payer, back to the genesis.
 */
import type { Did } from '../base/ids.ts'
import type { ChainEntry } from './books-on-disk.ts'

export type Chains = {
  entries(account: Did): readonly ChainEntry[]
  /** Without the chain of `from` the money of `account` cannot be followed. */
  needs(account: Did, from: Did): boolean
}

/**
 * The next entries of `account`, up to block `upTo`, and of everybody before it: at most `max`. `done`
 * says how far each chain has been gone through and is carried on, so that the next call goes on there.
 */
export const lineage = (
  chains: Chains,
  account: Did,
  upTo: number,
  done: Map<Did, number>,
  max: number,
): ChainEntry[] => {
  const out: ChainEntry[] = []
  const stack = [{ account, upTo }]
  while (out.length < max) {
    const top = stack.at(-1)
    if (!top) break
    const at = done.get(top.account) ?? 0
    const entry = at < top.upTo ? chains.entries(top.account)[at] : undefined
    if (!entry) {
      stack.pop()
      continue
    }
    const payer = missingPayer(chains, entry, done)
    // Nobody is waited for twice: that happens only where a chain has been written anew.
    if (payer && !stack.some((each) => each.account === payer.account)) {
      stack.push(payer)
      continue
    }
    out.push(entry)
    done.set(top.account, at + 1)
  }
  return out
}

const missingPayer = (
  chains: Chains,
  { block: { body } }: ChainEntry,
  done: ReadonlyMap<Did, number>,
): { account: Did; upTo: number } | null => {
  const { link, account } = body
  if (!link || !chains.needs(account, link.account)) return null
  const from = done.get(link.account) ?? 0
  const isThere = from < link.seq && from < chains.entries(link.account).length
  return isThere ? { account: link.account, upTo: link.seq } : null
}

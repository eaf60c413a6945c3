/**
 * Others' chains on this node's disk. They are kept for their authors, who may lose all they have and
 * ask for it, and spare everybody from being shown a whole chain again after each start.
 */
import type { Did } from '../base/ids.ts'
import type { Write } from '../ports.ts'
import { blockKey, type ChainEntry } from './books-on-disk.ts'
import type { Desk } from './desk.ts'
import type { Size } from './size.ts'

export const KEPT_CHAINS_LIMITS = {
  /** Of all accounts together, about 1 kB each; reading them at the start takes less than a second. */
  blocks: 8_192,
} as const

export type KeptChains = ReturnType<typeof keptChains>

const keyOf = (account: Did, seq: number): string => `${account}/${blockKey(seq)}`

export const keptChains = (desk: Pick<Desk, 'write'>) => {
  /** How many blocks of whom; the account not heard of for longest comes first. */
  const held = new Map<Did, number>()
  let total = 0

  /** False where a block does not follow what is here: a part without its beginning proves nothing. */
  const count = ({ block: { body } }: ChainEntry): boolean => {
    const before = held.get(body.account) ?? 0
    if (body.seq !== before + 1) return false
    held.delete(body.account)
    held.set(body.account, body.seq)
    total += 1
    return true
  }

  /** Chains go whole, and those behind our own money after all others. */
  const makeRoom = (needed: ReadonlySet<Did>): Write[] => {
    const writes: Write[] = []
    const strangers = [...held].filter(([account]) => !needed.has(account))
    for (const [account, blocks] of [...strangers, ...held]) {
      if (!held.has(account)) continue
      if (total <= KEPT_CHAINS_LIMITS.blocks || held.size === 1) break
      held.delete(account)
      total -= blocks
      for (let seq = 1; seq <= blocks; seq++)
        writes.push({ table: 'known-blocks', key: keyOf(account, seq) })
    }
    return writes
  }

  return {
    /** Takes what the disk had, in the order of its keys. */
    load(entries: readonly ChainEntry[]): void {
      for (const entry of entries) count(entry)
    },
    keep(entries: readonly ChainEntry[], needed: () => ReadonlySet<Did> = () => new Set()): void {
      const writes = entries.filter(count).map((entry): Write => {
        const { account, seq } = entry.block.body
        return { table: 'known-blocks', key: keyOf(account, seq), value: entry }
      })
      // Whoever wrote a block has it too: to lose some with the power costs nothing but a question.
      if (total > KEPT_CHAINS_LIMITS.blocks) writes.push(...makeRoom(needed()))
      if (writes.length > 0) desk.write(writes, 'relaxed', () => undefined)
    },
    sizes: (): Size[] => [
      { what: 'blocks of others on disk', held: total, limit: KEPT_CHAINS_LIMITS.blocks },
    ],
  }
}

import { describe, expect, it } from 'vitest'
import { alice, bob, carol, type Person } from '../../test/people.ts'
import type { Did } from '../base/ids.ts'
import { ok } from '../base/result.ts'
import { microCredits } from '../base/units.ts'
import { debit, openBlock } from '../core/ledger/append.ts'
import type { Block } from '../core/ledger/block.ts'
import { foundSwarm } from '../core/ledger/genesis.ts'
import type { Write } from '../ports.ts'
import { cidOf } from '../wire/codec.ts'
import { nameOf } from '../wire/signed.ts'
import { books, BOOKS_LIMITS } from './books.ts'
import type { ChainEntry } from './books-on-disk.ts'
import { KEPT_CHAINS_LIMITS, keptChains } from './kept-chains.ts'

const SUPPLY = microCredits(1_000_000)
const founded = foundSwarm(
  {
    v: 1,
    kind: 'genesis',
    name: 'kept',
    supply: SUPPLY,
    allocations: [{ account: bob.did, amount: SUPPLY }],
    hour: 1,
  },
  cidOf,
)
if (!founded.ok) throw new Error(founded.error.code)
const swarm = founded.value

/** Signatures are looked at before anything comes here. */
const entryOf = (body: Block): ChainEntry => ({
  block: { body, sig: new Uint8Array(64) },
  answers: null,
})

/** Bob pays alice one micro-credit after the other. */
const chainOfBob = (length: number): ChainEntry[] => {
  const entries = [entryOf(openBlock(swarm, bob.did, 1))]
  const receipt = cidOf({ a: 'receipt' })
  while (entries.length < length) {
    const { body } = entries.at(-1)!.block
    const next = debit({ cid: nameOf(body), block: body }, alice.did, microCredits(1), receipt, 1)
    if (!next.ok) throw new Error(next.error.code)
    entries.push(entryOf(next.value))
  }
  return entries
}

/** A disk that only remembers which keys it holds. */
const shelf = () => {
  const keys = new Set<string>()
  const kept = keptChains({
    write(writes: readonly Write[], _durability, then) {
      for (const { key, value } of writes) {
        if (value === undefined) keys.delete(key)
        else keys.add(key)
      }
      then(ok(null))
    },
  })
  const of = ({ did }: Person): number => [...keys].filter((key) => key.startsWith(did)).length
  return { kept, of }
}

/** Their place in the chain is all that counts for a shelf. */
const chain = ({ did }: Person, from: number, to: number): ChainEntry[] => {
  const open = openBlock(swarm, did, 1)
  return Array.from({ length: to - from + 1 }, (_, i) => entryOf({ ...open, seq: from + i }))
}

describe('the chains of others on a disk', () => {
  it('make room as a whole, and first the one not heard of for longest', () => {
    const { kept, of } = shelf()
    const part = KEPT_CHAINS_LIMITS.blocks / 4
    kept.keep(chain(alice, 1, part))
    kept.keep(chain(bob, 1, 2 * part))
    kept.keep(chain(alice, part + 1, 2 * part))
    expect([of(alice), of(bob)]).toEqual([2 * part, 2 * part])
    kept.keep(chain(carol, 1, 1))
    expect([of(alice), of(bob), of(carol)]).toEqual([2 * part, 0, 1])
    expect(kept.sizes()[0]!.held).toBeLessThanOrEqual(KEPT_CHAINS_LIMITS.blocks)
  })

  it('that stand behind our own money go after all others', () => {
    const { kept, of } = shelf()
    const needed = (): ReadonlySet<Did> => new Set([alice.did])
    const part = KEPT_CHAINS_LIMITS.blocks / 2
    kept.keep(chain(alice, 1, part), needed)
    kept.keep(chain(bob, 1, part), needed)
    kept.keep(chain(carol, 1, 1), needed)
    expect([of(alice), of(bob), of(carol)]).toEqual([part, 0, 1])
    kept.keep(chain(carol, 2, part + 1), needed)
    expect([of(alice), of(bob), of(carol)]).toEqual([part, 0, 0])
    expect(kept.sizes()[0]!.held).toBe(part)
  })

  it('have no holes: what does not follow is not kept', () => {
    const { kept, of } = shelf()
    kept.keep(chain(alice, 1, 3))
    kept.keep(chain(alice, 5, 6))
    kept.keep(chain(bob, 2, 2))
    expect([of(alice), of(bob)]).toEqual([3, 0])
    kept.load(chain(carol, 1, 2))
    kept.load(chain(carol, 4, 9))
    kept.keep(chain(carol, 3, 3))
    expect(kept.sizes()[0]!.held).toBe(6)
  })
})

describe('the books of a node', () => {
  it('prove by the newest block that there is more of a chain than is kept', () => {
    const { kept, of } = shelf()
    const ledgers = books(swarm, kept)
    const all = chainOfBob(BOOKS_LIMITS.kept + 3)
    expect(ledgers.take(all)).toBeNull()
    expect(ledgers.tip(bob.did).seq).toBe(all.length)
    expect(ledgers.after(bob.did, 7, 2)).toEqual(all.slice(7, 9))
    expect(ledgers.after(bob.did, BOOKS_LIMITS.kept, 40)).toEqual(all.slice(-1))
    expect(ledgers.after(bob.did, all.length, 40)).toEqual([])
    expect(ledgers.after(alice.did, 0, 40)).toEqual([])
    expect(of(bob)).toBe(BOOKS_LIMITS.kept)
  })

  it('read from the disk are as they were, and are not written again', () => {
    const before = shelf()
    const [first, again] = [books(swarm, before.kept), shelf()]
    const all = chainOfBob(20)
    first.take(all)
    const ledgers = books(swarm, again.kept)
    ledgers.load(all)
    expect(again.of(bob)).toBe(0)
    expect(ledgers.tip(bob.did)).toEqual(first.tip(bob.did))
    expect(ledgers.spendable(bob.did)).toBe(first.spendable(bob.did))
    expect(ledgers.take(all)).toBeNull()
    expect(again.of(bob)).toBe(0)
  })
})

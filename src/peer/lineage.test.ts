import { describe, expect, it } from 'vitest'
import { alice, bob, carol, type Person } from '../../test/people.ts'
import type { Did } from '../base/ids.ts'
import { microCredits } from '../base/units.ts'
import { credit, debit, openBlock } from '../core/ledger/append.ts'
import type { Block } from '../core/ledger/block.ts'
import { foundSwarm } from '../core/ledger/genesis.ts'
import { cidOf } from '../wire/codec.ts'
import { nameOf } from '../wire/signed.ts'
import type { ChainEntry } from './books-on-disk.ts'
import { lineage, type Chains } from './lineage.ts'

const supply = microCredits(1_000)
const allocations = [{ account: alice.did, amount: supply }]
const founded = foundSwarm(
  { v: 1, kind: 'genesis', name: 'l', supply, allocations, hour: 1 },
  cidOf,
)
if (!founded.ok) throw new Error(founded.error.code)
const swarm = founded.value

/** Chains that grow by payments. */
const histories = (...people: readonly Person[]) => {
  const chains = new Map<Did, ChainEntry[]>()
  const add = (block: Block, answers: Block | null): Block => {
    const sig = new Uint8Array(64)
    const entry = { block: { body: block, sig }, answers: answers && { body: answers, sig } }
    chains.set(block.account, [...(chains.get(block.account) ?? []), entry])
    return block
  }
  const tip = ({ did }: Person) => {
    const { body } = chains.get(did)!.at(-1)!.block
    return { cid: nameOf(body), block: body }
  }
  const must = (made: ReturnType<typeof debit>): Block => {
    if (!made.ok) throw new Error(made.error.code)
    return made.value
  }
  for (const { did } of people) add(openBlock(swarm, did, 1), null)
  return {
    pay(from: Person, to: Person, amount: number): void {
      const work = cidOf({ from: from.name })
      const cheque = add(must(debit(tip(from), to.did, microCredits(amount), work, 1)), null)
      const answer = credit(tip(to), { cid: nameOf(cheque), block: cheque }, 1)
      add(must(answer), cheque)
    },
    chains: {
      entries: (account) => chains.get(account) ?? [],
      needs: () => true,
    } satisfies Chains,
  }
}

const names = (entries: readonly ChainEntry[]): string =>
  entries
    .map(({ block: { body } }) => {
      const name = [alice, bob, carol].find(({ did }) => did === body.account)!.name
      return `${name[0]}${body.seq}`
    })
    .join(' ')

describe('what stands behind the money of carol', () => {
  it('comes in the order in which it moved, back to the genesis', () => {
    const { pay, chains } = histories(alice, bob, carol)
    pay(alice, bob, 100)
    pay(alice, carol, 1)
    pay(bob, carol, 50)
    pay(alice, bob, 7)
    const shown = lineage(chains, carol.did, 3, new Map(), 100)
    expect(names(shown)).toBe('c1 a1 a2 a3 c2 b1 b2 b3 c3')
  })

  it('goes back and forth with it', () => {
    const { pay, chains } = histories(alice, bob)
    pay(alice, bob, 900)
    pay(bob, alice, 500)
    pay(alice, bob, 600)
    expect(names(lineage(chains, bob.did, 9, new Map(), 100))).toBe('b1 a1 a2 b2 b3 a3 a4 b4')
  })

  it('comes in parts that follow each other', () => {
    const { pay, chains } = histories(alice, bob, carol)
    pay(alice, bob, 100)
    pay(bob, carol, 50)
    const done = new Map<Did, number>()
    const parts = [1, 2, 3].map(() => names(lineage(chains, carol.did, 2, done, 3)))
    expect(parts).toEqual(['c1 b1 a1', 'a2 b2 b3', 'c2'])
    expect(lineage(chains, carol.did, 2, done, 3)).toEqual([])
  })

  it('ends though a payer’s chain was written anew and the two wait for each other', () => {
    const { pay, chains } = histories(alice, bob)
    pay(alice, bob, 100)
    pay(bob, alice, 50)
    const late = (entry: ChainEntry): ChainEntry => {
      const { link } = entry.block.body
      const body = { ...entry.block.body, link: link && { ...link, seq: 3 } }
      return { ...entry, block: { ...entry.block, body } }
    }
    const odd: Chains = { ...chains, entries: (account) => chains.entries(account).map(late) }
    expect(lineage(odd, bob.did, 3, new Map(), 100)).toHaveLength(6)
  })
})

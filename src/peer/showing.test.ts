import { describe, expect, it } from 'vitest'
import { alice, bob, person } from '../../test/people.ts'
import { ok } from '../base/result.ts'
import type { PeerId } from '../base/ids.ts'
import { microCredits, ms, type Ms } from '../base/units.ts'
import { credit, debit, openBlock } from '../core/ledger/append.ts'
import type { Block } from '../core/ledger/block.ts'
import { foundSwarm } from '../core/ledger/genesis.ts'
import { cidOf } from '../wire/codec.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { nameOf } from '../wire/signed.ts'
import { books } from './books.ts'
import type { ChainEntry } from './books-on-disk.ts'
import type { Desk } from './desk.ts'
import { keptChains } from './kept-chains.ts'
import type { Greeted } from './links.ts'
import { showing, TIPS_MAX } from './showing.ts'
import { BLOCKS_PER_HEAD, BLOCKS_PER_SECOND } from '../wire/version.ts'
import { wallet } from './wallet.ts'

const one = microCredits(1)
const sig = new Uint8Array(64)
const entry = (body: Block, answers: Block | null = null): ChainEntry => ({
  block: { body, sig },
  answers: answers && { body: answers, sig },
})

/** Bob’s node, after `payers` people have paid him one micro-credit each, and a node that wants to see it. */
const bobs = (payers: number) => {
  const people = Array.from({ length: payers }, (_, i) => person(`payer ${i}`).did)
  const founded = foundSwarm(
    {
      v: 1,
      kind: 'genesis',
      name: 'many',
      supply: microCredits(payers),
      allocations: people.map((account) => ({ account, amount: one })),
      hour: 1,
    },
    cidOf,
  )
  if (!founded.ok) throw new Error(founded.error.code)
  const swarm = founded.value
  const known: ChainEntry[] = []
  let last = openBlock(swarm, bob.did, 1)
  const own = [entry(last)]
  for (const account of people) {
    const open = openBlock(swarm, account, 1)
    const cheque = debit({ cid: nameOf(open), block: open }, bob.did, one, cidOf({ account }), 1)
    if (!cheque.ok) throw new Error(cheque.error.code)
    const answers = { cid: nameOf(cheque.value), block: cheque.value }
    const next = credit({ cid: nameOf(last), block: last }, answers, 1)
    if (!next.ok) throw new Error(next.error.code)
    last = next.value
    known.push(entry(open), entry(cheque.value))
    own.push(entry(last, cheque.value))
  }
  let now = 0
  let wakeAt = Number.POSITIVE_INFINITY
  const heads: HeadOf<'blocks'>[] = []
  const desk = {
    account: bob.did,
    now: (): Ms => ms(now),
    wake: (at: number) => void (wakeAt = Math.min(wakeAt, at)),
    send: (_to: PeerId, head: Head) => void (head.k === 'blocks' && heads.push(head)),
  } as unknown as Desk
  const shelf = () => keptChains({ write: (_writes, _durability, then) => then(ok(null)) })
  const purse = wallet(desk, swarm, () => undefined)
  expect(purse.load(own, [])).toBeNull()
  const ledgers = books(swarm, shelf(), purse.cheques)
  expect(ledgers.take(known)).toBeNull()
  let completed = 0
  const shown = showing(desk, purse, ledgers, () => void (completed += 1))
  shown.greeted({ peer: alice.peer, account: alice.did } as Greeted)
  const reader = books(swarm, shelf())
  return {
    shown,
    heads,
    total: known.length + own.length,
    completed: () => completed,
    blocks: () => heads.reduce((sum, { blocks }) => sum + blocks.length, 0),
    /** What a reader who has taken all of it lets bob spend. */
    spendable(): number {
      for (const { blocks } of heads) expect(reader.take(blocks)).toBeNull()
      return reader.spendable(bob.did)
    },
    tip: (seq: number): boolean => {
      const cid = seq === 0 ? null : nameOf(own[seq - 1]!.block.body)
      return shown.tip(alice.peer, { k: 'tip', account: bob.did, seq, cid })
    },
    second(): void {
      expect(wakeAt).toBeLessThanOrEqual(now + 1_000)
      now = wakeAt
      wakeAt = Number.POSITIVE_INFINITY
      shown.wake()
    },
  }
}

describe('bob, who was paid by many,', () => {
  it('shows them all in full heads, and no more of these than a link holds', () => {
    const { shown, heads, total, spendable } = bobs(300)
    expect(shown.money(alice.peer)).toBe(true)
    expect(heads).toHaveLength(Math.ceil(total / BLOCKS_PER_HEAD))
    expect(spendable()).toBe(300)
    expect(shown.money(alice.peer)).toBe(true)
    expect(heads).toHaveLength(Math.ceil(total / BLOCKS_PER_HEAD))
  })

  it('shows as much in a second as a reader can check, and says when it is all', () => {
    const { shown, blocks, total, second, completed, spendable } = bobs(1_000)
    expect(shown.money(alice.peer)).toBe(false)
    expect(blocks()).toBe(BLOCKS_PER_SECOND)
    // Asking again at once changes nothing.
    expect(shown.money(alice.peer)).toBe(false)
    expect(blocks()).toBe(BLOCKS_PER_SECOND)
    expect(completed()).toBe(0)
    second()
    expect([blocks(), completed()]).toEqual([total, 1])
    expect(spendable()).toBe(1_000)
  })

  it('leaves out what the reader has of his own chain, but not what is behind it', () => {
    const { shown, tip, blocks, total } = bobs(20)
    expect(tip(11)).toBe(true)
    expect(shown.money(alice.peer)).toBe(true)
    expect(blocks()).toBe(total - 11)
  })

  it('shows it again to who has lost it, but only so often', () => {
    const { shown, tip, blocks, total } = bobs(2)
    for (let i = 0; i < 2 * TIPS_MAX; i++) {
      tip(0)
      shown.money(alice.peer)
    }
    expect(blocks()).toBe(TIPS_MAX * total)
  })
})

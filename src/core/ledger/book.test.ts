import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory, person, type Person } from '../../../test/people.ts'
import type { Did } from '../../base/ids.ts'
import { microCredits } from '../../base/units.ts'
import { cidOf } from '../../wire/codec.ts'
import { ANSWERED_LIMITS } from './answered.ts'
import { burn, credit, debit, openBlock } from './append.ts'
import type { Block, Tip } from './block.ts'
import {
  BOOK_LIMITS,
  confirm,
  extendBook,
  inFlight,
  noteAnswer,
  spendable,
  type Book,
} from './book.ts'
import { foundSwarm } from './genesis.ts'
import type { LedgerCode } from './rules.ts'

const m = microCredits
const receipt = cidOf({ work: 1 })
const founded = foundSwarm(
  {
    v: 1,
    kind: 'genesis',
    name: 'demo',
    supply: m(1_000_000),
    allocations: [{ account: alice.did, amount: m(1_000_000) }],
    hour: 1,
  },
  cidOf,
)
if (!founded.ok) throw new Error(founded.error.code)
const swarm = founded.value

const tip = (block: Block): Tip => ({ cid: cidOf(block), block })
const opened = (who: Person): Tip => tip(openBlock(swarm, who.did, 1))
const must = (result: ReturnType<typeof debit>): Tip => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`)
  return tip(result.value)
}
const pay = (from: Tip, to: Person, amount: number): Tip =>
  must(debit(from, to.did, m(amount), receipt, 1))
const cash = (to: Tip, cheque: Tip): Tip => must(credit(to, cheque, 1))

/** The books of one observer, who is told blocks one after another. */
const observer = () => {
  const books = new Map<Did, Book>()
  const tell = (block: Tip, answers: Tip | null = null): LedgerCode | 'fine' => {
    const { account, act } = block.block
    const payer = act.act === 'credit' ? (books.get(act.from) ?? null) : null
    const learnt = extendBook(
      books.get(account) ?? null,
      block.block,
      answers?.block ?? null,
      payer,
      swarm,
      cidOf,
    )
    if (!learnt.ok) return learnt.error.code
    books.set(account, learnt.value.book)
    if (learnt.value.payer) books.set(learnt.value.payer.account, learnt.value.payer)
    return 'fine'
  }
  const of = (who: Person): Book => books.get(who.did)!
  const agree = (who: Person, payer: Person): void => {
    const both = confirm(of(who), of(payer))
    books.set(who.did, both.book)
    books.set(payer.did, both.payer)
  }
  return { tell, of, agree }
}

const a1 = opened(alice)
const a2 = pay(a1, bob, 300)
const b1 = opened(bob)
const b2 = cash(b1, a2)

describe('a book', () => {
  it('follows value from the genesis: what alice paid to bob, bob can spend', () => {
    const { tell, of } = observer()
    expect([tell(a1), tell(a2), tell(b1), tell(b2, a2)]).toEqual(['fine', 'fine', 'fine', 'fine'])
    expect(spendable(of(alice))).toBe(999_700)
    expect(spendable(of(bob))).toBe(300)
    expect(of(alice).debits).toEqual([])
  })

  it('counts a debit as in flight until its payee has answered', () => {
    const { tell, of } = observer()
    tell(a1)
    tell(a2)
    expect(inFlight(of(alice))).toBe(300)
    expect(inFlight(noteAnswer(of(alice), b2.block)!)).toBe(0)
    expect(noteAnswer(of(alice), { ...b2.block, account: mallory.did })).toBeNull()
    expect(noteAnswer(of(alice), a2.block)).toBeNull()
  })

  it('believes nothing that mallory paid herself out of invented chains', () => {
    const { tell, of } = observer()
    const sybil = person('sybil')
    const forged = opened(sybil)
    const rich: Tip = tip({
      ...forged.block,
      totals: { ...forged.block.totals, balance: m(9_999) },
    })
    const cheque = pay(rich, mallory, 9_999)
    const m1 = opened(mallory)
    const m2 = cash(m1, cheque)
    expect(tell(rich)).toBe('wrong-totals')
    // Without the chain of her payer, her own is in order ...
    expect([tell(m1), tell(m2, cheque)]).toEqual(['fine', 'fine'])
    expect(of(mallory).tip.block.totals.balance).toBe(9_999)
    // ... and buys nothing, nor does what she passes on.
    expect(spendable(of(mallory))).toBe(0)
    const m3 = pay(m2, carol, 9_999)
    const c1 = opened(carol)
    expect([tell(m3), tell(c1), tell(cash(c1, m3), m3)]).toEqual(['fine', 'fine', 'fine'])
    expect(spendable(of(carol))).toBe(0)
  })

  it('believes hearsay as soon as the chain of the payer confirms it, once', () => {
    const { tell, of, agree } = observer()
    tell(b1)
    tell(b2, a2)
    expect(spendable(of(bob))).toBe(0)
    tell(a1)
    agree(bob, alice)
    expect(spendable(of(bob))).toBe(0)
    tell(a2)
    agree(bob, alice)
    agree(bob, alice)
    expect(spendable(of(bob))).toBe(300)
    expect(of(bob).hearsay).toEqual([])
  })

  it('never backs more than is left when hearsay is confirmed late', () => {
    const { tell, of, agree } = observer()
    const b3 = pay(b2, carol, 250)
    for (const [block, answers] of [
      [b1, null],
      [b2, a2],
      [b3, null],
      [a1, null],
      [a2, null],
    ] as const) {
      expect(tell(block, answers)).toBe('fine')
    }
    agree(bob, alice)
    expect(spendable(of(bob))).toBe(50)
  })

  it('takes burned credit off what is backed', () => {
    const { tell, of } = observer()
    tell(a1)
    tell(must(burn(a1, m(400_000), 1)))
    expect(spendable(of(alice))).toBe(600_000)
  })

  it('tells a repetition from a fork', () => {
    const { tell } = observer()
    tell(a1)
    tell(a2)
    expect(tell(a2)).toBe('known')
    expect(tell(pay(a1, mallory, 300))).toBe('fork')
    expect(tell(pay(pay(a2, bob, 1), bob, 1))).toBe('gap')
  })

  it('is not misled by a block that alice wrote in another swarm: that is no fork of hers', () => {
    const { tell } = observer()
    tell(a1)
    tell(a2)
    const elsewhere = { ...a1.block, swarm: cidOf({ another: 'swarm' }) }
    expect(tell(tip(elsewhere))).toBe('wrong-swarm')
    expect(tell(pay(a2, bob, 1))).toBe('fine')
  })

  it('names those from whom money came that can be followed, and nobody else', () => {
    const { tell, of, agree } = observer()
    for (const [block, answers] of [[a1], [a2], [b1], [b2, a2]] as const) tell(block, answers)
    expect([...of(bob).sources]).toEqual([alice.did])
    const late = observer()
    for (const [block, answers] of [[b1], [b2, a2], [a1], [a2]] as const) late.tell(block, answers)
    expect([...late.of(bob).sources]).toEqual([])
    late.agree(bob, alice)
    expect([...late.of(bob).sources]).toEqual([alice.did])
    const invented = opened(mallory)
    const cheque = pay(
      tip({ ...invented.block, totals: { ...invented.block.totals, balance: m(9) } }),
      bob,
      9,
    )
    tell(cash(b2, cheque), cheque)
    agree(bob, alice)
    expect([...of(bob).sources]).toEqual([alice.did])
  })

  it('refuses a debit that was answered before', () => {
    const { tell } = observer()
    expect([tell(b1), tell(b2, a2), tell(cash(b2, a2), a2)]).toEqual([
      'fine',
      'fine',
      'answered-twice',
    ])
  })

  it('answers cheques out of order, but never one that is older than all it remembers', () => {
    const { tell } = observer()
    const old = pay(a1, bob, 1)
    const cheques = [old]
    for (let i = 0; i <= ANSWERED_LIMITS.window; i++) cheques.push(pay(cheques.at(-1)!, bob, 1))
    const [, second, ...later] = cheques as [Tip, Tip, ...Tip[]]
    let at = b1
    tell(at)
    for (const cheque of [...later].reverse()) {
      at = cash(at, cheque)
      expect(tell(at, cheque)).toBe('fine')
    }
    // 256 are remembered: the second cheque is older than all of them.
    expect(tell(cash(at, second), second)).toBe('answered-twice')
  })

  it('holds a limited number of notes and forgets answered ones first', () => {
    const { tell, of } = observer()
    tell(a1)
    let book = of(alice)
    let at = a1
    const add = (): void => {
      at = pay(at, bob, 1)
      const learnt = extendBook(book, at.block, null, null, swarm, cidOf)
      if (!learnt.ok) throw new Error(learnt.error.code)
      book = learnt.value.book
    }
    for (let i = 0; i < BOOK_LIMITS.debits; i++) add()
    const third = book.debits[2]!
    const answer: Block = {
      ...b2.block,
      link: { account: alice.did, seq: third.seq, cid: third.cid },
      act: { act: 'credit', from: alice.did, amount: m(1), receipt },
    }
    book = noteAnswer(book, answer)!
    add()
    expect(book.debits.length).toBe(BOOK_LIMITS.debits)
    expect(book.debits.some(({ cid }) => cid === third.cid)).toBe(false)
    expect(inFlight(book)).toBe(BOOK_LIMITS.debits)
  })
})

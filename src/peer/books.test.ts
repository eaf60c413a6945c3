import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory, person, type Person } from '../../test/people.ts'
import { ok } from '../base/result.ts'
import { microCredits } from '../base/units.ts'
import { ANSWERED_LIMITS } from '../core/ledger/answered.ts'
import { credit, debit, openBlock } from '../core/ledger/append.ts'
import type { Block, Tip } from '../core/ledger/block.ts'
import { foundSwarm } from '../core/ledger/genesis.ts'
import { cidOf } from '../wire/codec.ts'
import { nameOf, type SignedReceipt } from '../wire/signed.ts'
import { answeredCheques } from './answered-cheques.ts'
import { books, BOOKS_LIMITS } from './books.ts'
import type { ChainEntry } from './books-on-disk.ts'
import type { Desk } from './desk.ts'
import { keptChains } from './kept-chains.ts'
import { wallet } from './wallet.ts'

const SUPPLY = 1_000
const founded = foundSwarm(
  {
    v: 1,
    kind: 'genesis',
    name: 'books',
    supply: microCredits(2 * SUPPLY),
    allocations: [alice, mallory].map(({ did: account }) => ({
      account,
      amount: microCredits(SUPPLY),
    })),
    hour: 1,
  },
  cidOf,
)
if (!founded.ok) throw new Error(founded.error.code)
const swarm = founded.value

/** Signatures are looked at before anything comes here. */
const entry = (body: Block, answers: Block | null = null): ChainEntry => ({
  block: { body, sig: new Uint8Array(64) },
  answers: answers && { body: answers, sig: new Uint8Array(64) },
})
const tip = (block: Block): Tip => ({ cid: nameOf(block), block })
const must = (made: ReturnType<typeof debit>): Block => {
  if (!made.ok) throw new Error(made.error.code)
  return made.value
}
const opened = ({ did }: Pick<Person, 'did'>): Block => openBlock(swarm, did, 1)
const pay = (after: Block, to: Person, amount: number, work = 0): Block =>
  must(debit(tip(after), to.did, microCredits(amount), cidOf({ work }), 1))
const cash = (after: Block, cheque: Block): Block => must(credit(tip(after), tip(cheque), 1))

const shelf = () => keptChains({ write: (_writes, _durability, then) => then(ok(null)) })

const crowd = (many: number): ChainEntry[] =>
  Array.from({ length: many }, (_, i) => entry(opened(person(`stranger ${i}`))))

/** Bob’s node, of which only the books and the wallet are looked at. */
const bobs = () => {
  const desk = {
    account: bob.did,
    epoch: () => 3_600_000,
    sign: (bodies: readonly unknown[], then: (signed: unknown) => void) =>
      then(ok(bodies.map(() => new Uint8Array(64)))),
    write: (_writes: unknown, _durability: unknown, then: (written: unknown) => void) =>
      then(ok(null)),
  } as unknown as Desk
  const purse = wallet(desk, swarm, () => undefined)
  purse.open(() => undefined)
  const ledgers = books(swarm, shelf(), purse.cheques)
  let work = 0
  return {
    purse,
    ledgers,
    /** What stood in the way of taking a cheque, or null. */
    take(cheque: Block): string | null {
      let problem: string | null = null
      const body = { kind: 'receipt', work: work++ } as unknown as SignedReceipt['body']
      const signed = { body, requesterSig: new Uint8Array(64), workerSig: null }
      const failed = ({ code }: { code: string }): void => void (problem = code)
      purse.take(signed, entry(cheque).block, [], () => undefined, failed)
      return problem
    },
  }
}

const a1 = opened(alice)
const a2 = pay(a1, carol, 1)
const a3 = pay(a2, bob, 600)

describe('whoever has paid bob', () => {
  it('is not forgotten, however many accounts mallory invents', () => {
    const { ledgers, take } = bobs()
    const c1 = opened(carol)
    ledgers.take([entry(a1), entry(a2), entry(c1), entry(cash(c1, a2), a2)])
    const c3 = pay(cash(c1, a2), bob, 1)
    ledgers.take([entry(c3)])
    expect(take(c3)).toBeNull()
    ledgers.take(crowd(2 * BOOKS_LIMITS.accounts))
    expect(ledgers.tip(carol.did).seq).toBe(3)
    // Nor is alice, whose money it was.
    expect(ledgers.tip(alice.did).seq).toBe(2)
    expect(ledgers.sizes()[0]!.held).toBeLessThanOrEqual(BOOKS_LIMITS.accounts + 3)
  })

  it('cannot show another history to a node that has forgotten all but its own chain', () => {
    const { purse, take } = bobs()
    expect(take(a3)).toBeNull()
    const ledgers = books(swarm, shelf(), purse.cheques)
    const [x2, ...more] = [pay(a1, carol, 2), pay(a1, bob, 500)]
    const x3 = pay(x2!, bob, 600)
    // Less than what paid him is no reason to trust it ...
    ledgers.take([entry(a1), entry(more[0]!)])
    expect(ledgers.spendable(alice.did)).toBe(0)
    expect(ledgers.hasCheque(more[0]!)).toBe(false)
    // ... and at the place where it paid him it is caught.
    const again = books(swarm, shelf(), purse.cheques)
    expect(again.take([entry(a1), entry(x2!), entry(x3)])?.code).toBe('fork')
    expect(again.isForked(alice.did)).toBe(true)
    const honest = books(swarm, shelf(), purse.cheques)
    expect(honest.take([entry(a1), entry(a2), entry(a3)])).toBeNull()
    expect(honest.spendable(alice.did)).toBe(SUPPLY - 601)
  })

  it('is paid attention to once for each cheque', () => {
    const { purse, take } = bobs()
    expect(take(a3)).toBeNull()
    expect(take(pay(a2, bob, 600, 7))).toBe('answered-twice')
    expect(purse.chain()).toHaveLength(2)
  })

  it('with one cheque that is later than 256 others gets no credit that readers would refuse', () => {
    const { purse, ledgers, take } = bobs()
    const chain = [a1]
    for (let i = 0; i <= ANSWERED_LIMITS.window; i++) chain.push(pay(chain.at(-1)!, bob, 1))
    const [, first, ...later] = chain
    expect(later.map(take).every((problem) => problem === null)).toBe(true)
    expect(take(first!)).toBe('answered-twice')
    expect(ledgers.take([...chain.map((body) => entry(body)), ...purse.chain()])).toBeNull()
    expect(ledgers.tip(bob.did).seq).toBe(1 + ANSWERED_LIMITS.window)
  })

  it('is read from the chain that was stored', () => {
    const b1 = opened(bob)
    const cheques = answeredCheques()
    cheques.read([b1, cash(b1, a3)])
    expect([...cheques.payers()]).toEqual([alice.did])
    expect(cheques.nameAt(alice.did, 3)).toBe(nameOf(a3))
    expect(cheques.last(alice.did)).toBe(3)
    cheques.read([b1])
    expect(cheques.last(alice.did)).toBe(0)
  })
})

describe('the books', () => {
  it('forget strangers who have nothing before those who have something', () => {
    const { ledgers } = bobs()
    const c1 = opened(carol)
    ledgers.take([entry(a1), entry(a2), entry(c1), entry(cash(c1, a2), a2)])
    ledgers.take(crowd(BOOKS_LIMITS.accounts + 9))
    expect(ledgers.spendable(carol.did)).toBe(1)
  })

  it('go on with others where one chain breaks the law', () => {
    const { ledgers } = bobs()
    const late = pay(opened(mallory), bob, 1)
    expect(ledgers.take([entry(late), entry(a1), entry(a2)])?.code).toBe('not-opened')
    expect(ledgers.tip(alice.did).seq).toBe(2)
  })
})

/** Random histories over five accounts, against a model that is nothing but a table of numbers. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, bob, carol, dave, mallory } from '../../../test/people.ts'
import type { Did } from '../../base/ids.ts'
import { microCredits, type MicroCredits } from '../../base/units.ts'
import { cidOf } from '../../wire/codec.ts'
import { burn, credit, debit, openBlock } from './append.ts'
import { auditSwarm } from './audit.ts'
import type { Block, Tip } from './block.ts'
import { confirm, extendBook, spendable, type Book } from './book.ts'
import { foundSwarm } from './genesis.ts'

const people = [alice, bob, carol, dave, mallory]
const m = microCredits
const founded = foundSwarm(
  {
    v: 1,
    kind: 'genesis',
    name: 'five',
    supply: m(1_000),
    allocations: [
      { account: alice.did, amount: m(700) },
      { account: bob.did, amount: m(300) },
    ],
    hour: 1,
  },
  cidOf,
)
if (!founded.ok) throw new Error(founded.error.code)
const swarm = founded.value

type Model = {
  balance: number[]
  opened: boolean[]
  cheques: { to: number; amount: number }[]
  burned: number
}
type Real = { chains: Tip[][]; cheques: Tip[] }
type Command = fc.Command<Model, Real>

const append = (real: Real, who: number, block: Block): Tip => {
  const tip = { cid: cidOf(block), block }
  real.chains[who]!.push(tip)
  return tip
}

class Open implements Command {
  readonly who: number
  constructor(who: number) {
    this.who = who
  }
  check = (model: Model): boolean => !model.opened[this.who]
  run(model: Model, real: Real): void {
    model.opened[this.who] = true
    append(real, this.who, openBlock(swarm, people[this.who]!.did, 1))
  }
  toString = (): string => `${people[this.who]!.name} opens`
}

class Pay implements Command {
  readonly from: number
  readonly to: number
  readonly amount: number
  constructor(from: number, to: number, amount: number) {
    this.from = from
    this.to = to
    this.amount = amount
  }
  check = (model: Model): boolean => model.opened[this.from]! && this.from !== this.to
  run(model: Model, real: Real): void {
    const tip = real.chains[this.from]!.at(-1)!
    const receipt = cidOf({ n: real.cheques.length })
    const block = debit(tip, people[this.to]!.did, m(this.amount), receipt, 1)
    const covered = model.balance[this.from]! >= this.amount
    expect(block.ok ? 'fine' : block.error.code).toBe(covered ? 'fine' : 'overdraft')
    if (!block.ok) return
    model.balance[this.from]! -= this.amount
    model.cheques.push({ to: this.to, amount: this.amount })
    real.cheques.push(append(real, this.from, block.value))
  }
  toString = (): string =>
    `${people[this.from]!.name} pays ${this.amount} to ${people[this.to]!.name}`
}

/** Cashes any outstanding cheque, old or new. */
class Cash implements Command {
  readonly pick: number
  constructor(pick: number) {
    this.pick = pick
  }
  check = (model: Model): boolean =>
    model.cheques.length > 0 && model.opened[model.cheques[this.pick % model.cheques.length]!.to]!
  run(model: Model, real: Real): void {
    const at = this.pick % model.cheques.length
    const [{ to, amount }] = model.cheques.splice(at, 1) as [Model['cheques'][number]]
    const [cheque] = real.cheques.splice(at, 1) as [Tip]
    const block = credit(real.chains[to]!.at(-1)!, cheque, 1)
    if (!block.ok) throw new Error(block.error.code)
    model.balance[to]! += amount
    append(real, to, block.value)
  }
  toString = (): string => `cheque ${this.pick} is cashed`
}

class Burn implements Command {
  readonly who: number
  readonly amount: number
  constructor(who: number, amount: number) {
    this.who = who
    this.amount = amount
  }
  check = (model: Model): boolean =>
    model.opened[this.who]! && model.balance[this.who]! >= this.amount
  run(model: Model, real: Real): void {
    const block = burn(real.chains[this.who]!.at(-1)!, m(this.amount), 1)
    if (!block.ok) throw new Error(block.error.code)
    model.balance[this.who]! -= this.amount
    model.burned += this.amount
    append(real, this.who, block.value)
  }
  toString = (): string => `${people[this.who]!.name} burns ${this.amount}`
}

const who = fc.nat(4)
const amount = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 41, max: 800 }) },
)
const histories = fc.commands(
  [
    who.map((w) => new Open(w)),
    fc.tuple(who, who, amount).map(([a, b, n]) => new Pay(a, b, n)),
    fc.tuple(who, who, amount).map(([a, b, n]) => new Pay(a, b, n)),
    fc.nat(1_000).map((pick) => new Cash(pick)),
    fc.nat(1_000).map((pick) => new Cash(pick)),
    fc.tuple(who, fc.integer({ min: 1, max: 50 })).map(([w, n]) => new Burn(w, n)),
  ],
  { maxCommands: 120, size: 'max' },
)

const start = (): { model: Model; real: Real } => ({
  model: { balance: [700, 300, 0, 0, 0], opened: people.map(() => false), cheques: [], burned: 0 },
  real: { chains: people.map(() => []), cheques: [] },
})

const play = (commands: Iterable<Command>): { model: Model; real: Real } => {
  const both = start()
  fc.modelRun(() => both, commands)
  return both
}

const blocksOf = (real: Real): Block[][] =>
  real.chains.map((chain) => chain.map(({ block }) => block))
const audit = (real: Real): ReturnType<typeof auditSwarm> =>
  auditSwarm(blocksOf(real), swarm, cidOf)
const tipOf = (block: Block): Tip => ({ cid: cidOf(block), block })
const written = (block: ReturnType<typeof debit>): Block => {
  if (!block.ok) throw new Error(block.error.code)
  return block.value
}

describe('an audit', () => {
  const open = openBlock(swarm, alice.did, 1)
  const paid = written(debit(tipOf(open), carol.did, m(5), cidOf({ n: 1 }), 1))
  const otherwise = written(debit(tipOf(open), dave.did, m(5), cidOf({ n: 2 }), 1))
  const code = (chains: Block[][], against = swarm): string => {
    const result = auditSwarm(chains, against, cidOf)
    return result.ok ? 'fine' : result.error.code
  }

  it('adds up balances, what is in flight, and what nobody has taken up', () => {
    const result = auditSwarm([[open, paid], []], swarm, cidOf)
    expect(result).toEqual({
      ok: true,
      value: { supply: 1_000, balances: 695, held: 0, burned: 0, inFlight: 5, unopened: 300 },
    })
  })

  it('finds two histories of one account', () => {
    expect(
      code([
        [open, paid],
        [open, otherwise],
      ]),
    ).toBe('two-chains')
    expect(code([[open], [open]])).toBe('two-chains')
  })

  it('finds a debit that is not there', () => {
    const bobs = openBlock(swarm, carol.did, 1)
    const cashed = written(credit(tipOf(bobs), tipOf(paid), 1))
    expect(
      code([
        [open, paid],
        [bobs, cashed],
      ]),
    ).toBe('fine')
    expect(code([[open], [bobs, cashed]])).toBe('bad-chain')
  })

  it('notices when what is there is not the supply', () => {
    expect(code([[open, paid]], { ...swarm, supply: m(1_001) })).toBe('not-conserved')
    expect(code([[open, paid]], { ...swarm, supply: m(999) })).toBe('not-conserved')
  })
})

const runs = (numRuns: number) => ({ numRuns, seed: 20_261_120 })

describe('any history over five accounts', () => {
  it('conserves the supply, and its totals are those of the model', () => {
    let longest = 0
    fc.assert(
      fc.property(histories, (commands) => {
        const { model, real } = play(commands)
        const result = audit(real)
        if (!result.ok) throw new Error(JSON.stringify(result.error))
        const { balances, inFlight, unopened, burned, supply } = result.value
        expect(balances + inFlight + unopened + burned).toBe(supply)
        expect(inFlight).toBe(model.cheques.reduce((sum, cheque) => sum + cheque.amount, 0))
        expect(burned).toBe(model.burned)
        real.chains.forEach((chain, i) => {
          const tip = chain.at(-1)
          if (tip) expect(tip.block.totals.balance).toBe(model.balance[i])
          longest = Math.max(longest, chain.length)
        })
      }),
      runs(150),
    )
    expect(longest).toBeGreaterThan(10)
  })

  it('is refused when one amount, balance or link in it is forged', () => {
    const forgeries: ((block: Block) => Block)[] = [
      (block) => ({ ...block, totals: { ...block.totals, balance: m(block.totals.balance + 1) } }),
      (block) => ({ ...block, seq: block.seq + 1 }),
      (block) => ({ ...block, prev: cidOf({ another: 'past' }) }),
      (block) => ({ ...block, swarm: cidOf({ another: 'swarm' }) }),
      (block) =>
        block.act.act === 'open'
          ? { ...block, hour: -1 }
          : { ...block, act: { ...block.act, amount: m(block.act.amount + 1) } },
    ]
    let forged = 0
    fc.assert(
      fc.property(histories, fc.nat(), fc.nat(), fc.nat(), (commands, a, b, c) => {
        const chains = blocksOf(play(commands).real).filter((chain) => chain.length > 0)
        if (chains.length === 0) return
        const chain = chains[a % chains.length]!
        const at = b % chain.length
        chain[at] = forgeries[c % forgeries.length]!(chain[at]!)
        forged += 1
        expect(auditSwarm(chains, swarm, cidOf).ok).toBe(false)
      }),
      runs(100),
    )
    expect(forged).toBeGreaterThan(50)
  })

  it('is refused when a cheque is cashed twice in it, in the chain of its payee or by a second one', () => {
    let replayed = 0
    fc.assert(
      fc.property(histories, fc.nat(), (commands, pick) => {
        const { real } = play(commands)
        const all = blocksOf(real)
        const credits = all.flat().filter((block) => block.act.act === 'credit')
        if (credits.length === 0) return
        const again = credits[pick % credits.length]!
        const chain = all.find((blocks) => blocks[0]?.account === again.account)!
        const tip = chain.at(-1)!
        const { amount: paid } = again.act as { amount: MicroCredits }
        const { balance, received } = tip.totals
        const totals = { ...tip.totals, balance: m(balance + paid), received: m(received + paid) }
        chain.push({ ...again, seq: tip.seq + 1, prev: cidOf(tip), hour: tip.hour, totals })
        replayed += 1
        const result = auditSwarm(all, swarm, cidOf)
        expect(result.ok ? null : result.error.code).toBe('credited-twice')
      }),
      runs(100),
    )
    expect(replayed).toBeGreaterThan(30)
  })

  it('never makes a node believe in more than the supply, in whatever order it learns the chains', () => {
    let most = 0
    fc.assert(
      fc.property(histories, fc.array(fc.nat(4), { maxLength: 80 }), (commands, order) => {
        const { real } = play(commands)
        const debits = new Map(real.chains.flat().map(({ cid, block }) => [cid, block]))
        const books = new Map<Did, Book>()
        const next = [0, 0, 0, 0, 0]
        const learn = (i: number): void => {
          const tip = real.chains[i]![next[i]!]
          if (!tip) return
          next[i]! += 1
          const { block } = tip
          const from = block.act.act === 'credit' ? block.act.from : null
          const answers = block.link ? debits.get(block.link.cid)! : null
          const payer = (from && books.get(from)) ?? null
          const known = books.get(block.account) ?? null
          const learnt = extendBook(known, block, answers, payer, swarm, cidOf)
          if (!learnt.ok) throw new Error(learnt.error.code)
          books.set(block.account, learnt.value.book)
          if (learnt.value.payer) books.set(learnt.value.payer.account, learnt.value.payer)
          for (const book of books.values()) {
            if (book.account === block.account) continue
            const both = confirm(book, books.get(block.account)!)
            books.set(both.book.account, both.book)
            books.set(both.payer.account, both.payer)
          }
          let believed = 0
          for (const book of books.values()) {
            expect(spendable(book)).toBeGreaterThanOrEqual(0)
            expect(spendable(book)).toBeLessThanOrEqual(book.tip.block.totals.balance)
            believed += spendable(book)
            for (const note of book.debits) believed += note.backed
          }
          expect(believed).toBeLessThanOrEqual(1_000)
          most = Math.max(most, believed)
        }
        for (const i of order) learn(i)
      }),
      runs(150),
    )
    expect(most).toBeGreaterThan(500)
  })
})

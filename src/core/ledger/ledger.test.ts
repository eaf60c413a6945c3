import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory } from '../../../test/people.ts'
import type { Cid } from '../../base/ids.ts'
import { microCredits } from '../../base/units.ts'
import { cidOf } from '../../wire/codec.ts'
import { burn, credit, debit, openBlock } from './append.ts'
import type { Block, Tip } from './block.ts'
import { foundSwarm, type Genesis } from './genesis.ts'
import { isForkProof, validateChain, validateNext, type LedgerCode } from './rules.ts'

const genesis: Genesis = {
  v: 1,
  kind: 'genesis',
  name: 'demo',
  supply: microCredits(1_000),
  allocations: [{ account: alice.did, amount: microCredits(1_000) }],
  hour: 480_000,
}

const founded = foundSwarm(genesis, cidOf)
if (!founded.ok) throw new Error(founded.error.code)
const swarm = founded.value
const receipt = cidOf({ work: 1 })
const otherReceipt = cidOf({ work: 2 })
const HOUR = 480_001

const tip = (block: Block): Tip => ({ cid: cidOf(block), block })
const opened = (account: typeof alice): Tip => tip(openBlock(swarm, account.did, HOUR))
const must = (result: ReturnType<typeof debit>): Tip => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`)
  return tip(result.value)
}
const code = (
  before: Tip | null,
  block: Block,
  answers: Block | null = null,
): LedgerCode | 'fine' => {
  const result = validateNext(before, block, answers, swarm, cidOf)
  return result.ok ? 'fine' : result.error.code
}

const a1 = opened(alice)
const a2 = must(debit(a1, bob.did, microCredits(30), receipt, HOUR))
const b1 = opened(bob)
const b2 = must(credit(b1, a2, HOUR))

describe('a genesis', () => {
  it.each([
    ['bad-supply', { ...genesis, supply: microCredits(0), allocations: [] }],
    ['bad-supply', { ...genesis, supply: microCredits(0.5) }],
    ['not-all-allocated', { ...genesis, supply: microCredits(1_001) }],
    ['not-all-allocated', { ...genesis, supply: microCredits(999) }],
    [
      'allocated-twice',
      { ...genesis, allocations: [...genesis.allocations, ...genesis.allocations] },
    ],
    [
      'bad-allocation',
      {
        ...genesis,
        allocations: [
          { account: alice.did, amount: microCredits(1_001) },
          { account: bob.did, amount: microCredits(-1) },
        ],
      },
    ],
  ] as const)('is refused with %s', (expected, document) => {
    const result = foundSwarm(document, cidOf)
    expect(result.ok ? 'fine' : result.error.code).toBe(expected)
  })

  it('gives its name to the swarm', () => {
    expect(swarm.cid).toBe(cidOf(genesis))
    expect(cidOf({ ...genesis, name: 'other' })).not.toBe(swarm.cid)
  })
})

describe('a chain', () => {
  it('opens with what the genesis gives: alice has it all, bob starts at zero', () => {
    expect(a1.block.totals.balance).toBe(1_000)
    expect(b1.block.totals.balance).toBe(0)
    expect([code(null, a1.block), code(null, b1.block)]).toEqual(['fine', 'fine'])
  })

  it('moves 30 from alice to bob in two half-blocks', () => {
    expect(a2.block.totals).toEqual({ balance: 970, held: 0, burned: 0, received: 0, spent: 30 })
    expect(b2.block.totals).toEqual({ balance: 30, held: 0, burned: 0, received: 30, spent: 0 })
    expect(code(a1, a2.block)).toBe('fine')
    expect(code(b1, b2.block, a2.block)).toBe('fine')
  })

  it('burns credit for good', () => {
    const burned = must(burn(a2, microCredits(70), HOUR))
    expect(burned.block.totals).toEqual({
      balance: 900,
      held: 0,
      burned: 70,
      received: 0,
      spent: 30,
    })
  })

  it('keeps going when the clock was set back', () => {
    const late = must(debit(a2, bob.did, microCredits(1), receipt, HOUR - 10))
    expect(late.block.hour).toBe(HOUR)
  })

  it('never lets its owner write an overdraft, nothing, or a payment to itself', () => {
    const codes = [
      debit(a1, bob.did, microCredits(1_001), receipt, HOUR),
      debit(b1, alice.did, microCredits(1), receipt, HOUR),
      burn(a1, microCredits(1_001), HOUR),
      debit(a1, bob.did, microCredits(0), receipt, HOUR),
      debit(a1, bob.did, microCredits(1.5), receipt, HOUR),
      debit(a1, alice.did, microCredits(1), receipt, HOUR),
      credit(b1, a1, HOUR),
      credit(opened(carol), a2, HOUR),
    ].map((result) => (result.ok ? 'fine' : result.error.code))
    expect(codes).toEqual([
      'overdraft',
      'overdraft',
      'overdraft',
      'bad-amount',
      'bad-amount',
      'to-itself',
      'no-debit',
      'wrong-debit',
    ])
  })
})

describe('the rules refuse', () => {
  const act = a2.block.act as Extract<Block['act'], { act: 'debit' }>
  const earned = b2.block.act as Extract<Block['act'], { act: 'credit' }>
  const a2with = (change: Partial<Block>): Block => ({ ...a2.block, ...change })
  const b2with = (change: Partial<Block>): Block => ({ ...b2.block, ...change })
  const link = b2.block.link!
  const totals = a2.block.totals
  const m = microCredits

  it.each<[LedgerCode, string, Tip | null, Block, Block | null]>([
    ['wrong-swarm', 'a block of another swarm', a1, a2with({ swarm: receipt }), null],
    ['not-opened', 'a chain that does not open', null, a2.block, null],
    ['opened-twice', 'a second allocation', a1, { ...a1.block, seq: 2, prev: a1.cid }, null],
    [
      'wrong-account',
      'mallory going on with the chain of alice',
      a1,
      a2with({ account: mallory.did }),
      null,
    ],
    ['gap', 'a skipped number', a1, a2with({ seq: 3 }), null],
    ['gap', 'a repeated number', a1, a2with({ seq: 1 }), null],
    ['gap', 'an opening that is not the first', null, { ...a1.block, seq: 2 }, null],
    ['wrong-prev', 'another past', a1, a2with({ prev: b1.cid }), null],
    ['wrong-prev', 'no past', a1, a2with({ prev: null }), null],
    ['wrong-prev', 'a past before the opening', null, { ...a1.block, prev: b1.cid }, null],
    ['hour-backwards', 'time going backwards', a1, a2with({ hour: HOUR - 1 }), null],
    ['unexpected-link', 'a debit that answers something', a1, a2with({ link }), null],
    ['bad-amount', 'nothing', a1, a2with({ act: { ...act, amount: m(0) } }), null],
    [
      'bad-amount',
      'a negative payment, which would be a theft',
      a1,
      a2with({ act: { ...act, amount: m(-5) } }),
      null,
    ],
    [
      'bad-amount',
      'an amount beyond exact integers',
      a1,
      a2with({ act: { ...act, amount: m(2 ** 53) } }),
      null,
    ],
    ['to-itself', 'alice paying alice', a1, a2with({ act: { ...act, to: alice.did } }), null],
    ['overdraft', 'more than there is', a1, a2with({ act: { ...act, amount: m(1_001) } }), null],
    [
      'wrong-totals',
      'a balance that forgot the debit',
      a1,
      a2with({ totals: { ...totals, balance: m(1_000) } }),
      null,
    ],
    [
      'wrong-totals',
      'an allocation that mallory made up',
      null,
      { ...b1.block, account: mallory.did, totals },
      null,
    ],
    ['hour-backwards', 'half an hour', a1, a2with({ hour: HOUR + 0.5 }), null],
    ['hour-backwards', 'the end of time', a1, a2with({ hour: Number.POSITIVE_INFINITY }), null],
    ['no-debit', 'a credit out of nothing', b1, b2.block, null],
    ['no-debit', 'a credit without a link', b1, b2with({ link: null }), a2.block],
    ['wrong-debit', 'a credit for an opening', b1, b2.block, a1.block],
    ['wrong-debit', 'a cheque of another swarm', b1, b2.block, a2with({ swarm: receipt })],
    [
      'wrong-debit',
      'a cheque for bob cashed by mallory',
      opened(mallory),
      b2with({ account: mallory.did, prev: opened(mallory).cid }),
      a2.block,
    ],
    [
      'wrong-debit',
      'a cheque that is not the linked one',
      b1,
      b2.block,
      a2with({ hour: HOUR + 1 }),
    ],
    ['wrong-debit', 'a wrong link number', b1, b2with({ link: { ...link, seq: 3 } }), a2.block],
    [
      'wrong-debit',
      'a wrong link account',
      b1,
      b2with({ link: { ...link, account: carol.did } }),
      a2.block,
    ],
    ['wrong-debit', 'a wrong payer', b1, b2with({ act: { ...earned, from: carol.did } }), a2.block],
    [
      'wrong-debit',
      'one micro-credit more than the cheque',
      b1,
      b2with({ act: { ...earned, amount: m(31) } }),
      a2.block,
    ],
    [
      'wrong-debit',
      'another receipt',
      b1,
      b2with({ act: { ...earned, receipt: otherReceipt } }),
      a2.block,
    ],
  ])('with %s: %s', (expected, _what, before, block, answers) => {
    expect(code(before, block, answers)).toBe(expected)
  })

  it('a cheque of another swarm, even when all else fits', () => {
    const foreign: Block = { ...a2.block, swarm: otherReceipt }
    const cashed = b2with({ link: { ...link, cid: cidOf(foreign) } })
    expect(code(b1, cashed, foreign)).toBe('wrong-debit')
    expect(code(b1, b2with({ link: { ...link, cid: cidOf(a2.block) } }), a2.block)).toBe('fine')
  })

  it('sums that integers cannot hold exactly', () => {
    const most = Number.MAX_SAFE_INTEGER
    const full: Tip = {
      ...b1,
      block: { ...b1.block, totals: { ...b1.block.totals, received: m(most) } },
    }
    const received = m(most + 30)
    const credited = b2with({ totals: { ...b2.block.totals, received } })
    expect(code(full, credited, a2.block)).toBe('wrong-totals')
  })

  it('a second credit for one debit', () => {
    const b3 = must(credit(b2, a2, HOUR))
    const chain = [
      { block: b1.block, answers: null },
      { block: b2.block, answers: a2.block },
      { block: b3.block, answers: a2.block },
    ]
    const result = validateChain(chain, swarm, cidOf)
    expect(result.ok ? null : result.error).toMatchObject({ code: 'answered-twice', seq: 3 })
    expect(validateChain(chain.slice(0, 2), swarm, cidOf)).toMatchObject({ ok: true, value: b2 })
  })
})

/** Every way to change one leaf of a block, and to drop or add one. */
const mutations = (
  value: unknown,
  path: readonly string[] = [],
): { path: string; block: unknown }[] => {
  if (value === null) return [{ path: path.join('.'), block: cidOf({ not: 'null' }) }]
  if (typeof value === 'number') {
    return [1, -1, 2 ** 32].map((by) => ({ path: `${path.join('.')}+${by}`, block: value + by }))
  }
  if (typeof value === 'string') {
    const others: unknown[] =
      path.join('.') === 'act.act'
        ? ['open', 'debit', 'credit', 'burn'].filter((act) => act !== value)
        : [mallory.did, cidOf({ another: path.join('.') })]
    return others.map((other) => ({ path: path.join('.'), block: other }))
  }
  return Object.entries(value as object).flatMap(([key, item]) =>
    mutations(item, [...path, key]).map((change) => ({
      path: change.path,
      block: { ...(value as object), [key]: change.block },
    })),
  )
}

describe('no single field of a written chain can be changed', () => {
  /** What the author alone decides: only its signature, and the blocks that follow, pin these. */
  const free = new Set([
    'hour+1',
    `hour+${2 ** 32}`,
    'act.receipt',
    'act.to',
    'v+1',
    'v+-1',
    `v+${2 ** 32}`,
    'kind',
  ])

  it('in a debit', () => {
    const next = must(debit(a2, carol.did, microCredits(5), otherReceipt, HOUR + 2 ** 33))
    const all = mutations(a2.block)
    expect(all.length).toBeGreaterThan(30)
    for (const { path, block } of all) {
      const changed = block as Block
      if (!free.has(path)) expect([path, code(a1, changed)]).not.toEqual([path, 'fine'])
      expect(cidOf(changed)).not.toBe(a2.cid)
      expect([path, code(tip(changed), next.block)]).not.toEqual([path, 'fine'])
    }
  })

  it('in a credit', () => {
    const next = must(debit(b2, carol.did, microCredits(5), otherReceipt, HOUR + 2 ** 33))
    const pinned = new Set([...free].filter((path) => !path.startsWith('act.')))
    for (const { path, block } of mutations(b2.block)) {
      const changed = block as Block
      if (!pinned.has(path)) expect([path, code(b1, changed, a2.block)]).not.toEqual([path, 'fine'])
      expect(cidOf(changed)).not.toBe(b2.cid)
      expect([path, code(tip(changed), next.block)]).not.toEqual([path, 'fine'])
    }
  })
})

describe('a fork', () => {
  const other = must(debit(a1, mallory.did, microCredits(1_000), otherReceipt, HOUR))

  it('is proved by two blocks of one account at one place', () => {
    expect(isForkProof(a2.block, other.block, cidOf)).toBe(true)
    expect(isForkProof(other.block, a2.block, cidOf)).toBe(true)
  })

  it('is not proved by the same block twice, by two accounts, places or swarms', () => {
    expect(isForkProof(a2.block, { ...a2.block }, cidOf)).toBe(false)
    expect(isForkProof(a1.block, b1.block, cidOf)).toBe(false)
    expect(isForkProof(a1.block, a2.block, cidOf)).toBe(false)
    const elsewhere: Cid = cidOf({ swarm: 2 })
    expect(isForkProof(a2.block, { ...other.block, swarm: elsewhere }, cidOf)).toBe(false)
  })
})

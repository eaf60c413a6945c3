import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory } from '../../test/people.ts'
import { jobId, taskId } from '../base/ids.ts'
import { microCredits } from '../base/units.ts'
import { cidOf } from '../wire/codec.ts'
import { debit, openBlock } from './ledger/append.ts'
import type { Block } from './ledger/block.ts'
import { foundSwarm } from './ledger/genesis.ts'
import { mostFor } from './price.ts'
import {
  forgetSettled,
  paymentProblem,
  receiptFor,
  receiptProblem,
  settle,
  settledBy,
  SETTLED_LIMITS,
  type Agreed,
  type Receipt,
  type ReceiptProblem,
  type Settled,
} from './receipt.ts'

const m = microCredits
const founded = foundSwarm(
  {
    v: 1,
    kind: 'genesis',
    name: 'demo',
    supply: m(10_000),
    allocations: [{ account: alice.did, amount: m(10_000) }],
    hour: 1,
  },
  cidOf,
)
if (!founded.ok) throw new Error(founded.error.code)
const swarm = founded.value
const job = jobId(cidOf({ job: 1 }))
const task = taskId(cidOf({ task: 1 }))
const output = cidOf({ output: 1 })
const other = cidOf({ something: 'else' })
const HOUR = 498_000

const agreed: Required<Agreed> = {
  swarm: swarm.cid,
  job,
  task,
  attempt: 1,
  kernel: 'matmul@1',
  requester: alice.did,
  worker: bob.did,
  inputs: [cidOf({ a: 1 }), cidOf({ b: 1 })],
  flop: 2_147_483_648,
  bytes: 12_582_912,
  price: m(2_168),
  output,
  hour: HOUR,
}
const receipt = receiptFor(agreed, 'freivalds')

describe('before bob countersigns a receipt of alice', () => {
  it('he finds it in order when it says what both agreed on and what he delivered', () => {
    expect(receiptProblem(receipt, agreed)).toBeNull()
  })

  it('he takes it at whatever hour alice has: clocks jump, and nothing is paid by the hour', () => {
    for (const hour of [0, HOUR - 24, HOUR + 2])
      expect(receiptProblem({ ...receipt, hour }, agreed)).toBeNull()
  })

  it.each<[ReceiptProblem, Partial<Receipt>]>([
    ['wrong-swarm', { swarm: other }],
    ['wrong-requester', { requester: mallory.did }],
    ['not-mine', { worker: carol.did }],
    ['wrong-job', { job: jobId(other) }],
    ['wrong-task', { task: taskId(other) }],
    ['wrong-attempt', { attempt: 2 }],
    ['wrong-kernel', { kernel: 'matmul@2' }],
    ['wrong-inputs', { inputs: [] }],
    ['wrong-inputs', { inputs: agreed.inputs.toReversed() }],
    ['wrong-inputs', { inputs: [...agreed.inputs, other] }],
    ['wrong-output', { output: other }],
    ['wrong-metering', { flop: agreed.flop - 1 }],
    ['wrong-metering', { bytes: agreed.bytes + 1 }],
    ['wrong-amount', { microCredits: m(2_167) }],
    ['wrong-amount', { microCredits: m(2_169) }],
    ['wrong-amount', { microCredits: m(0) }],
  ])('he refuses it with %s when it says %j', (code, change) => {
    expect(receiptProblem({ ...receipt, ...change }, agreed)).toBe(code)
  })
})

describe('a price above the formula', () => {
  it('is refused by whoever sees the receipt, though both have agreed on it', () => {
    const price = m(mostFor(agreed.flop, agreed.bytes) + 1)
    const dear = receiptFor({ ...agreed, price }, 'freivalds')
    expect(receiptProblem(dear, { ...agreed, price })).toBe('above-formula')
  })

  it('is any price at all where the metering is beyond what can be counted', () => {
    const change = { flop: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER }
    expect(receiptProblem({ ...receipt, ...change }, { ...agreed, ...change })).toBe(
      'above-formula',
    )
  })
})

describe('a payment', () => {
  const cid = cidOf(receipt)
  const open = openBlock(swarm, alice.did, HOUR)
  const written = debit({ cid: cidOf(open), block: open }, bob.did, receipt.microCredits, cid, HOUR)
  if (!written.ok) throw new Error(written.error.code)
  const cheque = written.value
  const act = cheque.act as Extract<Block['act'], { act: 'debit' }>

  it('fits its receipt', () => {
    expect(paymentProblem(receipt, cid, cheque)).toBeNull()
  })

  it('is due unless the work was free', () => {
    expect(paymentProblem(receipt, cid, null)).toBe('no-cheque')
    expect(paymentProblem({ ...receipt, microCredits: m(0) }, cid, null)).toBeNull()
  })

  it.each<[string, Block]>([
    ['from somebody else', { ...cheque, account: mallory.did }],
    ['to somebody else', { ...cheque, act: { ...act, to: mallory.did } }],
    ['of too little', { ...cheque, act: { ...act, amount: m(2_167) } }],
    ['for other work', { ...cheque, act: { ...act, receipt: other } }],
    ['in another swarm', { ...cheque, swarm: other }],
    ['that is none', open],
  ])('%s is refused', (_what, block) => {
    expect(paymentProblem(receipt, cid, block)).toBe('wrong-cheque')
  })
})

describe('a settled task', () => {
  const jobs = Array.from({ length: 3 }, (_, i) => jobId(cidOf({ job: i })))
  const tasks = Array.from({ length: 4 }, (_, i) => taskId(cidOf({ task: i })))

  it('is never paid again, whatever comes back and in whatever order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), fc.nat(3), fc.nat(5)), { maxLength: 60 }),
        (results) => {
          const settled: Settled = new Map()
          const paid = new Map<string, number>()
          for (const [j, t, r] of results) {
            const made = settle(settled, jobs[j]!, tasks[t]!, [cidOf({ receipt: r })])
            if (made.ok) paid.set(`${j}/${t}`, (paid.get(`${j}/${t}`) ?? 0) + 1)
            else expect(made.error.code).toBe('already-settled')
          }
          for (const times of paid.values()) expect(times).toBe(1)
          expect(paid.size).toBe(new Set(results.map(([j, t]) => `${j}/${t}`)).size)
        },
      ),
      { numRuns: 100, seed: 1 },
    )
  })

  it('keeps the receipts of all its replicas, and the first settlement stands', () => {
    const settled: Settled = new Map()
    const two = [cidOf({ r: 1 }), cidOf({ r: 2 })]
    expect(settle(settled, job, task, two).ok).toBe(true)
    expect(settle(settled, job, task, [other])).toEqual({
      ok: false,
      error: { code: 'already-settled' },
    })
    expect(settledBy(settled, job, task)).toEqual(two)
    expect(settledBy(structuredClone(settled), job, task)).toEqual(two)
  })

  it('is refused, and nothing is forgotten, when the table is full', () => {
    const settled: Settled = new Map()
    for (let i = 0; i < SETTLED_LIMITS.jobs; i++) {
      expect(settle(settled, jobId(`job ${i}`), task, []).ok).toBe(true)
    }
    expect(settle(settled, jobId('one more'), task, [])).toMatchObject({
      error: { code: 'too-many-jobs' },
    })
    expect(settle(settled, jobId('job 0'), task, [])).toMatchObject({
      error: { code: 'already-settled' },
    })
    for (let i = 1; i < SETTLED_LIMITS.tasksPerJob; i++)
      settle(settled, jobId('job 0'), taskId(`${i}`), [])
    expect(settle(settled, jobId('job 0'), taskId('more'), [])).toMatchObject({
      error: { code: 'too-many-tasks' },
    })
    expect(settle(settled, jobId('job 1'), taskId('x'), Array(6).fill(other))).toMatchObject({
      error: { code: 'too-many-receipts' },
    })
    forgetSettled(settled, jobId('job 0'))
    expect(settle(settled, jobId('one more'), task, []).ok).toBe(true)
  })
})

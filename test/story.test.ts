/**
 * The story of one job, from request to credit, told in the order in which it happens. Alice lends her
 * device, bob has a job and the credits for it. Everything here is the product's own code; only the
 * ports are unreal, so that an hour passes in a moment.
 */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { evaluate } from '../src/core/evaluate.ts'
import { auditSwarm } from '../src/core/ledger/audit.ts'
import { plan } from '../src/core/plan.ts'
import { viewAs } from '../kernels/kernel.ts'
import { compile } from '../src/spec/compile.ts'
import { parseSpec } from '../src/spec/spec.ts'
import { world } from '../src/sim/world.ts'
import { cidOf } from '../src/wire/codec.ts'

const SUPPLY = 1_000_000
const ALICE = {
  speed: 2_000,
  adapter: 'gpu',
  lends: true,
  freeTier: true,
  asks: false,
  lie: null,
  plays: 'fair',
  liesPermille: 0,
} as const

it('a job is asked for, computed by somebody else, checked, receipted and paid', () => {
  // 1. A person writes one Markdown file; it becomes a job, named by its content.
  const text = readFileSync('public/jobs/mandelbrot.swarm.md', 'utf8')
  const sizes = { width: '64', height: '48', iterations: '60', tile: '16' }
  const spec = parseSpec(text, 'mandelbrot.swarm.md', sizes)
  if (!spec.ok) throw new Error(spec.error[0]!.text)
  const job = compile(spec.value, {})
  if (!job.ok) throw new Error(job.error[0]!.text)

  // 2. The job is a plan: tasks with their cost in operations, bytes and micro-credits.
  const planned = plan(job.value)
  if (!planned.ok) throw new Error(planned.error.what)
  expect(planned.value.tasks).toHaveLength(12)

  // 3. Alice starts lending: she measures her device and tells the registry what it can do.
  const swarm = world({ seed: 7, rich: ['bob'], share: SUPPLY, liars: false, realSignatures: true })
  const alice = swarm.add('alice', ALICE)
  const bob = swarm.add('bob', { ...ALICE, lends: false, asks: true })
  swarm.arrive(alice)
  swarm.arrive(bob)
  swarm.time.run(10_000, 1_000_000)
  const aliceNow = () => alice.life!.peer.handle.view()
  const bobNow = () => bob.life!.peer.handle.view()
  expect(aliceNow().donate.state).toBe('ready')

  // 4. Bob asks. His node finds alice, draws her for each task, asks her load and offers leases.
  const id = bob.life!.peer.handle.submit(job.value, spec.value.title, {})
  swarm.time.run(12_000, 1_000_000)
  expect(bobNow().nodes.find(({ account }) => account === alice.account)?.link).toBe('direct')

  // 5. Alice computes, commits to each result before she knows how it will be checked, and reveals it.
  // 6. Bob checks a secret sample of every tile, to the bit. 7. Both sign a receipt. 8. Credit moves.
  swarm.time.run(120_000, 1_000_000)
  const done = bobNow().jobs.find((each) => each.id === id)!
  expect(done.state).toBe('done')
  expect(new Set(done.tasks.map(({ check }) => check))).toEqual(new Set(['bit-equality']))

  // The picture is what one patient computer would have made alone.
  const truth = evaluate(planned.value, {})['image']!
  const output = bob.life!.peer.handle.output(id, 'image')!
  expect(viewAs('u32', output)).toEqual(truth)

  // Every task has a receipt with both signatures, and alice has exactly what bob paid.
  const receipts = bobNow().wallet.receipts
  expect(receipts).toHaveLength(12)
  expect(receipts.every(({ signed }) => signed.workerSig !== null)).toBe(true)
  const price = planned.value.totals.microCredits
  expect(bobNow().wallet.balance).toBe(SUPPLY - price)
  expect(aliceNow().wallet.balance).toBe(price)
  expect(aliceNow().donate.earned).toBe(price)

  // Nothing was made and nothing was lost on the way.
  const chains = [aliceNow(), bobNow()].map(({ wallet }) => wallet.blocks.map(({ body }) => body))
  const audit = auditSwarm(chains, swarm.swarm, cidOf)
  expect(audit.ok && audit.value.inFlight).toBe(0)
})

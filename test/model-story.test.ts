/** A model in parts on three nodes, one of whom lies: told with the real parts, as in `story.test.ts`. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { JobId } from '../src/base/ids.ts'
import { evaluate } from '../src/core/evaluate.ts'
import { auditSwarm } from '../src/core/ledger/audit.ts'
import { plan } from '../src/core/plan.ts'
import { viewAs } from '../kernels/kernel.ts'
import { world } from '../src/sim/world.ts'
import { compile, type GivenInput } from '../src/spec/compile.ts'
import { makeInput, wantedInputs } from '../src/spec/inputs.ts'
import { parseSpec } from '../src/spec/spec.ts'
import { cidOf, cidOfBytes } from '../src/wire/codec.ts'

const SUPPLY = 1_000_000
const HONEST = {
  speed: 40,
  adapter: 'gpu',
  lends: true,
  freeTier: true,
  asks: false,
  lie: null,
  plays: 'fair',
  liesPermille: 0,
} as const

/** With one small picture, so that the story is short. */
const jobOf = (file: string) => {
  const text = readFileSync(`public/jobs/${file}`, 'utf8').replace('f32[4,3,32,32]', 'f32[1,3,8,8]')
  const spec = parseSpec(text, file)
  if (!spec.ok) throw new Error(spec.error[0]!.text)
  const inputs: Record<string, Uint8Array<ArrayBuffer>> = {}
  const named: Record<string, GivenInput> = {}
  for (const wanted of wantedInputs(spec.value)) {
    const { data, dtype, shape } = makeInput(wanted)!
    inputs[wanted.name] = new Uint8Array(data.buffer as ArrayBuffer)
    named[wanted.name] = { cid: cidOfBytes(inputs[wanted.name]!), dtype, shape }
  }
  const job = compile(spec.value, named)
  if (!job.ok) throw new Error(job.error[0]!.text)
  const planned = plan(job.value)
  if (!planned.ok) throw new Error(planned.error.what)
  return { job: job.value, plan: planned.value, inputs }
}

it('a model is cut, computed in parts, checked op by op, and paid to those who were honest', () => {
  const { job, plan: made, inputs } = jobOf('model.swarm.md')
  expect(new Set(made.tasks.map(({ kernel }) => kernel))).toEqual(new Set(['graph@1']))

  const swarm = world({ seed: 7, rich: ['bob'], share: SUPPLY, liars: true, realSignatures: true })
  const people = {
    alice: swarm.add('alice', HONEST),
    carol: swarm.add('carol', HONEST),
    mallory: swarm.add('mallory', {
      ...HONEST,
      speed: 80,
      lie: 'some-elements',
      liesPermille: 1000,
    }),
    bob: swarm.add('bob', { ...HONEST, lends: false, asks: true }),
  }
  for (const person of Object.values(people)) swarm.arrive(person)
  swarm.time.run(10_000, 1_000_000)
  const view = (name: keyof typeof people) => people[name].life!.peer.handle.view()

  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, bytes]) => [name, viewAs('f32', bytes)]),
  )
  const truth = evaluate(made, given)
  swarm.truths.expect(cidOf(job) as JobId, {
    plan: made,
    tensors: truth,
    redundancy: 1,
    trusted: false,
  })
  const id = people.bob.life!.peer.handle.submit(job, 'a model', inputs)
  swarm.time.run(180_000, 1_000_000)
  const done = view('bob').jobs.find((each) => each.id === id)!
  expect(done.state).toBe('done')
  expect(new Set(done.tasks.map(({ check }) => check))).toEqual(new Set(['op-by-op']))

  // Mallory was asked, was found out, and has nothing; her task was done by somebody else.
  expect(swarm.log.count('lie refused')).toBeGreaterThan(0)
  expect(view('mallory').wallet.balance).toBe(0)
  const paid = view('alice').wallet.balance + view('carol').wallet.balance
  expect(paid).toBe(made.totals.microCredits)
  expect(view('bob').wallet.balance).toBe(SUPPLY - paid)

  // What bob has is what one patient computer would have made alone, output by output.
  for (const name of ['scores', 'label']) {
    const { dtype } = made.tensors[name]!
    const output = people.bob.life!.peer.handle.output(id, name)!
    expect(viewAs(dtype, output)).toEqual(truth[name])
  }
  const chains = (['alice', 'bob', 'carol', 'mallory'] as const).map((name) =>
    view(name).wallet.blocks.map(({ body }) => body),
  )
  expect(swarm.log.violations()).toEqual([])
  expect(auditSwarm(chains, swarm.swarm, cidOf).ok).toBe(true)
})

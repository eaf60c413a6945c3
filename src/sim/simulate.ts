/**
 * One run of the simulator: build a swarm, let a scenario unfold, bring everybody back, and see that
 * what was promised holds. The same seed gives the same digest.
 */
import { viewAs, type TensorData } from '../../kernels/kernel.ts'
import { prng, type Prng } from '../base/prng.ts'
import type { Cid, JobId } from '../base/ids.ts'
import { microCredits, ms } from '../base/units.ts'
import { evaluate } from '../core/evaluate.ts'
import type { Job, Program } from '../core/job.ts'
import { auditSwarm } from '../core/ledger/audit.ts'
import { plan } from '../core/plan.ts'
import type { ChainEntry } from '../peer/wallet.ts'
import { cidOf, cidOfBytes } from '../wire/codec.ts'
import { personFor, type Scenario } from './scenarios.ts'
import { CALM, world, type SimNode, type World } from './world.ts'

export type SimOptions = {
  readonly scenario: Scenario
  readonly seed: number
  readonly nodes: number
  /** Virtual time in which fate has its way. */
  readonly forMs: number
}

export type SimReport = {
  readonly scenario: string
  readonly seed: number
  readonly nodes: number
  readonly simulatedMs: number
  readonly events: number
  readonly digest: string
  readonly violations: readonly string[]
  readonly measures: Readonly<Record<string, number>>
}

/** After fate has done its work, so long may it take until every job is finished and paid. */
const QUIET_MS = 300_000
const SUPPLY = 1_000_000_000

type Asked = { readonly node: SimNode; readonly id: JobId; readonly submittedAt: number }

export const simulate = ({ scenario, seed, nodes, forMs }: SimOptions): SimReport => {
  const random = prng(seed)
  const askers = Math.max(1, Math.floor(nodes / 8))
  const names = Array.from({ length: nodes }, (_, i) => `node-${i}`)
  const rich = Array.from({ length: askers }, (_, i) => `asker-${i}`)
  const w = world(seed, names, rich, SUPPLY)
  names.forEach((name, i) => {
    const node = w.add(name, personFor(i, scenario, nodes, random))
    w.time.after(random.below(2_000), () => w.arrive(node))
  })
  const asked: Asked[] = []
  for (const name of rich) {
    const node = w.add(name, { speed: 1_000, adapter: 'cpu', lends: false, lie: null, liesPermille: 0 })
    w.time.after(random.below(1_000), () => w.arrive(node))
    submitLater(w, node, random, forMs, asked)
  }
  scenario.unfold(w, forMs)
  w.run(forMs)
  calmDown(w)
  let until = forMs
  while (until < forMs + QUIET_MS && !allPaid(w, asked)) w.run((until += 5_000))
  return report(w, { scenario, seed, nodes, forMs }, asked, until)
}

const submitLater = (w: World, node: SimNode, random: Prng, forMs: number, asked: Asked[]): void => {
  w.time.after(5_000 + random.below(Math.max(1, forMs / 3)), () => {
    const { job, inputs } = randomJob(random)
    // Asked for again when its owner is away: a wish is not forgotten.
    const attempt = (): void => {
      if (!node.life) return w.time.after(2_000, attempt)
      const planned = plan(job)
      if (!planned.ok) return w.books.violate('plan', planned.error.what)
      const id = cidOf(job) as JobId
      const given = Object.fromEntries(Object.entries(inputs).map(([name, bytes], i) => [name, view(job, i, bytes)]))
      w.books.expect(id, { plan: planned.value, tensors: evaluate(planned.value, given), redundancy: job.redundancy })
      asked.push({ node, id, submittedAt: w.time.now() })
      node.life.peer.handle.submit(job, 'simulated', inputs)
      w.time.after(1_000, () => {
        // Gone before the job was on its disk: nothing was acknowledged, so it is asked for again.
        if (node.disk.has(`jobs ${id}`)) return
        asked.splice(asked.findIndex((each) => each.id === id), 1)
        attempt()
      })
    }
    attempt()
  })
}

const view = (job: Job, i: number, bytes: Uint8Array): TensorData => viewAs(job.inputs[i]!.dtype, bytes)

const floats = (random: Prng, length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Float32Array.from({ length }, () => random.float() * 2 - 1).buffer)

const bytesOf = (random: Prng, length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, () => random.below(256))

/** Small jobs of every kind: what is simulated is the swarm, not the arithmetic. */
const randomJob = (random: Prng): { job: Job; inputs: Record<string, Uint8Array<ArrayBuffer>> } => {
  const n = 16 + 8 * random.below(5)
  const make = (program: Program, tile: number, inputs: [string, Job['inputs'][number]['dtype'], number[], Uint8Array<ArrayBuffer>][]) => ({
    job: {
      v: 1 as const,
      spec: cidOfBytes(bytesOf(random, 8)) as Cid,
      name: `sim-${program.kind}`,
      program,
      inputs: inputs.map(([name, dtype, shape, data]) => ({ name, cid: cidOfBytes(data), dtype, shape })),
      needs: { adapter: 'any' as const, memoryBytes: 64 * 2 ** 20 },
      redundancy: random.below(4) === 0 ? 2 : 1,
      deadlineMs: ms(3_600_000),
      budget: microCredits(100_000_000),
      privacy: 'public' as const,
      tile,
    },
    inputs: Object.fromEntries(inputs.map(([name, , , data]) => [name, data])),
  })
  switch (random.below(4)) {
    case 0:
      return make({ kind: 'matmul', dtype: 'f32', m: n, k: n, n }, 8, [
        ['a', 'f32', [n, n], floats(random, n * n)],
        ['b', 'f32', [n, n], floats(random, n * n)],
      ])
    case 1:
      return make({ kind: 'matmul', dtype: 'i8', m: n, k: n, n }, 8, [
        ['a', 'i8', [n, n], bytesOf(random, n * n)],
        ['b', 'i8', [n, n], bytesOf(random, n * n)],
      ])
    case 2: {
      const program: Program = { kind: 'mandelbrot', width: n, height: n, centerX: '-0.5', centerY: '0', zoom: '1', iterations: 30, palette: 'grey' }
      return make(program, 8, [])
    }
    default:
      return make({ kind: 'map', length: n * n, program: 'x * x + 0.5' }, 64, [['x', 'f32', [n * n], floats(random, n * n)]])
  }
}

const calmDown = (w: World): void => {
  w.setWeather(CALM)
  w.network.partition(null)
  w.directory.setUp(true)
  for (const node of w.nodes.values()) w.arrive(node)
}

const isDone = ({ node, id }: Asked): boolean => {
  const stored = node.disk.get(`jobs ${id}`) as { phase: string } | undefined
  return stored?.phase === 'done'
}

const allPaid = (w: World, asked: readonly Asked[]): boolean =>
  asked.every(isDone) && w.books.facts().inFlight === 0

const chainOf = (node: SimNode): ChainEntry[] =>
  [...node.disk]
    .filter(([key]) => key.startsWith('blocks '))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value as ChainEntry)

const report = (w: World, { scenario, seed, nodes }: SimOptions, asked: readonly Asked[], until: number): SimReport => {
  const done = asked.filter(isDone).length
  if (done < asked.length) w.books.violate('I16-liveness', `${asked.length - done} of ${asked.length} jobs are not done`)
  const facts = w.books.facts()
  if (facts.inFlight !== 0) w.books.violate('I16-settled', `${facts.inFlight} micro-credits are still in flight`)
  const chains = [...w.nodes.values()].map((node) => chainOf(node).map(({ block }) => block.body))
  const audit = auditSwarm(chains, w.swarm, cidOf)
  if (!audit.ok) w.books.violate('I3-audit', audit.error.code)
  return {
    scenario: scenario.name,
    seed,
    nodes,
    simulatedMs: until,
    events: w.time.events(),
    digest: w.digest(),
    violations: w.books.violations(),
    measures: { jobs: asked.length, done, ...facts, largestHead: w.network.largestHead() },
  }
}

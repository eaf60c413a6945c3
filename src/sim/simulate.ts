/**
 * One run of the simulator: build a swarm, let fate have its way, bring everybody back, and see that
 * what was promised holds. The same options give the same digest.
 */
import { prng } from '../base/prng.ts'
import { auditSwarm } from '../core/ledger/audit.ts'
import type { ChainEntry } from '../peer/books-on-disk.ts'
import { nameOf } from '../wire/signed.ts'
import { giveUp, isOver, keepAsking, type Asked, type Wishes } from './asking.ts'
import { overLimits } from './limits.ts'
import { measuresOf } from './measures.ts'
import { askerFor, personFor, type Scenario } from './scenarios.ts'
import { lend, type SimNode } from './life.ts'
import { CALM, world, type World } from './world.ts'

export type SimOptions = {
  readonly scenario: Scenario
  readonly seed: number
  readonly nodes: number
  /** Virtual time in which fate has its way. */
  readonly forMs: number
  /** Ed25519 in place of a keyed hash: slow, and now and then worth it. */
  readonly realSignatures?: boolean
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
  /** How often what was seen: a rare path that no seed reaches is a path nobody has tried. */
  readonly seen: Readonly<Record<string, number>>
}

/** After fate has done its work, so long may it take until every job is finished and paid. */
const HEAL_MS = 300_000
const LOOK_MS = 2_000
/** Then nothing is left to do, and so long the swarm is watched doing nothing. */
const IDLE_MS = 60_000
/** What an idle node may do in a minute: look for others four times, and renew what it said of itself. */
const IDLE_EVENTS = 60
const IDLE_HEADS = 6
const SHARE = 100_000_000
/** No node does more than this in a second, even while all come at once: more is a loop that runs away. */
const EVENTS_PER_NODE_SECOND = 2_000

export const simulate = (options: SimOptions): SimReport => {
  const { scenario, seed, nodes, forMs } = options
  const rich = Array.from({ length: Math.max(2, Math.floor(nodes / 6)) }, (_, i) => `asker-${i}`)
  const w = world({
    seed,
    rich,
    share: SHARE,
    liars: scenario.liarsPermille > 0,
    realSignatures: options.realSignatures ?? false,
  })
  const wishes = populate(w, options, rich)
  let until = 0
  const run = (to: number): void => {
    const span = to - w.time.now()
    w.time.run(to, Math.ceil((w.nodes.size * EVENTS_PER_NODE_SECOND * span) / 1000))
    until = to
  }
  const inspect = (to: number): void => {
    while (until < to) {
      run(Math.min(to, until + LOOK_MS))
      for (const node of w.nodes.values()) overLimits(w.log, node)
    }
  }
  try {
    scenario.fate(w, forMs)
    inspect(forMs)
    heal(w, wishes.asked)
    while (until < forMs + HEAL_MS && !allSettled(w, wishes)) inspect(until + LOOK_MS)
    judge(w, wishes)
    idle(w, run)
  } catch (cause) {
    w.log.violate(
      'crash',
      cause instanceof Error
        ? (cause.stack ?? cause.message).split('\n').slice(0, 6).join(' | ')
        : String(cause),
    )
  }
  return {
    scenario: scenario.name,
    seed,
    nodes,
    simulatedMs: w.time.now(),
    events: w.time.events(),
    digest: w.digest(),
    violations: w.log.violations(),
    measures: measuresOf(w, wishes.asked),
    seen: w.log.seen(),
  }
}

const populate = (
  w: World,
  { scenario, seed, nodes, forMs }: SimOptions,
  rich: readonly string[],
): Wishes => {
  const random = prng(seed ^ 0x7e09)
  const wishes: Wishes = { asked: [], pending: 0 }
  for (let i = 0; i < nodes; i++) {
    const node = w.add(`node-${i}`, personFor(i, scenario, nodes, random))
    w.time.after(random.below(2_000), () => w.arrive(node))
    if (node.person.asks) keepAsking(w, node, forMs, wishes, scenario)
  }
  for (const [i, name] of rich.entries()) {
    const node = w.add(name, askerFor(i, scenario))
    // Every other one has been here before, and has found the first node reliable.
    if (i % 2 === 1) w.befriend(node, w.nodes.get('node-0')!)
    w.time.after(random.below(1_000), () => w.arrive(node))
    keepAsking(w, node, forMs, wishes, scenario)
  }
  return wishes
}

/** Fate rests, everybody is there and lends, and whoever waits for trust that nobody has earned gives up. */
const heal = (w: World, asked: readonly Asked[]): void => {
  w.calm()
  w.setWeather(CALM)
  w.network.partition(null)
  w.directory.setUp(true)
  for (const node of w.nodes.values()) {
    node.disk.setFull(false)
    if (!node.life) w.arrive(node)
    else if (node.person.lends) lend(node)
  }
  for (const each of asked) if (each.hopeless) giveUp(w, each)
}

const allSettled = (w: World, { asked, pending }: Wishes): boolean =>
  pending === 0 && asked.every(isOver) && w.ledger.inFlight() === 0

const chainOf = (node: SimNode): ChainEntry[] =>
  node.disk.all('blocks').map(({ value }) => value as ChainEntry)

const judge = (w: World, { asked, pending }: Wishes): void => {
  if (pending > 0) w.log.violate('I16-asked', `${pending} wishes have reached no disk`)
  const open = asked.filter((each) => !isOver(each))
  for (const { node, id } of open.slice(0, 3)) {
    const job = node.life?.peer.handle.view().jobs.find((each) => each.id === id)
    const text = `${job?.state} ${job?.verified}/${job?.tasks.length} ${job?.problem?.code ?? ''}`
    w.log.violate('I16-liveness', `${node.name}: ${job?.job.name} is ${text}`)
  }
  if (w.ledger.inFlight() !== 0)
    w.log.violate('I16-settled', `${w.ledger.inFlight()} micro-credits are still in flight`)
  const chains = [...w.nodes.values()].map((node) => chainOf(node).map(({ block }) => block.body))
  const audit = auditSwarm(chains, w.swarm, nameOf)
  if (!audit.ok) w.log.violate('I3-audit', audit.error.code)
}

const isBusy = (w: World): boolean =>
  [...w.nodes.values()].some((node) =>
    node.life?.peer.handle
      .view()
      .jobs.some(({ state }) => state === 'running' || state === 'waiting-for-nodes'),
  )

/** A swarm with nothing to do is quiet. */
const idle = (w: World, run: (to: number) => void): void => {
  const heads = (): number =>
    Object.entries(w.log.seen()).reduce(
      (sum, [what, n]) => sum + (what.startsWith('head: ') ? n : 0),
      0,
    )
  // A job that was given up may still be on its way to the end; late probes, last farewells.
  for (let waited = 0; waited < HEAL_MS && isBusy(w); waited += LOOK_MS) run(w.time.now() + LOOK_MS)
  run(w.time.now() + 10_000)
  const before = { events: w.time.events(), heads: heads() }
  run(w.time.now() + IDLE_MS)
  const perNode = (n: number): number => Math.round(n / w.nodes.size)
  const events = perNode(w.time.events() - before.events)
  const said = perNode(heads() - before.heads)
  if (events > IDLE_EVENTS || said > IDLE_HEADS) {
    w.log.violate('I19-restless', `${events} events and ${said} heads per node in an idle minute`)
  }
}

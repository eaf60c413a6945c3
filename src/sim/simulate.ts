/**
 * One run of the simulator: build a swarm, let fate have its way, bring everybody back, and see that
 * what was promised holds. The same options give the same digest.
 */
import type { JobId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { auditSwarm } from '../core/ledger/audit.ts'
import type { ChainEntry } from '../peer/books-on-disk.ts'
import { nameOf } from '../wire/signed.ts'
import { giveUp, keepAsking, loseJobs, noteEnd, noWishes, type Wishes } from './asking.ts'
import { quiet } from './quiet.ts'
import { overLimits } from './limits.ts'
import { measuresOf } from './measures.ts'
import { askerFor, personFor, type Scenario } from './scenarios.ts'
import { lend, type Plant, type SimNode } from './life.ts'
import { CALM, world, type World } from './world.ts'

export type SimOptions = {
  readonly scenario: Scenario
  readonly seed: number
  readonly nodes: number
  /** Virtual time in which fate has its way, at least a second. */
  readonly forMs: number
  /** Ed25519 in place of a keyed hash: slow, and now and then worth it. */
  readonly realSignatures?: boolean
  /** Most messages are handed over as they are; so it is in big swarms, unless said otherwise. */
  readonly sparseWire?: boolean
  /** For tests: a fault that must be caught. */
  readonly plant?: Plant
  /** Hears now and then how far the virtual time is; `ofMs` may still grow. */
  readonly progress?: (atMs: number, ofMs: number) => void
}

export type SimReport = {
  readonly scenario: string
  readonly seed: number
  readonly nodes: number
  /** What fate was given, as the options had it. */
  readonly forMs: number
  readonly simulatedMs: number
  readonly events: number
  readonly digest: string
  readonly violations: readonly string[]
  /** How often each promise was broken, also where it is not written out above. */
  readonly broken: Readonly<Record<string, number>>
  /** The last messages before the first violation. */
  readonly trail: readonly string[]
  readonly measures: Readonly<Record<string, number>>
  /** How often what was seen: a rare path that no seed reaches is a path nobody has tried. */
  readonly seen: Readonly<Record<string, number>>
}

/** After fate has done its work, so long may it take until every job is finished and paid. */
const HEAL_MS = 300_000
/** Slow devices may take an hour for what others do in minutes; what they give away comes back slowly. */
const SLOW_HEAL_MS = 3_600_000
const LOOK_MS = 2_000
/** Nodes whose tables are looked at each time: in big swarms all of them would cost more than the run. */
const LOOKED_AT = 100
const SHARE = 100_000_000
/** Where everybody stays and nothing breaks, one link in ten still finds no direct way. */
const USUAL = { ...CALM, relayedLinks: 0.1 }
/** No node does more than this in a second, even while all come at once: more is a loop that runs away. */
const EVENTS_PER_NODE_SECOND = 2_000
/** Up to so many nodes, every message takes the wire's form. */
const WHOLE_WIRE_NODES = 200

export const simulate = (options: SimOptions): SimReport => {
  const { scenario, seed, nodes, forMs, plant } = options
  const rich = Array.from({ length: Math.max(2, Math.floor(nodes / 6)) }, (_, i) => `asker-${i}`)
  const w = world({
    seed,
    rich,
    share: SHARE,
    liars: scenario.liarsPermille > 0,
    realSignatures: options.realSignatures ?? false,
    sparseWire: options.sparseWire ?? nodes > WHOLE_WIRE_NODES,
    ...(plant ? { plant } : {}),
  })
  const wishes = noWishes()
  try {
    populate(w, options, rich, wishes)
    live(w, options, wishes)
  } catch (cause) {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    w.log.violate('crash', stack.split('\n').slice(0, 6).join(' | '))
  }
  return {
    scenario: scenario.name,
    seed,
    nodes,
    forMs,
    simulatedMs: w.time.now(),
    events: w.time.events(),
    digest: w.digest(),
    violations: w.log.violations(),
    broken: w.log.broken(),
    trail: w.log.trail(),
    measures: measuresOf(w, wishes.asked),
    seen: w.log.seen(),
  }
}

const populate = (
  w: World,
  { scenario, seed, nodes, forMs }: SimOptions,
  rich: readonly string[],
  wishes: Wishes,
): void => {
  const random = prng(seed ^ 0x7e09)
  w.onLanded((_node, writes) => {
    for (const { table, key } of writes) if (table === 'jobs') noteEnd(w, wishes, key as JobId)
  })
  w.onWiped((node) => {
    loseJobs(w, wishes, node)
    w.ledger.forgot(node.account)
  })
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
}

const live = (w: World, { scenario, forMs, progress }: SimOptions, wishes: Wishes): void => {
  const all = [...w.nodes.values()]
  let looks = 0
  const run = (to: number): void => {
    while (w.time.now() < to) {
      const until = Math.min(to, w.time.now() + LOOK_MS)
      const span = until - w.time.now()
      w.time.run(until, Math.ceil((all.length * EVENTS_PER_NODE_SECOND * span) / 1000))
      for (let i = 0; i < Math.min(LOOKED_AT, all.length); i++)
        overLimits(w.log, all[looks++ % all.length]!)
      progress?.(w.time.now(), Math.max(to, forMs))
    }
  }
  w.setWeather(USUAL)
  scenario.fate(w, forMs)
  run(forMs)
  heal(w, wishes)
  const patience = scenario.slow ? SLOW_HEAL_MS : HEAL_MS
  while (w.time.now() < forMs + patience && !allSettled(w, wishes)) run(w.time.now() + LOOK_MS)
  judge(w, wishes)
  quiet(w, run)
}

/** Fate rests, everybody is there and lends, and whoever waits for trust that nobody has earned gives up. */
const heal = (w: World, wishes: Wishes): void => {
  w.calm()
  w.setWeather(USUAL)
  w.network.partition(null)
  w.setRelay(true)
  for (const node of w.nodes.values()) {
    node.disk.setFull(false)
    node.deviceLostUntil = 0
    if (!node.life) w.arrive(node)
    else if (node.person.lends) lend(node)
  }
  for (const each of wishes.asked)
    if (each.hopeless || cannotSign(w, each.node)) giveUp(w, wishes, each)
}

/** Who lost its disk, and knows less of its past than others do, signs nothing, or nothing that counts. */
const cannotSign = (w: World, node: SimNode): boolean =>
  node.lostDisk &&
  (w.ledger.hasSecondHistory(node.account) ||
    (node.life?.peer.handle.view().problems ?? []).some(({ code }) => code.startsWith('own-')))

const allSettled = (w: World, { open, pending }: Wishes): boolean =>
  pending === 0 && open === 0 && w.ledger.inFlight() === 0

const chainOf = (node: SimNode): ChainEntry[] =>
  node.disk.all('blocks').map(({ value }) => value as ChainEntry)

const judge = (w: World, { asked, pending }: Wishes): void => {
  if (pending > 0) w.log.violate('I16-asked', `${pending} wishes have reached no disk`)
  for (const { node, id, end } of asked) {
    if (end !== null || cannotSign(w, node)) continue
    const job = node.life?.peer.handle.view().jobs.find((each) => each.id === id)
    const terms = `${job?.job.privacy}, budget ${job?.job.budget}, ${job?.job.redundancy} times`
    const text = `${job?.state} ${job?.verified}/${job?.tasks.length} ${job?.problem?.code ?? ''}`
    w.log.violate('I16-liveness', `${node.name}: ${job?.job.name} (${terms}) is ${text}`)
  }
  if (w.ledger.inFlight() !== 0)
    w.log.violate('I16-settled', `${w.ledger.inFlight()} micro-credits are still in flight`)
  // Where somebody has two histories, the books of all do not fit together any more.
  if (w.ledger.secondHistories() > 0) return
  // What was lost with a disk has been written all the same.
  const chains = [...w.nodes.values()].map((node) =>
    node.lostDisk ? w.ledger.chain(node.account) : chainOf(node).map(({ block }) => block.body),
  )
  const audit = auditSwarm(chains, w.swarm, nameOf)
  if (!audit.ok) w.log.violate('I3-audit', audit.error.code)
}

/** One node from the day it arrives until it dies: the product's own peer, in a body of virtual ports. */
import { utf8 } from '../base/bytes.ts'
import { peerId, type Did, type PeerId } from '../base/ids.ts'
import { prng, type Prng } from '../base/prng.ts'
import type { Swarm } from '../core/ledger/genesis.ts'
import type { Desk } from '../peer/desk.ts'
import { peer, type Peer } from '../peer/peer.ts'
import type { NodeHandle } from '../peer/view.ts'
import type { Capability, Reachability } from '../ports.ts'
import { peerIdFromPublicKey, sha256 } from '../wire/codec.ts'
import { simDesk } from './desk.ts'
import type { SimDirectory } from './directory.ts'
import type { Disk } from './disk.ts'
import type { Journal } from './journal.ts'
import { meddler } from './meddler.ts'
import type { Receiver, SimNetwork } from './network.ts'
import type { Notary } from './notary.ts'
import type { Person } from './people.ts'
import type { Timeline } from './time.ts'
import type { WorkWatch } from './work-watch.ts'

type Life = {
  readonly peer: Peer
  readonly self: PeerId
  ready: boolean
  /** Lets something happen to it: later while it is frozen, never once this life has ended. */
  inside(then: () => void): void
}

export type SimNode = {
  readonly name: string
  readonly account: Did
  readonly person: Person
  readonly disk: Disk
  /** Null while it is away. A new life has a new session key, as a reloaded page does. */
  life: Life | null
  lives: number
  /** A frozen tab does nothing until then; what happens meanwhile waits. */
  frozenUntil: number
  readonly backlog: (() => void)[]
  /** All it had was lost once: what others had agreed with it before may stay as it is. */
  lostDisk: boolean
  /** Its device answers every task with an error until then. */
  deviceLostUntil: number
  /** How often it was called, and what it has said: an idle node does little of either. */
  acts: number
  heads: number
  /** What its owner last wanted: nothing is begun that was not wanted. */
  will: { lends: boolean; paused: boolean }
}

/** A fault put into a node on purpose, to see that it is caught: another desk in place of its own. */
export type Plant = (desk: Desk, node: SimNode, time: Timeline) => Desk

export type Around = {
  readonly seed: number
  readonly random: Prng
  readonly time: Timeline
  readonly log: Journal
  readonly network: SimNetwork
  readonly directory: SimDirectory
  readonly notary: Notary
  readonly swarm: Swarm
  readonly work: WorkWatch
  /** Whose life a session key is, or was. */
  readonly byPeer: Map<PeerId, SimNode>
  readonly plant: Plant
  step(node: SimNode, what: string): void
}

const RELAY = '/ip4/127.0.0.1/tcp/1/ws'
/** What the three-second benchmark of a device takes. */
const MEASURE_MS = 3_000
/** By then a node has read its disk and goes on with what it finds there. */
const RESUMED_MS = 500
/** Clocks of strangers are wrong by up to this much. */
const SKEW_MS = 10_000
/** A node hears within this time that the relay has gone, or come back. */
const HEARD_MS = 5_000

/** What the owner of a node can press: nothing while it is away or still reading its disk. */
export const handleOf = ({ life }: SimNode): NodeHandle | null =>
  life?.ready ? life.peer.handle : null

export const arrive = (around: Around, node: SimNode): void => {
  if (node.life) return
  const { seed, random, time, log, network, work, byPeer, directory } = around
  node.lives += 1
  const key = sha256(utf8(`${seed} ${node.name} life ${node.lives}`))
  const self = peerId(peerIdFromPublicKey(key))
  const alive = (): boolean => node.life?.self === self
  const inside = bodyOf(time, node, alive)
  byPeer.set(self, node)
  const desk = simDesk({
    ...around,
    account: node.account,
    self,
    relay: RELAY,
    disk: node.disk,
    person: node.person,
    deviceLost: () => node.deviceLostUntil > time.now(),
    seed: random.u32(),
    skewMs: (node.person.clock ?? 0) + random.below(2 * SKEW_MS) - SKEW_MS,
    later: (delayMs, then) => time.after(delayMs, () => inside(then)),
    wake: () => life.wake(),
    facts: {
      computes: () =>
        (node.will.lends && !node.will.paused) ||
        log.violate('I20-consent', `${node.name} computes unasked`),
      deviceLost() {
        log.saw('device lost under a task')
        life.handle.condition('device-lost', true)
      },
      said: (lease, cid, truth) => work.said(node.account, lease, cid, truth),
      wrote: (writes) => {
        work.wrote(node.account, writes)
        around.step(node, 'wrote')
      },
    },
  })
  const send = meddler(node.person.plays, prng(random.u32()), desk.send)
  const life = peer(around.plant({ ...desk, send }, node, time), {
    swarm: around.swarm,
    agent: 'simulated',
    adapter: () => node.person.adapter,
    measure: (_progress, then) =>
      time.after(MEASURE_MS, () => inside(() => then(capabilityOf(node.person)))),
    measuredShare: () => 0,
    // A key that was here before has a past, which others may hold where the disk does not.
    restored: node.lives > 1,
    recalling: () => log.saw('own chain asked for'),
    backedUp: () => true,
    closed: async () => undefined,
  })
  time.after(RESUMED_MS, () =>
    inside(() => {
      for (const { run } of life.inspect().jobs.values())
        if (run.attemptBase > 0) log.saw('job resumed')
    }),
  )
  const mine: Life = { peer: life, self, ready: false, inside }
  node.life = mine
  network.join(self, receiverOf(around, node, life, inside))
  life.start((problem) => {
    if (problem) log.violate('start', `${node.name}: ${problem.code}`)
    mine.ready = true
    life.reachability(reachable(directory.up()))
    if (node.person.lends) lend(node)
  })
}

const reachable = (relayIsUp: boolean): Reachability =>
  relayIsUp ? { kind: 'reachable', relay: RELAY } : { kind: 'no-relay', detail: 'it is silent' }

/** The relay has gone or come back; a node hears of it sooner or later. */
export const hearOfRelay = ({ random, time, directory }: Around, node: SimNode): void => {
  const { life } = node
  const hear = (): void => {
    if (life?.ready) life.peer.reachability(reachable(directory.up()))
  }
  time.after(random.below(HEARD_MS), () => life?.inside(hear))
}

/** The owner's click: what is lent and on which terms. */
export const lend = (node: SimNode): void => {
  const handle = handleOf(node)
  if (!handle) return
  handle.setLimits({ ...handle.limits(), share: 1, freeTier: node.person.freeTier })
  handle.condition('device-lost', false)
  node.will = { lends: true, paused: false }
  handle.start()
}

/** Dies without a word. */
export const leave = ({ random, log, network, work }: Around, node: SimNode): void => {
  if (!node.life) return
  const { self } = node.life
  node.life = null
  node.will = { lends: false, paused: false }
  node.frozenUntil = 0
  node.deviceLostUntil = 0
  node.backlog.length = 0
  if (node.disk.crash(random) > 0) log.saw('write lost in a crash')
  work.gone(node.account)
  network.vanish(self)
  log.saw('node gone')
}

/** Runs what happens to a node: later while it is frozen, never once this life of it has ended. */
const bodyOf = (time: Timeline, node: SimNode, alive: () => boolean) => {
  const isFrozen = (): boolean => node.frozenUntil > time.now()

  /** All that happened meanwhile happens now, in its order. */
  const thaw = (): void => {
    if (!alive()) return
    if (isFrozen()) return time.after(node.frozenUntil - time.now(), thaw)
    // One that freezes again in the middle of it goes on later.
    for (let then = node.backlog[0]; then && alive() && !isFrozen(); then = node.backlog[0]) {
      node.acts += 1
      then()
      node.backlog.shift()
    }
    if (alive() && node.backlog.length > 0) thaw()
  }

  return (then: () => void): void => {
    if (!alive()) return
    if (!isFrozen() && node.backlog.length === 0) {
      node.acts += 1
      return then()
    }
    node.backlog.push(then)
    if (node.backlog.length === 1) time.after(node.frozenUntil - time.now(), thaw)
  }
}

const receiverOf = (
  { time, log, byPeer, step }: Around,
  node: SimNode,
  life: Peer,
  inside: (then: () => void) => void,
): Receiver => ({
  opened: (from, direct, rttMs) => inside(() => life.opened({ peer: from, direct, rttMs })),
  received: (from, head, body) =>
    inside(() => {
      step(node, `received ${head.k}`)
      life.received(from, head, body)
    }),
  closed: (from) => inside(() => life.closed(from)),
  awake: () => node.frozenUntil <= time.now() && node.backlog.length === 0,
  // A frozen tab cannot be asked; the transport buffers what fits.
  welcome: (from, head) =>
    node.frozenUntil > time.now() && 'bytes' in head ? head.bytes : life.welcome(from, head),
  faulty(from, code) {
    const sender = byPeer.get(from)
    log.saw(`faulty: ${code}`)
    if (sender?.person.plays === 'fair' && node.person.plays === 'fair')
      log.violate('I10-malformed', `${node.name} was sent ${code} by ${sender.name}`)
    inside(() => life.faulty(from, { code, detail: '' }))
  },
})

const capabilityOf = ({ adapter, speed }: Person): Capability => ({
  adapter,
  label: 'virtual',
  f32FlopPerSecond: speed * 1e6,
  i8OpPerSecond: speed * 1e6,
  copyBytesPerSecond: 1e9,
  graphs: { engine: 'gpu', measured: {} },
  memoryBytes: 256 * 2 ** 20,
})

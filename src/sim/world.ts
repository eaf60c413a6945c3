/** A whole swarm in one thread: nodes that come, work, freeze, crash and return, and the eyes kept on them. */
import { assert } from '../base/assert.ts'
import { utf8 } from '../base/bytes.ts'
import { peerId, type Did, type JobId, type PeerId } from '../base/ids.ts'
import { prng, type Prng } from '../base/prng.ts'
import { epochMs, microCredits } from '../base/units.ts'
import { foundSwarm, type Genesis, type Swarm } from '../core/ledger/genesis.ts'
import { peer, type Peer } from '../peer/peer.ts'
import type { NodeHandle } from '../peer/view.ts'
import type { Capability, Write } from '../ports.ts'
import { cidOf, peerIdFromPublicKey, sha256 } from '../wire/codec.ts'
import { HEAD_BYTES_MAX } from '../wire/version.ts'
import { simDesk, SIM_EPOCH_MS } from './desk.ts'
import { simDirectory } from './directory.ts'
import { disk, type Disk } from './disk.ts'
import { journal } from './journal.ts'
import { ledgerWatch } from './ledger-watch.ts'
import { mix } from './mix.ts'
import { simNetwork, type Weather } from './network.ts'
import { oracle } from './oracle.ts'
import { keyedNotary, realNotary, type Notary } from './notary.ts'
import type { Person } from './people.ts'
import { timeline } from './time.ts'
import { workWatch } from './work-watch.ts'

export const CALM: Weather = {
  latencyMs: [2, 40],
  jitterMs: 5,
  loss: 0,
  bytesPerMs: 4_000,
  hangingDials: 0,
  linkMinutes: 0,
}

export type SimNode = {
  readonly name: string
  readonly account: Did
  readonly person: Person
  readonly disk: Disk
  /** Null while it is away. A new life has a new session key, as a reloaded page does. */
  life: { readonly peer: Peer; readonly self: PeerId; ready: boolean } | null
  lives: number
  /** A frozen tab does nothing until then. */
  frozenUntil: number
  readonly backlog: (() => void)[]
  /** What its owner last wanted: nothing is begun that was not wanted. */
  will: { lends: boolean; paused: boolean }
}

/** What a handler of fate hears of: a message or a write, the moments between which things go wrong. */
export type Step = (node: SimNode, what: string) => void

/** What the owner of a node can press: nothing while it is away or still reading its disk. */
export const handleOf = ({ life }: SimNode): NodeHandle | null =>
  life?.ready ? life.peer.handle : null

export type World = ReturnType<typeof world>

const RELAY = '/ip4/127.0.0.1/tcp/1/ws'
/** What the three-second benchmark of a device takes. */
const MEASURE_MS = 3_000
/** Clocks of strangers are wrong by up to this much. */
const SKEW_MS = 10_000

export type WorldOptions = {
  readonly seed: number
  /** Who holds the supply at the start, in equal parts. */
  readonly rich: readonly string[]
  readonly share: number
  readonly liars: boolean
  readonly realSignatures: boolean
}

export const world = (options: WorldOptions) => {
  const { seed } = options
  const random: Prng = prng(seed)
  const time = timeline()
  const log = journal(time)
  const digest = mix(seed)
  const nodes = new Map<string, SimNode>()
  const byAccount = new Map<Did, SimNode>()
  const byPeer = new Map<PeerId, SimNode>()
  const steps = new Set<Step>()
  let weather = CALM

  const notary: Notary = options.realSignatures ? realNotary(seed) : keyedNotary(seed)
  const swarm = found(notary, options)
  const step = (node: SimNode, what: string): void => {
    for (const handler of steps) handler(node, what)
  }

  const truths = oracle()
  const work = workWatch(log, truths, {
    anyLiars: options.liars,
    isLiar: (account) => (byAccount.get(account)?.person.lie ?? null) !== null,
    run: (account, job: JobId) =>
      byAccount.get(account)?.life?.peer.inspect().jobs.get(job)?.run ?? null,
  })
  const ledger = ledgerWatch(swarm, log, {
    redundancy: (job) => truths.of(job)?.redundancy ?? 0,
    paid: (requester, { signed }) => work.paid(requester, signed.body),
  })

  const network = simNetwork(time, prng(seed ^ 0x51ed), () => weather, {
    saw: log.saw,
    sent(from, to, head, bytes) {
      const node = byPeer.get(from)!
      digest.number(time.now())
      digest.number(bytes)
      digest.text(head.k)
      log.saw(`head: ${head.k}`)
      if (bytes > HEAD_BYTES_MAX)
        log.violate('I10-size', `${node.name} sends ${bytes} bytes of ${head.k}`)
      work.sent(node.account, byPeer.get(to)!.account, from, head)
      step(node, `sent ${head.k}`)
    },
  })
  const epoch = () => epochMs(SIM_EPOCH_MS + time.now())
  const directory = simDirectory(seed, epoch, ({ body, sig }) =>
    notary.verify(body.account, body, sig),
  )

  const landed = (node: SimNode, writes: readonly Write[]): void => {
    digest.number(time.now())
    for (const { table, key } of writes) digest.text(`${table} ${key}`)
    ledger.landed(node.account, writes)
    work.landed(node.account, writes)
  }

  const add = (name: string, person: Person): SimNode => {
    const account = notary.account(name)
    const node: SimNode = {
      name,
      account,
      person,
      disk: disk((writes) => landed(node, writes)),
      life: null,
      lives: 0,
      frozenUntil: 0,
      backlog: [],
      will: { lends: false, paused: false },
    }
    nodes.set(name, node)
    byAccount.set(account, node)
    return node
  }

  /** Runs in the node: later while it is frozen, never once this life of it has ended. */
  const inside = (node: SimNode, alive: () => boolean, then: () => void): void => {
    if (!alive()) return
    if (node.frozenUntil <= time.now() && node.backlog.length === 0) return then()
    node.backlog.push(then)
    if (node.backlog.length === 1)
      time.after(node.frozenUntil - time.now(), () => thaw(node, alive))
  }

  /** All that happened meanwhile happens now, in its order. */
  const thaw = (node: SimNode, alive: () => boolean): void => {
    if (!alive()) return
    if (node.frozenUntil > time.now())
      return time.after(node.frozenUntil - time.now(), () => thaw(node, alive))
    while (alive() && node.backlog.length > 0) {
      const next = node.backlog[0]!
      next()
      node.backlog.shift()
    }
  }

  const arrive = (node: SimNode): void => {
    if (node.life) return
    node.lives += 1
    const self = peerId(
      peerIdFromPublicKey(sha256(utf8(`${seed} ${node.name} life ${node.lives}`))),
    )
    const alive = (): boolean => node.life?.self === self
    const later = (delayMs: number, then: () => void): void =>
      time.after(delayMs, () => inside(node, alive, then))
    byPeer.set(self, node)
    const desk = simDesk({
      account: node.account,
      self,
      relay: RELAY,
      time,
      network,
      directory,
      notary,
      disk: node.disk,
      person: node.person,
      seed: random.u32(),
      skewMs: random.below(2 * SKEW_MS) - SKEW_MS,
      later,
      wake: () => life.wake(),
      facts: {
        computes: () =>
          (node.will.lends && !node.will.paused) ||
          log.violate('I20-consent', `${node.name} computes unasked`),
        said: (lease, cid, truth) => work.said(node.account, lease, cid, truth),
        wrote: (writes) => {
          work.wrote(node.account, writes)
          step(node, 'wrote')
        },
      },
    })
    const life = peer(desk, {
      swarm,
      agent: 'simulated',
      adapter: () => node.person.adapter,
      measure: (_progress, then) => later(MEASURE_MS, () => then(capabilityOf(node.person))),
      measuredShare: () => 0,
      backedUp: () => true,
      closed: async () => undefined,
    })
    node.life = { peer: life, self, ready: false }
    network.join(self, receiverOf(node, life, alive))
    life.start((problem) => {
      if (problem) log.violate('start', `${node.name}: ${problem.code}`)
      node.life!.ready = true
      life.reachability({ kind: 'reachable', relay: RELAY })
      if (node.person.lends) lend(node)
    })
  }

  const receiverOf = (
    node: SimNode,
    life: Peer,
    alive: () => boolean,
  ): Parameters<typeof network.join>[1] => ({
    opened: (from, rttMs) =>
      inside(node, alive, () => life.opened({ peer: from, direct: true, rttMs })),
    received: (from, head, body) =>
      inside(node, alive, () => {
        step(node, `received ${head.k}`)
        life.received(from, head, body)
      }),
    closed: (from) => inside(node, alive, () => life.closed(from)),
    awake: () => node.frozenUntil <= time.now() && node.backlog.length === 0,
    // A frozen tab cannot be asked; the transport buffers what fits.
    welcome: (from, head) =>
      node.frozenUntil > time.now() && 'bytes' in head ? head.bytes : life.welcome(from, head),
    faulty(from, code) {
      log.violate('I10-malformed', `${node.name} was sent ${code} by ${byPeer.get(from)?.name}`)
      life.faulty(from, { code, detail: '' })
    },
  })

  /** The owner's click: what is lent and on which terms. */
  const lend = (node: SimNode): void => {
    const handle = handleOf(node)
    if (!handle) return
    handle.setLimits({ ...handle.limits(), share: 1, freeTier: node.person.freeTier })
    node.will = { lends: true, paused: false }
    handle.start()
  }

  const leave = (node: SimNode): void => {
    if (!node.life) return
    const { self } = node.life
    node.life = null
    node.will = { lends: false, paused: false }
    node.frozenUntil = 0
    node.backlog.length = 0
    if (node.disk.crash(random) > 0) log.saw('write lost in a crash')
    work.crashed(node.account)
    network.vanish(self)
    log.saw('node gone')
  }

  return {
    time,
    random,
    log,
    truths,
    work,
    ledger,
    network,
    directory,
    swarm,
    nodes,
    add,
    arrive,
    leave,
    lend,
    byAccount,
    setWeather: (next: Weather): void => void (weather = next),
    onStep: (then: Step): void => void steps.add(then),
    calm: (): void => steps.clear(),
    digest: (): string => {
      for (const { account, seq, totals } of ledger.tips())
        digest.text(`${account} ${seq} ${totals.balance}`)
      return digest.hex()
    },
  }
}

const capabilityOf = ({ adapter, speed }: Person): Capability => ({
  adapter,
  label: 'virtual',
  f32FlopPerSecond: speed * 1e6,
  i8OpPerSecond: speed * 1e6,
  copyBytesPerSecond: 1e9,
  memoryBytes: 256 * 2 ** 20,
})

const found = (notary: Notary, { seed, rich, share }: WorldOptions): Swarm => {
  const genesis: Genesis = {
    v: 1,
    kind: 'genesis',
    name: `simulation ${seed}`,
    supply: microCredits(share * rich.length),
    allocations: rich.map((name) => ({
      account: notary.account(name),
      amount: microCredits(share),
    })),
    hour: 0,
  }
  const founded = foundSwarm(genesis, cidOf)
  assert(founded.ok, 'the simulation founds a lawful swarm')
  return founded.value
}

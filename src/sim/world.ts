/** A whole swarm in one thread: its nodes, what lies between them, and the eyes kept on all of it. */
import { kernelIds } from '../../kernels/index.ts'
import { assert } from '../base/assert.ts'
import type { Did, PeerId } from '../base/ids.ts'
import { prng, type Prng } from '../base/prng.ts'
import { epochMs, microCredits } from '../base/units.ts'
import { foundSwarm, type Genesis, type Swarm } from '../core/ledger/genesis.ts'
import type { Opinion } from '../core/trust.ts'
import type { Write } from '../ports.ts'
import { cidOf } from '../wire/codec.ts'
import type { Head } from '../wire/messages.ts'
import { HEAD_BYTES_MAX } from '../wire/version.ts'
import { SIM_EPOCH_MS } from './desk.ts'
import { simDirectory } from './directory.ts'
import { disk } from './disk.ts'
import { journal } from './journal.ts'
import { ledgerWatch } from './ledger-watch.ts'
import { arrive, hearOfRelay, leave, type Around, type Plant, type SimNode } from './life.ts'
import { mix } from './mix.ts'
import { LINKS_MAX, simNetwork, type Weather } from './network.ts'
import { keyedNotary, realNotary, type Notary } from './notary.ts'
import { oracle } from './oracle.ts'
import type { Person } from './people.ts'
import { timeline } from './time.ts'
import { workWatch } from './work-watch.ts'

export const CALM: Weather = {
  latencyMs: [2, 40],
  jitterMs: 5,
  loss: 0,
  bytesPerMs: 4_000,
  hangingDials: 0,
  relayedLinks: 0,
  linkMinutes: 0,
}

/** What a handler of fate hears of: a message or a write, the moments between which things go wrong. */
export type Step = (node: SimNode, what: string) => void
/** What has reached the disk of a node for good. */
export type Landed = (node: SimNode, writes: readonly Write[]) => void

export type World = ReturnType<typeof world>

export type WorldOptions = {
  readonly seed: number
  /** Who holds the supply at the start, in equal parts. */
  readonly rich: readonly string[]
  readonly share: number
  readonly liars: boolean
  readonly realSignatures: boolean
  /** Only one in `WIRE_EVERY` heads of fair nodes takes the wire's form; without it, every one does. */
  readonly sparseWire?: boolean
  readonly plant?: Plant
}

/** In big swarms most heads are handed over as they are: encoding and reading them is half of the work. */
const WIRE_EVERY = 16

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
  const onLand = new Set<Landed>()
  const onWipe = new Set<(node: SimNode) => void>()
  const befriended = new Set<SimNode>()
  let weather = CALM
  let heads = 0

  const notary: Notary = options.realSignatures ? realNotary(seed) : keyedNotary(seed)
  const swarm = found(notary, options)
  const step: Step = (node, what) => {
    for (const handler of steps) handler(node, what)
  }

  const truths = oracle()
  const work = workWatch(time, log, truths, {
    anyLiars: options.liars,
    person: (account) => byAccount.get(account)!.person,
    jobs: (account) => byAccount.get(account)?.life?.peer.inspect().jobs ?? new Map(),
  })
  const ledger = ledgerWatch(swarm, log, {
    redundancy: (job) => truths.of(job)?.redundancy ?? null,
    paid: (requester, { signed }) => work.paid(requester, signed.body),
    isFair: (account) => byAccount.get(account)?.person.plays === 'fair',
    hasLost: (account) => byAccount.get(account)?.lostDisk ?? false,
  })

  const sent = (from: PeerId, to: PeerId, head: Head, bytes: number): void => {
    const node = byPeer.get(from)!
    digest.number(time.now())
    digest.number(bytes)
    digest.text(head.k)
    log.saw(`head: ${head.k}`)
    node.heads += 1
    const other = byPeer.get(to)!
    log.said(node.name, other.name, head.k)
    if (bytes > HEAD_BYTES_MAX)
      log.violate('I10-size', `${node.name} sends ${bytes} bytes of ${head.k}`)
    work.sent(node.account, other.account, [from, to], head)
    ledger.sent(head)
    step(node, `sent ${head.k}`)
  }
  const network = simNetwork(time, prng(seed ^ 0x51ed), {
    weather: () => weather,
    canDial: () => directory.up(),
    linksMax: () => LINKS_MAX,
    // What a node that keeps to no rule says has to be read as on a real link, or it is not refused.
    onWire: (from) =>
      !options.sparseWire ||
      byPeer.get(from)?.person.plays !== 'fair' ||
      heads++ % WIRE_EVERY === 0,
    sent,
    saw: log.saw,
  })
  const epoch = () => epochMs(SIM_EPOCH_MS + time.now())
  const directory = simDirectory(seed, epoch, ({ body, sig }) =>
    notary.verify(body.account, body, sig),
  )
  const parts = { time, random, log, network, directory, swarm, work }
  const plant = options.plant ?? ((desk) => desk)
  const around: Around = { ...parts, seed, notary, byPeer, step, plant }

  const landed = (node: SimNode, writes: readonly Write[]): void => {
    digest.number(time.now())
    for (const { table, key } of writes) digest.text(`${table} ${key}`)
    ledger.landed(node.account, writes)
    work.landed(node.account, writes)
    for (const handler of onLand) handler(node, writes)
  }

  return {
    ...parts,
    truths,
    ledger,
    nodes,
    byAccount,
    add(name: string, person: Person): SimNode {
      const node: SimNode = {
        name,
        account: notary.account(name),
        person,
        disk: disk((writes) => landed(node, writes)),
        life: null,
        lives: 0,
        frozenUntil: 0,
        backlog: [],
        lostDisk: false,
        deviceLostUntil: 0,
        acts: 0,
        heads: 0,
        will: { lends: false, paused: false },
      }
      nodes.set(name, node)
      byAccount.set(node.account, node)
      return node
    },
    /** What is left on a disk of earlier days: fifty good tasks of every kind. */
    befriend(node: SimNode, friend: SimNode): void {
      const at = epochMs(SIM_EPOCH_MS)
      const skills = Object.fromEntries(kernelIds().map((id) => [id, { good: 50, bad: 0, at }]))
      const judgement: Opinion = { skills, wrong: 0, barredUntil: epochMs(0), proven: false }
      const value = { judgement, count: { accepted: 50, rejected: 0 } }
      const ticket = node.disk.accept([{ table: 'trust', key: friend.account, value }])
      assert(ticket !== null, 'a new disk has room')
      node.disk.flush(ticket)
      work.befriended(node.account, friend.account)
      befriended.add(node)
    },
    isBefriended: (node: SimNode): boolean => befriended.has(node),
    arrive: (node: SimNode): void => arrive(around, node),
    leave: (node: SimNode): void => leave(around, node),
    /** The one relay goes, or comes back without a memory of who was there. */
    setRelay(up: boolean): void {
      if (up === directory.up()) return
      directory.setUp(up)
      log.saw(up ? 'relay back' : 'relay lost')
      if (!up) network.cutRelayed()
      for (const node of nodes.values()) hearOfRelay(around, node)
    },
    setWeather: (next: Weather): void => void (weather = next),
    onStep: (then: Step): void => void steps.add(then),
    /** A node dies, and all that it had is gone; its owner has the key elsewhere. */
    wipe(node: SimNode): void {
      leave(around, node)
      node.disk.wipe()
      node.lostDisk = true
      befriended.delete(node)
      log.saw('disk lost')
      for (const handler of onWipe) handler(node)
    },
    onWiped: (then: (node: SimNode) => void): void => void onWipe.add(then),
    onLanded: (then: Landed): void => void onLand.add(then),
    calm: (): void => steps.clear(),
    digest: (): string => {
      for (const { account, seq, totals } of ledger.tips())
        digest.text(`${account} ${seq} ${totals.balance}`)
      return digest.hex()
    },
  }
}

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

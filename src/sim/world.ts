/** A whole swarm in one thread: nodes that come, work, crash and return, and the books kept over them. */
import { concat, toHex, utf8 } from '../base/bytes.ts'
import { peerId, did, type Did, type PeerId } from '../base/ids.ts'
import { prng, type Prng } from '../base/prng.ts'
import { epochMs, microCredits } from '../base/units.ts'
import { foundSwarm, type Genesis, type Swarm } from '../core/ledger/genesis.ts'
import { assert } from '../base/assert.ts'
import { peer, type Peer } from '../peer/peer.ts'
import type { Capability } from '../ports.ts'
import { cidOf, didFromPublicKey, peerIdFromPublicKey, sha256 } from '../wire/codec.ts'
import { simDesk, notary, SIM_EPOCH_MS, type Disk } from './desk.ts'
import { simDirectory } from './directory.ts'
import { simNetwork, type Weather } from './network.ts'
import type { Person } from './people.ts'
import { timeline } from './time.ts'
import { watch, type Watch } from './invariants.ts'

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
  life: { readonly peer: Peer; readonly self: PeerId } | null
  lives: number
}

export type World = ReturnType<typeof world>

const RELAY = '/ip4/127.0.0.1/tcp/1/ws'

export const world = (seed: number, names: readonly string[], rich: readonly string[], supply: number) => {
  const random: Prng = prng(seed)
  const time = timeline()
  let weather = CALM
  const network = simNetwork(time, prng(seed ^ 0x51ed), () => weather)
  const key = (name: string): Uint8Array => sha256(utf8(`${seed} ${name}`))
  const accountOf = (name: string): Did => did(didFromPublicKey(key(name)))
  const signer = notary(sha256(utf8(`notary ${seed}`)))
  const epoch = () => epochMs(SIM_EPOCH_MS + time.now())
  const directory = simDirectory(seed, epoch, ({ body, sig }) => signer.verify(body.account, body, sig))
  const share = Math.floor(supply / rich.length)
  const genesis: Genesis = {
    v: 1,
    kind: 'genesis',
    name: `simulation ${seed}`,
    supply: microCredits(share * rich.length),
    allocations: rich.map((name) => ({ account: accountOf(name), amount: microCredits(share) })),
    hour: 0,
  }
  const founded = foundSwarm(genesis, cidOf)
  assert(founded.ok, 'the simulation founds a lawful swarm')
  const swarm: Swarm = founded.value
  const nodes = new Map<string, SimNode>()
  const books: Watch = watch(swarm, accountOf)
  let digest = sha256(utf8(String(seed)))
  let pending: Uint8Array[] = []

  /** The digest covers every event in order: the same seed must give the same one. */
  const note = (text: string): void => {
    pending.push(utf8(`${time.now()} ${text}\n`))
    if (pending.length >= 256) fold()
  }
  const fold = (): void => {
    digest = sha256(concat([digest, ...pending]))
    pending = []
  }

  const add = (name: string, person: Person): SimNode => {
    const node: SimNode = { name, account: accountOf(name), person, disk: new Map(), life: null, lives: 0 }
    nodes.set(name, node)
    return node
  }

  const capability = (person: Person): Capability => ({
    adapter: person.adapter,
    label: 'virtual',
    f32FlopPerSecond: person.speed * 1e6,
    i8OpPerSecond: person.speed * 1e6,
    copyBytesPerSecond: 1e9,
    memoryBytes: 256 * 2 ** 20,
  })

  const arrive = (node: SimNode): void => {
    if (node.life) return
    node.lives += 1
    const self = peerId(peerIdFromPublicKey(key(`${node.name} life ${node.lives}`)))
    const alive = (): boolean => node.life?.self === self
    const desk = simDesk({
      account: node.account,
      self,
      relay: RELAY,
      time,
      network,
      directory,
      notary: signer,
      disk: node.disk,
      person: node.person,
      seed: random.u32(),
      skewMs: random.below(20_000) - 10_000,
      alive,
      wake: () => life.wake(),
      wrote: (writes) => books.wrote(node.name, writes),
    })
    const life = peer(desk, {
      swarm,
      agent: 'simulated',
      adapter: () => node.person.adapter,
      measure: (_progress, then) => time.after(3_000, () => alive() && then(capability(node.person))),
      measuredShare: () => 0,
      backedUp: () => true,
      closed: async () => undefined,
    })
    node.life = { peer: life, self }
    network.join(self, {
      opened: (from, rttMs) => life.opened({ peer: from, direct: true, rttMs }),
      received(from, head, body) {
        note(`${node.name} ${head.k}`)
        life.received(from, head, body)
      },
      closed: (from) => life.closed(from),
      welcome: (from, head) => life.welcome(from, head),
      faulty: (from, code) => {
        books.fault(`${node.name} was sent ${code}`)
        life.faulty(from, { code, detail: '' })
      },
    })
    life.start(() => {
      life.reachability({ kind: 'reachable', relay: RELAY })
      if (node.person.lends) life.handle.start()
    })
    note(`${node.name} arrives`)
  }

  const leave = (node: SimNode): void => {
    if (!node.life) return
    note(`${node.name} leaves`)
    const { self } = node.life
    node.life = null
    network.vanish(self)
  }

  return {
    time,
    random,
    network,
    directory,
    swarm,
    nodes,
    books,
    add,
    arrive,
    leave,
    setWeather: (next: Weather): void => void (weather = next),
    weather: (): Weather => weather,
    note,
    run(untilMs: number): void {
      time.run(untilMs, () => books.each())
    },
    digest(): string {
      fold()
      return toHex(digest).slice(0, 32)
    },
    names,
  }
}

/** The simulated network keeps the same contract as libp2p; what follows from it in virtual time is true outside. */
import { describe } from 'vitest'
import { peerId, type PeerId } from '../../src/base/ids.ts'
import { prng } from '../../src/base/prng.ts'
import { err } from '../../src/base/result.ts'
import type { Network, NetworkEvents } from '../../src/ports.ts'
import { LINKS_MAX, simNetwork, type SimNetwork, type Weather } from '../../src/sim/network.ts'
import { timeline } from '../../src/sim/time.ts'
import { CALM } from '../../src/sim/world.ts'
import { peerIdFromPublicKey } from '../../src/wire/codec.ts'
import { networkSuite, type MakePair } from './network.suite.ts'

const RELAY = '/ip4/127.0.0.1/tcp/1/ws'
/** Virtual: what libp2p needs seconds for may take as long here. */
const LIMIT_MS = 20_000
const QUIET_MS = 700

/** A virtual node as the port has it. */
const portOf = (network: SimNetwork, self: PeerId, events: NetworkEvents): Network => {
  network.join(self, {
    awake: () => true,
    opened: (peer, direct, rttMs) => events.opened({ peer, direct, rttMs }),
    received: events.received,
    closed: events.closed,
    welcome: events.welcome,
    faulty: (peer, code) => events.faulty(peer, { code, detail: '' }),
  })
  const elsewhere = err({ code: 'no-registry', detail: 'it is not part of this network' })
  return {
    self,
    relay: () => RELAY,
    connect: (peer) => network.connect(self, peer),
    disconnect: (peer, reason) => network.disconnect(self, peer, reason),
    send: (peer, head, body) => network.send(self, peer, head, body),
    queued: () => 0,
    announce: async () => elsewhere,
    find: async () => elsewhere,
    close: async () => network.vanish(self),
  }
}

const pairsIn =
  (weather: Weather): MakePair =>
  async (aliceEvents, bobEvents, options = {}) => {
    const time = timeline()
    const [one, two] = [1, 2].map((n) => peerId(peerIdFromPublicKey(new Uint8Array(32).fill(n))))
    const network = simNetwork(time, prng(7), {
      weather: () => weather,
      canDial: () => true,
      linksMax: (peer) => (peer === two ? options.bobsLinks : undefined) ?? LINKS_MAX,
      onWire: () => true,
      sent: () => undefined,
      saw: () => undefined,
    })
    return {
      alice: portOf(network, one!, aliceEvents),
      bob: portOf(network, two!, bobEvents),
      until: async (what, holds) => {
        const end = time.now() + LIMIT_MS
        while (!holds()) {
          if (time.now() >= end) throw new Error(`not within ${LIMIT_MS} virtual ms: ${what}`)
          time.run(time.now() + 1, 1_000_000)
        }
      },
      quiet: async () => time.run(time.now() + QUIET_MS, 1_000_000),
      close: async () => undefined,
    }
  }

describe('the simulated network, in calm weather', () => {
  networkSuite(pairsIn(CALM))
})
describe('the simulated network, over slow and lossy links', () => {
  networkSuite(pairsIn({ ...CALM, latencyMs: [20, 90], jitterMs: 30, loss: 0.02 }))
})

/** What a test's page runs: the browser's network, told what to do by the test and telling what it saw. */
import { openBrowserNetwork } from '../../src/adapters/libp2p.ts'
import type { PeerId } from '../../src/base/ids.ts'
import { epochMs } from '../../src/base/units.ts'
import type { Link, Network, Reachability } from '../../src/ports.ts'

type Told = {
  opened: string[]
  closed: string[]
  reachability: Reachability[]
  links: Record<string, { direct: boolean; rttMs: number | null }>
  heads: string[]
  bodies: { bytes: number; sum: number }[]
}

const told: Told = { opened: [], closed: [], reachability: [], links: {}, heads: [], bodies: [] }
const note = ({ peer, direct, rttMs }: Link): void => {
  told.links[peer] = { direct, rttMs }
}
let network: Network | null = null

/** A sum that notices a missing or a moved byte. */
const sumOf = (bytes: Uint8Array): number => {
  let sum = 1
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) >>> 0
  return sum
}

const tab = {
  told: () => told,
  sumOf: (length: number, fill: number) => sumOf(new Uint8Array(length).map((_, i) => i * fill)),
  async open(relays: string[]): Promise<string> {
    const opened = await openBrowserNetwork({
      relays,
      agent: 'test',
      verify: async () => true,
      epoch: () => epochMs(Date.now()),
      events: {
        opened: (link) => (told.opened.push(link.peer), note(link)),
        closed: (peer, reason) => void told.closed.push(`${peer} ${reason}`),
        received(_peer, head, body) {
          told.heads.push(head.k)
          if (body) told.bodies.push({ bytes: body.byteLength, sum: sumOf(body) })
        },
        faulty: () => undefined,
        linkChanged: note,
        reachability: (state) => void told.reachability.push(state),
        welcome: () => 1e9,
      },
    })
    if (!opened.ok) throw new Error(opened.error.detail)
    network = opened.value
    return network.self
  },
  relay: () => network?.relay() ?? null,
  connect: (peer: string, relay: string) => network?.connect(peer as PeerId, relay),
  beat: (peer: string) => network?.send(peer as PeerId, { k: 'beat', lease: 1, permille: 1 }, null),
  body(peer: string, length: number, fill: number) {
    const body = new Uint8Array(length).map((_, i) => i * fill)
    network?.send(peer as PeerId, { k: 'tensor', lease: 1, slot: 0, bytes: length }, body)
  },
}
export type Tab = typeof tab

declare global {
  var tab: Tab
}
globalThis.tab = tab

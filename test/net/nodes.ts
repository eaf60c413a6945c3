/** Nodes in this process over real links, each with books, a shelf and an account of its own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { openLeafFiles } from '../../relay/leaf-files.ts'
import { nodeClock } from '../../relay/node-clock.ts'
import { nodeCompute } from '../../relay/node-compute.ts'
import { openKeyFile } from '../../relay/node-signer.ts'
import type { RunningRelay } from '../../relay/relay.ts'
import { memoryStore } from '../../src/adapters/memory-store.ts'
import type { Swarm } from '../../src/core/ledger/genesis.ts'
import type { Result } from '../../src/base/result.ts'
import { realDesk } from '../../src/peer/desk.ts'
import { peer, type Peer } from '../../src/peer/peer.ts'
import type { Network, Shelf } from '../../src/ports.ts'
import { nodeFor, until } from './rig.ts'

export const must = <T>(result: Result<T, { readonly code: string }>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

export type Node = {
  readonly peer: Peer
  readonly network: Network
  readonly shelf: Shelf
  /** Without a word, as a process is killed. */
  die(): Promise<void>
}

export type Place = {
  readonly relay: RunningRelay
  readonly swarm: Swarm
  readonly folder: string
  /** What ends with the test. */
  readonly open: (() => Promise<void>)[]
}

/** A node without its handle, so that its exchange of leaves can be asked. */
export const nodeOf = async (
  { relay, swarm, folder, open }: Place,
  name: string,
  lends: boolean,
): Promise<Node> => {
  const node: { peer: Peer | null } = { peer: null }
  const network = await nodeFor(relay.multiaddrs, {
    opened: (link) => node.peer?.opened(link),
    received: (from, head, body) => node.peer?.received(from, head, body),
    faulty: (from, error) => node.peer?.faulty(from, error),
    closed: (from, reason) => node.peer?.closed(from, reason),
    linkChanged: (link) => node.peer?.linkChanged(link),
    reachability: (state) => node.peer?.reachability(state),
    welcome: (from, head) => node.peer?.welcome(from, head) ?? 0,
  })
  const [clock, compute, store] = [nodeClock(), nodeCompute(), memoryStore()]
  const shelf = must(await openLeafFiles(join(folder, name), 2 ** 30))
  const { signer } = must(openKeyFile(join(folder, `${name}.key.json`)))
  const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }
  const ports = { clock, compute, store, shelf, signer, random, network }
  const desk = realDesk(
    ports,
    () => node.peer?.wake(),
    () => undefined,
  )
  const made = peer(desk, {
    swarm,
    agent: 'test',
    restored: false,
    adapter: () => 'cpu',
    measure: (_progress, then) => then(DEVICE),
    measuredShare: () => 0,
    backedUp: () => true,
    closed: async () => undefined,
  })
  node.peer = made
  await new Promise((done) => made.start(done))
  await until('a place at the relay', () => network.relay() !== null)
  if (lends) made.handle.start()
  let isDead = false
  const die = async (): Promise<void> => {
    if (isDead) return
    isDead = true
    await network.close()
    for (const part of [clock, compute, store, shelf]) part.close()
  }
  open.push(die)
  return { peer: made, network, shelf, die }
}

const DEVICE = {
  adapter: 'cpu',
  label: 'a test',
  f32FlopPerSecond: 1e9,
  i8OpPerSecond: 1e9,
  copyBytesPerSecond: 1e9,
  graphs: { engine: 'reference', measured: {} },
  memoryBytes: 2 ** 28,
} as const

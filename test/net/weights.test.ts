/** Weights over real links: three nodes in Node with shelves in folders, a relay, and a model in files of random numbers. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openLeafFiles } from '../../relay/leaf-files.ts'
import { nodeClock } from '../../relay/node-clock.ts'
import { nodeCompute } from '../../relay/node-compute.ts'
import { openKeyFile } from '../../relay/node-signer.ts'
import type { RunningRelay } from '../../relay/relay.ts'
import { memoryStore } from '../../src/adapters/memory-store.ts'
import type { Cid } from '../../src/base/ids.ts'
import { ok, type Result } from '../../src/base/result.ts'
import { realDesk } from '../../src/peer/desk.ts'
import type { Fetched } from '../../src/peer/models/leaf-exchange.ts'
import { peer, type Peer } from '../../src/peer/peer.ts'
import type { Network, PortError, Shelf } from '../../src/ports.ts'
import { foundSwarm } from '../../src/core/ledger/genesis.ts'
import { cidOf } from '../../src/wire/codec.ts'
import { genesis } from '../vectors/fixtures.ts'
import { alice } from '../people.ts'
import { smallModel } from '../small-model.ts'
import { nodeFor, relayFor, until } from './rig.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-weights-'))
let relay: RunningRelay
const swarm = foundSwarm(genesis, cidOf)
const open: (() => Promise<void>)[] = []
beforeAll(async () => {
  relay = await relayFor()
})
afterAll(async () => {
  for (const close of open) await close()
  await relay.close()
  rmSync(folder, { recursive: true, force: true })
})

const must = <T>(result: Result<T, { readonly code: string }>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

type Node = { readonly peer: Peer; readonly network: Network; readonly shelf: Shelf }

/** A node without its handle, so that its exchange of leaves can be asked. */
const nodeOf = async (name: string, lends: boolean): Promise<Node> => {
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
    swarm: must(swarm),
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
  open.push(async () => {
    await network.close()
    for (const part of [clock, compute, store, shelf]) part.close()
  })
  return { peer: made, network, shelf }
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

const model = smallModel(alice, [3_000_000, 9_000_000, 9_000_000, 9_000_000, 300_000])
const leavesIn = (name: string): readonly string[] => readdirSync(join(folder, name))

const linked = async (a: Node, b: Node): Promise<void> => {
  a.network.connect(b.network.self, b.network.relay()!)
  const sees = ({ peer: one }: Node, { network }: Node): boolean =>
    one.handle
      .view()
      .nodes.some(({ peer: other, link }) => other === network.self && link !== 'none')
  await until('both have said hello', () => sees(a, b) && sees(b, a))
}

const fetched = async (node: Node, from: Node): Promise<Fetched> => {
  const { leaves } = node.peer.inspect()
  let last: Fetched = { permille: 0, here: 0, given: 0, others: 0 }
  const manifest = await new Promise<Parameters<Parameters<typeof leaves.manifest>[2]>[0]>((then) =>
    leaves.manifest(model.name, from.network.self, then),
  )
  const blocks = model.signed.body.blocks.map((_, i) => i)
  const result = await new Promise<Result<null, PortError>>((then) =>
    leaves.fetch(
      model.name,
      must(manifest),
      blocks,
      from.network.self,
      (now) => (last = now),
      then,
    ),
  )
  expect(result).toEqual(ok(null))
  return last
}

it('come to one node from the submitter, and to the next one from that node, whom the registry names', async () => {
  const [submitter, first, second] = [
    await nodeOf('submitter', false),
    await nodeOf('first', true),
    await nodeOf('second', true),
  ]
  submitter.peer.inspect().leaves.offer(model.name, model.bytes, model.source)
  await linked(submitter, first)
  const began = performance.now()
  expect(await fetched(first, submitter)).toMatchObject({ given: model.total, others: 0 })
  const seconds = (performance.now() - began) / 1_000
  process.stderr.write(`weights: ${(model.total / 1e6 / seconds).toFixed(1)} MB/s over a link\n`)
  expect(new Set(leavesIn('first'))).toEqual(new Set([...model.leaves.keys(), model.name]))
  await until('the registry names the first node', async () => {
    const found = await second.network.find(`model/${model.name}`, 4)
    return found.ok && found.value.adverts.some(({ body }) => body.peer === first.network.self)
  })
  await linked(submitter, second)
  const got = await fetched(second, submitter)
  expect(got.others / model.total).toBeGreaterThan(0.9)
  const whole = await Promise.all(
    [...model.leaves].map(async ([name, bytes]) => {
      const read = must(await second.shelf.read(name as Cid))
      return read !== null && Buffer.compare(read, bytes) === 0
    }),
  )
  expect(whole).not.toContain(false)
}, 60_000)

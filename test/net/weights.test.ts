/** Weights over real links: three nodes in Node with shelves in folders, a relay, and a model in files of random numbers. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Cid } from '../../src/base/ids.ts'
import { ok, type Result } from '../../src/base/result.ts'
import type { Fetched } from '../../src/peer/models/leaf-exchange.ts'
import type { PortError } from '../../src/ports.ts'
import { foundSwarm } from '../../src/core/ledger/genesis.ts'
import { cidOf } from '../../src/wire/codec.ts'
import { genesis } from '../vectors/fixtures.ts'
import { alice } from '../people.ts'
import { smallModel } from '../small-model.ts'
import { must, nodeOf, type Node, type Place } from './nodes.ts'
import { relayFor, until } from './rig.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-weights-'))
let place: Place
beforeAll(async () => {
  place = { relay: await relayFor(), swarm: must(foundSwarm(genesis, cidOf)), folder, open: [] }
})
afterAll(async () => {
  for (const close of place.open) await close()
  await place.relay.close()
  rmSync(folder, { recursive: true, force: true })
})

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
    await nodeOf(place, 'submitter', false),
    await nodeOf(place, 'first', true),
    await nodeOf(place, 'second', true),
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

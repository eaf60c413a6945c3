/** A real model over several nodes: its tokens and logits against those computed elsewhere in float64. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { foundSwarm } from '../../src/core/ledger/genesis.ts'
import { manifestOf } from '../../src/models/manifest-of.ts'
import { GREEDY } from '../../src/models/sampling.ts'
import { beginText } from '../../src/peer/models/text-talk.ts'
import type { SessionView } from '../../src/peer/models/session-view.ts'
import { microCredits } from '../../src/base/units.ts'
import { cidOf, sha256 } from '../../src/wire/codec.ts'
import { merkleRoot } from '../../src/wire/merkle.ts'
import { distance, modelAt } from '../models/engines.ts'
import { oracle } from '../models/oracle.ts'
import { genesis } from '../vectors/fixtures.ts'
import { must, nodeOf, type Node, type Place } from './nodes.ts'
import { relayFor } from './rig.ts'

const TOKENS = 64
/** What the engines leave of logits, in f32. */
const LOGITS_OFF = 1e-3
const NODES = ['ann', 'ben', 'cal', 'dot', 'eve']

const folder = mkdtempSync(join(tmpdir(), 'swarm-oracle-'))
let place: Place
let asker: Node
const lenders: Node[] = []

beforeAll(async () => {
  if (oracle === null) return
  place = { relay: await relayFor(), swarm: must(foundSwarm(genesis, cidOf)), folder, open: [] }
  for (const name of NODES) lenders.push(await nodeOf(place, name, true))
  asker = await nodeOf(place, 'asker', false)
}, 60_000)
afterAll(async () => {
  for (const close of place?.open ?? []) await close()
  await place?.relay.close()
  rmSync(folder, { recursive: true, force: true })
})

type Told = { ids: number[]; logits: readonly number[]; problem: string | null; view: SessionView }

const tell = async (
  file: string,
  prompt: string,
  stages: number,
  heard: (count: number, session: () => SessionView) => void = () => undefined,
): Promise<Told> => {
  const model = await modelAt(join(oracle!.folder, file))
  const digest = async (bytes: Uint8Array): Promise<Uint8Array> => sha256(bytes)
  const source = must(await manifestOf(model, { digest, root: merkleRoot }))
  const told: Partial<Told> = { ids: [], logits: [] }
  const { handle } = asker.peer
  let id = ''
  const view = (): SessionView => handle.view().sessions.find((each) => each.id === id)!
  await new Promise<void>((done) => {
    const asked = { title: file, prompt, tokens: TOKENS, sampling: GREEDY, seed: 0, stages }
    const events = {
      prompted: (logits: Float32Array) => void (told.logits = [...logits]),
      piece(piece: { readonly id: number }) {
        told.ids!.push(piece.id)
        heard(told.ids!.length, view)
      },
      rewound: (kept: number) => void (told.ids!.length = kept),
      ended(problem: { readonly code: string; readonly text: string } | null) {
        told.problem = problem && `${problem.code}: ${problem.text}`
        done()
      },
    }
    id = must(
      beginText(handle, source, { ...model, ...asked, budget: microCredits(0) }, events),
    ).session
  })
  return { ...(told as Told), view: view() }
}

const FILES = [
  ['.', 'F32'],
  ['stories260K.F32.gguf', 'F32'],
  ['stories260K.Q8_0.gguf', 'Q8_0'],
  ['stories260K.Q4_0.gguf', 'Q4_0'],
] as const

describe.skipIf(oracle === null)('a model with an oracle, over nodes', () => {
  it.each(FILES)(
    'says what it says elsewhere, from %s (%s), on 1, 2, 3 and 5 nodes',
    async (file, type) => {
      for (const [i, { prompt, greedy }] of oracle!.cases.entries()) {
        const stages = [1, 2, 3, 5][i % 4]!
        const told = await tell(file, prompt, stages)
        expect(told.problem).toBeNull()
        expect(told.view.stages).toHaveLength(stages)
        expect(told.ids).toEqual(greedy[type].new_ids)
        expect(distance(told.logits, greedy[type].logits_after_prompt)).toBeLessThan(LOGITS_OFF)
      }
    },
    120_000,
  )

  it('says the same when the node in the middle dies at token 20', async () => {
    const { prompt, greedy } = oracle!.cases[0]!
    const deaths: Promise<void>[] = []
    const told = await tell('stories260K.F32.gguf', prompt, 3, (count, view) => {
      if (count !== 20) return
      const middle = view().stages[1]!.node
      const node = lenders.find(({ peer }) => peer.handle.view().account === middle)!
      deaths.push(node.die())
    })
    await Promise.all(deaths)
    expect(told.problem).toBeNull()
    expect(told.ids).toEqual(greedy.F32.new_ids)
    expect(told.view.recoveries.map(({ stage }) => stage)).toEqual([1])
    const [{ ms, replayed } = { ms: 0, replayed: 0 }] = told.view.recoveries
    process.stderr.write(`recovered in ${ms} ms, ${replayed} places replayed\n`)
  }, 60_000)

  it('says the same in three talks at once', async () => {
    const cases = oracle!.cases.slice(0, 3)
    const all = await Promise.all(
      cases.map(({ prompt }) => tell('stories260K.F32.gguf', prompt, 3)),
    )
    for (const [i, { ids, problem }] of all.entries()) {
      expect(problem).toBeNull()
      expect(ids).toEqual(cases[i]!.greedy.F32.new_ids)
    }
  }, 60_000)
})

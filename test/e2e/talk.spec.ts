/** A language model over the tabs of three browsers, one of which is killed in the middle. */
import { mkdtempSync, rmSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchSwarmInfo, KEY_FILE, openNodePeer, type NodePeer } from '../../relay/node-peer.ts'
import { openGraphEngine } from '../../relay/tensor-engines.ts'
import { generate } from '../../src/models/generate.ts'
import { manifestOf } from '../../src/models/manifest-of.ts'
import { openModel, type Model } from '../../src/models/open-model.ts'
import { GREEDY, type Sampling } from '../../src/models/sampling.ts'
import { openStage } from '../../src/models/stage.ts'
import { beginText } from '../../src/peer/models/text-talk.ts'
import type { SessionView } from '../../src/peer/models/session-view.ts'
import { sha256 } from '../../src/wire/codec.ts'
import { merkleRoot } from '../../src/wire/merkle.ts'
import { MADE, madeModel } from '../models/made-model.ts'
import type { Page } from '@playwright/test'
import { expect, test, type Rig } from './rig.ts'
import { lend } from './steps.ts'

const PROMPT = 'Once upon a time, in a land of numbers'
const TOKENS = 64
const CONFIG = { ...MADE, num_hidden_layers: 6, max_position_embeddings: 256, eos_token_id: 256 }

const value = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

const openMade = async (): Promise<Model> =>
  value(await openModel(madeModel(CONFIG, { layout: 'hf', types: ['F32'], seed: 11 }).files))

/** What one machine says on its own. */
const alone = async (model: Model, sampling: Sampling): Promise<number[]> => {
  const engine = value(await openGraphEngine('cpu'))
  const stage = value(await openStage(model, { from: 0, to: model.config.layers }, engine))
  const ids: number[] = []
  const asked = {
    ...model,
    stages: [stage.session()],
    prompt: PROMPT,
    tokens: TOKENS,
    sampling,
    seed: 5,
  }
  for await (const piece of generate(asked)) {
    const { id } = value(piece)
    if (id !== null) ids.push(id)
  }
  stage.close()
  engine.close()
  return ids
}

/** The founder, who has credits, in this very process. */
const founder = async (rig: Rig): Promise<NodePeer> => {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-e2e-founder-'))
  await mkdir(folder, { recursive: true })
  await cp(rig.relay.keyFile, join(folder, KEY_FILE))
  const info = value(await fetchSwarmInfo(rig.relay.url))
  const peer = value(await openNodePeer(info, folder, 'e2e'))
  return {
    ...peer,
    async close() {
      await peer.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Asked = { readonly ids: number[]; readonly over: Promise<string | null>; view(): SessionView }

const ask = async (
  { handle }: NodePeer,
  model: Model,
  sampling: Sampling,
  heard: (count: number) => void,
): Promise<Asked> => {
  const digest = async (bytes: Uint8Array): Promise<Uint8Array> => sha256(bytes)
  const source = value(await manifestOf(model, { digest, root: merkleRoot }))
  const ids: number[] = []
  let session = ''
  const over = new Promise<string | null>((resolve) => {
    const began = beginText(
      handle,
      source as never,
      {
        ...model,
        title: 'A story',
        prompt: PROMPT,
        tokens: TOKENS,
        sampling,
        seed: 5,
        stages: 3,
        budget: 1_000_000_000 as never,
      },
      {
        piece({ id }) {
          ids.push(id)
          heard(ids.length)
        },
        rewound: (kept) => void (ids.length = kept),
        ended: (problem) => resolve(problem && `${problem.code}: ${problem.text}`),
      },
    )
    session = value(began).session
  })
  const view = (): SessionView => handle.view().sessions.find(({ id }) => id === session)!
  return { ids, over, view }
}

const lenders = async (rig: Rig) => {
  const devices = await Promise.all(['alice', 'bob', 'carol'].map((name) => rig.device(name)))
  const pages = await Promise.all(
    devices.map(async ({ context }) => {
      const page = await rig.tab(context)
      await lend(page)
      return page
    }),
  )
  const account = (page: Page): Promise<string | null> =>
    page.locator('[data-donate]').first().getAttribute('data-account')
  return Promise.all(
    devices.map(async (device, i) => ({ ...device, account: await account(pages[i]!) })),
  )
}

test('three browsers hold a model together; one is killed, and the same tokens come', async ({
  rig,
}) => {
  const model = await openMade()
  const expected = await alone(model, GREEDY)
  const devices = await lenders(rig)
  const peer = await founder(rig)
  const killed: Promise<void>[] = []
  const asked = await ask(peer, model, GREEDY, (count) => {
    if (count !== 20) return
    const middle = asked.view().stages[1]!.node
    killed.push(devices.find(({ account }) => account === middle)!.kill())
  })
  expect(await asked.over).toBeNull()
  await Promise.all(killed)
  expect(asked.ids).toEqual(expected)
  const { stages, recoveries } = asked.view()
  expect(stages).toHaveLength(3)
  expect(recoveries).toHaveLength(1)
  expect(recoveries[0]!.replayed).toBeGreaterThan(20)
  process.stdout.write(
    `recovered in ${recoveries[0]!.ms} ms: ${JSON.stringify(recoveries[0]!.parts)}\n`,
  )
  await peer.close()
})

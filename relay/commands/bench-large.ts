/**
 * `swarm bench large`: a language model of noise that no node could hold, over as many headless nodes as it takes.
 * What each tab takes is asked of its browser, with its workers, while weights come and tokens are made; above what a tab
 * lends is a failure.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { err, ok, type Result } from '../../src/base/result.ts'
import { costedModel } from '../../src/core/stage-cost.ts'
import { stageNeeds } from '../../src/peer/models/stage-needs.ts'
import type { StageView } from '../../src/peer/models/session-view.ts'
import type { View } from '../../src/peer/view.ts'
import type { PortError } from '../../src/ports.ts'
import { ensureApp } from '../built-app.mjs'
import { startLocalSwarm, type LocalSwarm } from '../local-swarm.ts'
import { say } from '../terminal.ts'
import { median, row, type Row } from './bench-rows.ts'
import { noiseSource, tell, type Told } from './noise-talk.ts'

/** 53 MiB a layer in f32, and 1.02 GB in all. */
const SIZES = {
  layers: 18,
  width: 1_024,
  heads: 8,
  keyHeads: 8,
  headSize: 128,
  inner: 3_200,
  vocabulary: 1_024,
  context: 256,
}
const NODES = 6
/** What each lends. */
const LENT_BYTES = 512 * 2 ** 20
const PROMPT = [1, 2, 3, 4]
const TOKENS = 12
const TALK_MS = 900_000
/** How often it is said how far weights are. */
const TOLD_MS = 15_000
const MIB = 2 ** 20

export const benchLarge = async (): Promise<Result<Row[], PortError>> => {
  const built = await ensureApp(process.execPath)
  if (!built.ok) return err({ code: 'build-failed', detail: built.output.slice(0, 500) })
  const source = await noiseSource(SIZES)
  if (!source.ok) return source
  const bytes = source.value.manifest.blocks.reduce((sum, block) => sum + block.bytes, 0)
  say(`a model of ${Math.round(bytes / MIB)} MiB`)
  const dataDir = mkdtempSync(join(tmpdir(), 'swarm-large-'))
  const lent = { memoryBytes: LENT_BYTES }
  const options = { dataDir, port: 0, nodes: NODES, lent, log: say, serving: () => undefined }
  const local = await startLocalSwarm(options)
  if (!local.ok) return local
  const { handle } = local.value.node
  let watched: Watched | null = null
  const telling = setInterval(() => say(progressOf(handle.view())), TOLD_MS)
  try {
    const ready = await local.value.ready
    if (!ready.ok) return ready
    watched = watchMemory(local.value)
    const asked = { source: source.value, prompt: PROMPT, tokens: TOKENS, warm: 1 }
    const told = await tell(handle, { ...asked, limitMs: TALK_MS })
    if (!told.ok) return told
    const tabs = tabsOf(source.value.manifest, told.value, await watched.end())
    const full = tabs.find(({ measured }) => !(measured <= LENT_BYTES))
    if (full !== undefined) return err({ code: 'above-lent', detail: inWords(full) })
    return ok([
      row('a model of', 'MiB', [bytes / MIB]),
      row('tabs that hold it', 'tabs', [tabs.length]),
      ...tabs.map((tab) =>
        row(
          `${tab.name}, ${Math.round(tab.weights / MIB)} MiB of weights`,
          'MiB',
          [tab.measured / MIB],
          {
            lent: [LENT_BYTES / MIB],
            counted: [tab.counted / MIB],
          },
        ),
      ),
      row('a token', 'ms', [median(told.value.gaps)]),
    ])
  } finally {
    clearInterval(telling)
    await watched?.end()
    await local.value.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

const progressOf = ({ sessions }: View): string =>
  sessions
    .flatMap(({ stages }) => stages)
    .map(({ from, to, state, permille }) => `${from + 1} to ${to}: ${state} ${permille / 10} %`)
    .join(', ') || 'nodes are coming'

type Tab = {
  readonly name: string
  /** Bytes of its layers in the model's file, by the formula that a node admits them with, and as its browser said. */
  readonly weights: number
  readonly counted: number
  readonly measured: number
}

type Manifest = Parameters<typeof stageNeeds>[0]

const tabsOf = (manifest: Manifest, { view }: Told, most: ReadonlyMap<string, number>): Tab[] => {
  const { shape } = costedModel(manifest)!
  const places = PROMPT.length + TOKENS
  const tabOf = ({ from, to, node, here, given, others }: StageView): Tab => {
    // Headless tabs have adapters that are processors themselves, so products run on WebAssembly.
    const { weightBytes, tableBytes } = stageNeeds(manifest, shape, { from, to, places }, true)
    return {
      name: `the tab with layers ${from + 1} to ${to}`,
      weights: here + given + others,
      counted: weightBytes + tableBytes,
      measured: most.get(node ?? '') ?? NaN,
    }
  }
  return view.stages.map(tabOf)
}

const inWords = ({ name, measured }: Tab): string =>
  `${name} takes ${Math.ceil(measured / MIB)} MiB, and lends ${LENT_BYTES / MIB}`

type Watched = { end(): Promise<ReadonlyMap<string, number>> }

/** By account the most that its tab took, looked at again and again. */
const watchMemory = ({ memory, accounts }: LocalSwarm): Watched => {
  const most = new Map<string, number>()
  let isOver = false
  const look = async (): Promise<void> => {
    const names = await accounts().catch(() => [])
    const taken = await memory().catch(() => [])
    for (const [i, name] of names.entries())
      most.set(name, Math.max(most.get(name) ?? 0, taken[i] ?? 0))
  }
  const watching = (async () => {
    do {
      await look()
      await new Promise((later) => setTimeout(later, 500))
    } while (!isOver)
    await look()
  })()
  return {
    async end() {
      isOver = true
      await watching
      return most
    },
  }
}

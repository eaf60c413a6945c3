/**
 * `swarm bench talks`: a language model of noise over headless nodes of our own. What a token costs on one, two and
 * three of them in turn, so what a hop costs; and what three talks at once come to, beside one alone: over all three
 * nodes, and over one that has nothing to do with the others.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { ModelSource } from '../../src/peer/models/session-view.ts'
import type { NodeHandle } from '../../src/peer/view.ts'
import type { PortError } from '../../src/ports.ts'
import { ensureApp } from '../built-app.mjs'
import { startLocalSwarm } from '../local-swarm.ts'
import { plural, say } from '../terminal.ts'
import { benchPages, joinRaw, type BenchPages, type BenchTab } from './bench-page.ts'
import { median, row, type Row } from './bench-rows.ts'
import { noiseSource, tell, type NoiseAsked, type Told } from './noise-talk.ts'

declare const tab: BenchTab

const SIZES = {
  layers: 6,
  width: 256,
  heads: 8,
  keyHeads: 4,
  headSize: 32,
  inner: 768,
  vocabulary: 4_096,
  context: 512,
}
const NODES = 3
const PROMPT = Array.from({ length: 32 }, (_, i) => (37 * i) % SIZES.vocabulary)
const TOKENS = 48
/** The first ones wait for what is compiled and measured. */
const WARM_TOKENS = 8
const TALK_MS = 240_000
/** What a hop carries for one token: a row of numbers, and a few words about it. */
const ROW_BYTES = 4 * SIZES.width + 102
const ROUND_TRIPS = 40

export const benchTalks = async ({
  rounds,
}: {
  readonly rounds: number
}): Promise<Result<Row[], PortError>> => {
  const built = await ensureApp(process.execPath)
  if (!built.ok) return err({ code: 'build-failed', detail: built.output.slice(0, 500) })
  const source = await noiseSource(SIZES)
  if (!source.ok) return source
  const overAll = await overTabs(source.value, rounds)
  if (!overAll.ok) return overAll
  const overOne = await inSwarm(1, (handle) => measureOne(handle, source.value, rounds))
  return overOne.ok ? ok([...overAll.value, overOne.value]) : overOne
}

const overTabs = async (source: ModelSource, rounds: number): Promise<Result<Row[], PortError>> => {
  const pages = await benchPages()
  if (!pages.ok) return pages
  try {
    const bare = await bareChannel(pages.value)
    return await inSwarm(NODES, (handle) => measure(handle, source, bare, rounds))
  } finally {
    await pages.value.close()
  }
}

type Figure = () => Promise<number>

/** How long such a message takes one way over a data channel between two tabs that do nothing else. */
const bareChannel = async (pages: BenchPages): Promise<Figure> => {
  const [alice, bob] = await Promise.all([pages.newPage(), pages.newPage()])
  await joinRaw(alice, bob)
  await bob.evaluate(() => tab.raw.echo())
  return async () => {
    const asked = [ROW_BYTES, ROUND_TRIPS] as const
    return median(await alice.evaluate((all) => tab.raw.roundTrips(...all), asked)) / 2
  }
}

const inSwarm = async <T>(
  nodes: number,
  measuring: (handle: NodeHandle) => Promise<Result<T, PortError>>,
): Promise<Result<T, PortError>> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'swarm-talks-'))
  const own = { dataDir, port: 0, nodes, lent: { givesAll: true } }
  const local = await startLocalSwarm({ ...own, log: say, serving: () => undefined })
  if (!local.ok) return local
  try {
    const ready = await local.value.ready
    return ready.ok ? await measuring(local.value.node.handle) : ready
  } finally {
    await local.value.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

const askedOf = (source: ModelSource, stages: number): NoiseAsked => ({
  ...{ source, stages, prompt: PROMPT },
  ...{ tokens: TOKENS, warm: WARM_TOKENS, limitMs: TALK_MS },
})

/** What three talks come to at once. */
const threeTalks = async (
  handle: NodeHandle,
  asked: NoiseAsked,
): Promise<Result<number, PortError>> => {
  const good: Told[] = []
  for (const told of await Promise.all([1, 2, 3].map(() => tell(handle, asked)))) {
    if (!told.ok) return told
    good.push(told.value)
  }
  return ok(rateOf(good))
}

/** Talks that wait for one node may be computed together there, as its weights are then read once. */
const measureOne = async (
  handle: NodeHandle,
  source: ModelSource,
  rounds: number,
): Promise<Result<Row, PortError>> => {
  const asked = askedOf(source, 1)
  const [alone, together]: [number[], number[]] = [[], []]
  // What runs of several talks need is made while they talk.
  const warm = await threeTalks(handle, asked)
  if (!warm.ok) return warm
  for (let round = 0; round < rounds; round++) {
    const one = await tell(handle, asked)
    if (!one.ok) return one
    alone.push(rateOf([one.value]))
    const three = await threeTalks(handle, asked)
    if (!three.ok) return three
    together.push(three.value)
  }
  return ok(row('three talks at once on one of them', 'tokens/s', together, { 'one talk': alone }))
}

const measure = async (
  handle: NodeHandle,
  source: ModelSource,
  bare: Figure,
  rounds: number,
): Promise<Result<Row[], PortError>> => {
  const byStages: Record<number, number[]> = { 1: [], 2: [], 3: [] }
  const [alone, together, channel]: [number[], number[], number[]] = [[], [], []]
  // Weights travel, and every node compiles what each cut needs.
  for (const stages of [1, 2, 3]) {
    const warm = await tell(handle, askedOf(source, stages))
    if (!warm.ok) return warm
  }
  const others = handle.view().nodes.filter(({ self }) => !self)
  const adapters = [...new Set(others.map(({ adapter }) => adapter))]
  say(`on ${cpus().length} cores, adapters: ${adapters.join(', ')}`)
  for (let round = 0; round < rounds; round++) {
    for (const stages of [1, 2, 3]) {
      const told = await tell(handle, askedOf(source, stages))
      if (!told.ok) return told
      byStages[stages]!.push(median(told.value.gaps))
      if (stages === 3) alone.push(rateOf([told.value]))
    }
    channel.push(await bare())
    const three = await threeTalks(handle, askedOf(source, 3))
    if (!three.ok) return three
    together.push(three.value)
  }
  const hops = byStages[3]!.map((ms, i) => (ms - byStages[1]![i]!) / 2)
  return ok([
    ...[1, 2, 3].map((stages) =>
      row(`a token over ${plural(stages, 'node')}`, 'ms', byStages[stages]!),
    ),
    row('one hop more', 'ms', hops, { 'bare data channel': channel }),
    row('three talks at once on three of them', 'tokens/s', together, { 'one talk': alone }),
  ])
}

/** Tokens a second of all of them, while all of them ran. */
const rateOf = (told: readonly Told[]): number => {
  const from = Math.max(...told.map(({ beganAt }) => beganAt))
  const to = Math.min(...told.map(({ endedAt }) => endedAt))
  const tokens = told.reduce((sum, { gaps, beganAt, endedAt }) => {
    const share = Math.max(0, to - from) / (endedAt - beganAt)
    return sum + gaps.length * share
  }, 0)
  return to > from ? (1_000 * tokens) / (to - from) : 0
}

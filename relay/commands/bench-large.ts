/**
 * `swarm bench large`: a language model of noise that no node could hold, over as many headless nodes as it takes.
 * What the fullest tab takes is asked of the browser, with its workers, while tokens come.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { ensureApp } from '../built-app.mjs'
import { startLocalSwarm, type LocalSwarm } from '../local-swarm.ts'
import { say } from '../terminal.ts'
import { median, row, type Row } from './bench-rows.ts'
import { noiseSource, tell } from './noise-talk.ts'

/** 108 MiB a layer in f32, and 1.1 GB in all. */
const SIZES = {
  layers: 10,
  width: 1_536,
  heads: 12,
  keyHeads: 12,
  headSize: 128,
  inner: 4_096,
  vocabulary: 1_024,
  context: 256,
}
const NODES = 10
/** What each lends; on a processor weights are three times in memory. */
const BUDGET_BYTES = 512 * 2 ** 20
const TOKENS = 12
const TALK_MS = 900_000
const MIB = 2 ** 20

export const benchLarge = async (): Promise<Result<Row[], PortError>> => {
  const built = await ensureApp(process.execPath)
  if (!built.ok) return err({ code: 'build-failed', detail: built.output.slice(0, 500) })
  const source = await noiseSource(SIZES)
  if (!source.ok) return source
  const bytes = source.value.manifest.blocks.reduce((sum, block) => sum + block.bytes, 0)
  say(`a model of ${Math.round(bytes / MIB)} MiB`)
  const dataDir = mkdtempSync(join(tmpdir(), 'swarm-large-'))
  const lent = { memoryBytes: BUDGET_BYTES }
  const options = { dataDir, port: 0, nodes: NODES, lent, log: say, serving: () => undefined }
  const local = await startLocalSwarm(options)
  if (!local.ok) return local
  const watched = watchMemory(local.value)
  try {
    const ready = await local.value.ready
    if (!ready.ok) return ready
    const prompt = [1, 2, 3, 4]
    const asked = { source: source.value, prompt, tokens: TOKENS, warm: 1, limitMs: TALK_MS }
    const told = await tell(local.value.node.handle, asked)
    if (!told.ok) return told
    const { stages } = told.value.view
    return ok([
      row('a model of', 'MiB', [bytes / MIB]),
      row('nodes that hold it', 'nodes', [new Set(stages.map(({ node }) => node)).size]),
      row('weights of the fullest node', 'MiB', [
        Math.max(...stages.map(({ here, given, others }) => here + given + others)) / MIB,
      ]),
      row('memory of the fullest tab', 'MiB', [(await watched.end()) / MIB], {
        'its budget for work': [BUDGET_BYTES / MIB],
      }),
      row('a token', 'ms', [median(told.value.gaps)]),
    ])
  } finally {
    await watched.end()
    await local.value.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** The most that any tab took, looked at again and again. */
const watchMemory = ({ memory }: LocalSwarm): { end(): Promise<number> } => {
  let most = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, ...(await memory().catch(() => [])))
      await new Promise((later) => setTimeout(later, 2_000))
    }
  })()
  return {
    async end() {
      isOver = true
      await watching
      return most
    },
  }
}

/** `swarm up`: the whole thing on one machine. `npm start` is this. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderUnicodeCompact } from 'uqr'
import { foundSwarm } from '../found-swarm.ts'
import { startHeadless } from '../headless.ts'
import { root } from '../local-node.mjs'
import { rerunInLoopback } from '../loopback.ts'
import { fetchSwarmInfo, openNodePeer } from '../node-peer.ts'
import { prepareJob } from '../prepare-job.ts'
import { startRelay } from '../relay.ts'
import { inWords } from '../report.ts'
import { runJob } from '../run-job.ts'
import { bold, say, writeJson } from '../terminal.ts'
import { AGENT, VERSION } from '../version.ts'
import { EXIT, pairs, readArgs, whole, type Flags } from './args.ts'
import { codeFor, explain, finish } from './outcome.ts'

const FLAGS: Flags = {
  port: { type: 'string', help: 'of the relay and the app; 4100' },
  nodes: { type: 'string', help: 'headless nodes; 3' },
  once: { type: 'boolean', help: 'run the job and exit' },
  spec: { type: 'string', help: 'the job to run; the mandelbrot sample' },
  set: { type: 'string', multiple: true, help: 'key=value: changes a parameter of the spec' },
  input: { type: 'string', multiple: true, help: 'name=FILE' },
  out: { type: 'string', help: 'where results go; out' },
  data: { type: 'string', help: 'keys and books; .swarm, or a passing folder with --once' },
  budget: { type: 'string', help: 'credits' },
  json: { type: 'string', help: 'writes the report to a file, - for standard output' },
}
const PORT = 4100
const NODES_MAX = 32

const up = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 0)
  if (!args.ok) return explain(args.error)
  const once = args.value.on('once')
  if (once || process.env['CI'] || process.env['SWARM_LOOPBACK_ONLY'] === '1') {
    const code = await rerunInLoopback()
    if (code !== null) return code
    process.env['SWARM_LOOPBACK_ONLY'] = '1'
  }
  const port = whole('port', args.value.text('port'), 0, 65_535, once ? 0 : PORT)
  if (!port.ok) return explain(port.error)
  const nodes = whole('nodes', args.value.text('nodes'), 1, NODES_MAX, 3)
  if (!nodes.ok) return explain(nodes.error)
  const files = pairs('input', args.value.texts('input'))
  if (!files.ok) return explain(files.error)
  const budget = args.value.text('budget')
  const spec = args.value.text('spec') ?? join(root, 'public/jobs/mandelbrot.swarm.md')
  const prepared = await prepareJob(spec, args.value.texts('set'), files.value, budget === undefined ? {} : { budget })
  if (!prepared.ok) return explain({ code: 'usage', text: prepared.error.text })

  const passing = once && args.value.text('data') === undefined
  const dataDir = passing ? mkdtempSync(join(tmpdir(), 'swarm-')) : (args.value.text('data') ?? join(root, '.swarm'))
  const closing: (() => Promise<unknown>)[] = []
  if (passing) closing.push(() => rm(dataDir, { recursive: true, force: true }))
  const stop = new AbortController()
  const interrupted = (): void => stop.abort()
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted)

  const founded = foundSwarm(dataDir, 'a swarm of your own')
  if (!founded.ok) return finish(closing, explain(founded.error))
  const relay = await startRelay({
    port: port.value,
    dataDir,
    genesis: founded.value.genesis,
    appDir: join(root, 'dist/app'),
    jobsDir: join(root, 'public/jobs'),
    version: VERSION,
  })
  if (!relay.ok) return finish(closing, explain(relay.error))
  closing.unshift(() => relay.value.close())
  const { url } = relay.value
  say(`relay and app: ${bold(url)}`)
  const headless = await startHeadless(url, nodes.value, say)
  if (!headless.ok) return finish(closing, explain(headless.error))
  closing.unshift(() => headless.value.close())
  say(`${nodes.value} headless nodes measure their devices ...`)
  const info = await fetchSwarmInfo(url)
  if (!info.ok) return finish(closing, explain(info.error))
  const node = await openNodePeer(info.value, dataDir, AGENT)
  if (!node.ok) return finish(closing, explain(node.error))
  closing.unshift(() => node.value.close())
  const ready = await headless.value.ready
  if (!ready.ok) return finish(closing, explain(ready.error))
  say(`running ${bold(prepared.value.spec.title)}: ${prepared.value.plan.tasks.length} tasks`)
  const out = args.value.text('out') ?? 'out'
  const ran = await runJob(node.value.handle, prepared.value, out, stop.signal)
  if (ran.kind === 'ended') {
    say(inWords(ran.report, out))
    writeJson(args.value.text('json'), ran.report)
  }
  if (once || ran.kind !== 'ended') return finish(closing, codeFor(ran))
  say(`\n${renderUnicodeCompact(url)}\nOpen ${bold(url)} in a browser and lend it too. Ctrl-C stops everything.`)
  say(`The founder's key, with the credits: ${founded.value.keyFile} (Settings, Restore a key)`)
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }))
  return finish(closing, EXIT.done)
}

export const command = {
  summary: 'relay, app, headless nodes and the sample job; stays up unless --once',
  usage: 'swarm up [--port P] [--nodes N] [--once] [--spec FILE] [--set key=value]... [--input name=FILE]... [--out DIR] [--json F]',
  run: up,
}

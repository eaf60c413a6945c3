/** `swarm up`: the whole thing on one machine. `npm start` is this. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderUnicodeCompact } from 'uqr'
import { root } from '../local-node.mjs'
import { asksModel } from '../prepare-talk.ts'
import { startLocalSwarm } from '../local-swarm.ts'
import { rerunInLoopback } from '../loopback.ts'
import { bold, note, say } from '../terminal.ts'
import { DATA_DIR } from '../version.ts'
import { tellBeside } from './answer.ts'
import { EXIT, readArgs, whole, type Flags, type Usage } from './args.ts'
import { askFor, ASKING_FLAGS, prepareAsked } from './asking.ts'
import { ALLOW_WGSL, lentOf, neverDone } from './lending.ts'
import { NAME, nameOf } from './naming.ts'
import { codeFor, explain, failed, finish, nobody } from './outcome.ts'
import { stopSignal, unlessStopped } from './stopping.ts'

const FLAGS: Flags = {
  port: { type: 'string', help: 'of the relay and the app; 4100' },
  nodes: { type: 'string', help: 'headless nodes; 3' },
  once: { type: 'boolean', help: 'run the job and exit' },
  spec: { type: 'string', help: 'the job to run; the mandelbrot sample' },
  data: { type: 'string', help: `keys and books; ${DATA_DIR}, or a passing folder with --once` },
  ...NAME,
  ...ALLOW_WGSL,
  ...ASKING_FLAGS,
}
const PORT = 4100
const NODES_MAX = 32

const up = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 0)
  if (!args.ok) return explain(args.error)
  const once = args.value.on('once')
  if (once) {
    const code = await rerunInLoopback()
    if (code !== null) return code
  }
  // What stays up is for browsers outside too: no namespace then, and headless pages keep to loopback by themselves.
  if (once || process.env['CI']) process.env['SWARM_LOOPBACK_ONLY'] = '1'
  const port = whole('port', args.value.text('port'), 0, 65_535, once ? 0 : PORT)
  if (!port.ok) return explain(port.error)
  const nodes = whole('nodes', args.value.text('nodes'), 1, NODES_MAX, 3)
  if (!nodes.ok) return explain(nodes.error)
  const spec = args.value.text('spec') ?? join(root, 'public/jobs/mandelbrot.swarm.md')
  if (await asksModel(spec)) return explain(askedElsewhere(spec))
  const prepared = await prepareAsked(args.value, spec)
  if (!prepared.ok) return explain(prepared.error)
  const name = nameOf(args.value)
  if (!name.ok) return explain(name.error)
  const lent = lentOf(args.value)
  if (!lent.ok) return explain(lent.error)
  const never = neverDone(prepared.value, nodes.value, lent.value)
  if (never !== null) return nobody(never)

  const given = args.value.text('data')
  const passing = once && given === undefined
  const dataDir = passing ? mkdtempSync(join(tmpdir(), 'swarm-')) : (given ?? DATA_DIR)
  const closing: (() => Promise<unknown>)[] = []
  if (passing) closing.push(() => rm(dataDir, { recursive: true, force: true }))
  const stop = stopSignal()
  const serving = (url: string): void => {
    note(`relay and app: ${bold(url)}`)
    note(`${nodes.value} headless nodes measure their devices ...`)
  }
  const local = await startLocalSwarm({
    dataDir,
    port: port.value,
    nodes: nodes.value,
    // What stays up is for others, too.
    lent: { ...lent.value, givesAll: once },
    name: name.value,
    log: say,
    serving,
  })
  if (!local.ok) return finish(closing, failed(local.error))
  closing.unshift(() => local.value.close())
  const { url, keyFile, node } = local.value
  const ready = await unlessStopped(local.value.ready, stop)
  if (ready === null) return finish(closing, EXIT.interrupted)
  if (!ready.ok) return finish(closing, failed(ready.error))
  const ran = await askFor(node.handle, prepared.value, args.value, stop)
  if (once || ran.kind !== 'ended') return finish(closing, codeFor(ran))
  note(`\n${renderUnicodeCompact(url)}`)
  const beside = [
    `Open ${bold(url)} in a browser and lend it too. Ctrl-C stops everything.`,
    `A new tab has no credits: it earns some, or runs its jobs in the free tier. The founder's: ${keyFile}`,
  ]
  tellBeside(beside.join('\n'), args.value.text('json'))
  if (!stop.aborted)
    await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }))
  return finish(closing, EXIT.done)
}

const askedElsewhere = (spec: string): Usage => ({
  code: 'usage',
  text: `--spec: ${spec} asks a language model: \`swarm run\` does that, with nodes of its own or those of --relay URL`,
})

export const command = {
  summary: 'relay, app, headless nodes and the sample job; stays up unless --once',
  usage:
    'swarm up [--port P] [--nodes N] [--allow-wgsl] [--once] [--spec FILE] [--set key=value]... [--input name=FILE]... [--out DIR] [--budget CREDITS] [--data DIR] [--name NAME] [--json F]',
  flags: FLAGS,
  run: up,
}

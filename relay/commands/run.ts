/**
 * `swarm run`: a job from a file, on the swarm of a relay or on one of its own. The job is on disk before
 * it begins, so that the same command takes up what an earlier one has left. Networks and browsers are
 * loaded only once it is clear what is asked.
 */
import { rerunInLoopback } from '../loopback.ts'
import { bold, note, say } from '../terminal.ts'
import { AGENT, DATA_DIR } from '../version.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, usage, whole, type Args, type Flags } from './args.ts'
import { askFor, ASKING_FLAGS, prepareAsked } from './asking.ts'
import { ALLOW_WGSL, lentOf, neverDone } from './lending.ts'
import { planInWords } from './plan-words.ts'
import { codeFor, explain, failed, finish, nobody } from './outcome.ts'
import { relayUrl } from './relay-url.ts'
import { stopSignal, unlessStopped } from './stopping.ts'
import type { Lent } from '../headless.ts'
import type { PreparedJob } from '../prepare-job.ts'

const FLAGS: Flags = {
  relay: { type: 'string', help: 'the swarm to ask, by the URL of a relay' },
  nodes: { type: 'string', help: 'brings its own relay and so many headless nodes; 3' },
  data: { type: 'string', help: `keys and books; ${DATA_DIR}` },
  'dry-run': { type: 'boolean', help: 'says what it would cost, and sends nothing' },
  ...ALLOW_WGSL,
  ...ASKING_FLAGS,
}
const NODES_MAX = 32

const run = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 1)
  if (!args.ok) return explain(args.error)
  const [spec] = args.value.rest
  const [relay, own] = [args.value.text('relay'), args.value.text('nodes')]
  if (spec === undefined) return usageOf('which spec? swarm run SPEC.md')
  if (relay !== undefined && own !== undefined)
    return usageOf('--relay and --nodes exclude each other: which swarm is asked?')
  const lent = lentOf(args.value)
  if (!lent.ok) return explain(lent.error)
  if (relay !== undefined && lent.value.allowWgsl)
    return usageOf('--allow-wgsl is for nodes of its own: those of a swarm belong to others')
  const nodes = whole('nodes', own, 1, NODES_MAX, 3)
  if (!nodes.ok) return explain(nodes.error)
  const url = relay === undefined ? null : relayUrl(relay)
  if (url?.ok === false) return explain(url.error)
  const prepared = await prepareAsked(args.value, spec)
  if (!prepared.ok) return explain(prepared.error)
  if (args.value.on('dry-run')) return planned(prepared.value, args.value)
  if (url) return askSwarm(url.value, prepared.value, args.value)
  const never = neverDone(prepared.value, nodes.value, lent.value)
  if (never !== null) return nobody(never)
  // Nodes of its own have no business outside this machine.
  const code = await rerunInLoopback()
  if (code !== null) return code
  process.env['SWARM_LOOPBACK_ONLY'] = '1'
  return askOwn(nodes.value, lent.value, prepared.value, args.value)
}

const planned = ({ plan, spec }: PreparedJob, args: Args): number => {
  const written = answer(planInWords(plan, spec.redundancy), args.text('json'), plan)
  return written ? EXIT.done : EXIT.failed
}

const usageOf = (text: string): number => {
  const refused = usage(text)
  return refused.ok ? EXIT.done : explain(refused.error)
}

const askSwarm = async (url: string, prepared: PreparedJob, args: Args): Promise<number> => {
  const stop = stopSignal()
  const { fetchSwarmInfo, openNodePeer } = await import('../node-peer.ts')
  const info = await fetchSwarmInfo(url)
  if (!info.ok) return failed(info.error)
  const node = await openNodePeer(info.value, args.text('data') ?? DATA_DIR, AGENT)
  if (!node.ok) {
    if (node.error.code === 'store-locked')
      say('With --data FOLDER this command is an account of its own.')
    return failed(node.error)
  }
  note(`asking ${bold(info.value.swarm.name)} at ${url}`)
  const ran = await askFor(node.value.handle, prepared, args, stop)
  return finish([() => node.value.close()], codeFor(ran))
}

const askOwn = async (
  nodes: number,
  lent: Lent,
  prepared: PreparedJob,
  args: Args,
): Promise<number> => {
  const stop = stopSignal()
  const { startLocalSwarm } = await import('../local-swarm.ts')
  const dataDir = args.text('data') ?? DATA_DIR
  const serving = (url: string): void =>
    note(`relay and app: ${bold(url)}; ${nodes} headless nodes measure their devices ...`)
  const local = await startLocalSwarm({ dataDir, port: 0, nodes, lent, log: say, serving })
  if (!local.ok) return failed(local.error)
  const closing = [() => local.value.close()]
  const ready = await unlessStopped(local.value.ready, stop)
  if (ready === null) return finish(closing, EXIT.interrupted)
  if (!ready.ok) return finish(closing, failed(ready.error))
  const ran = await askFor(local.value.node.handle, prepared, args, stop)
  return finish(closing, codeFor(ran))
}

export const command = {
  summary: 'runs a job; without --relay on a relay and nodes of its own',
  usage:
    'swarm run SPEC.md [--relay URL | --nodes N [--allow-wgsl]] [--set key=value]... [--input name=FILE]... [--out DIR] [--budget CREDITS] [--data DIR] [--json F] [--dry-run]',
  flags: FLAGS,
  run,
}

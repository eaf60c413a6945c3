/**
 * `swarm run`: a job from a file, on the swarm of a relay or on one of its own. The job is on disk before
 * it begins, so that the same command takes up what an earlier one has left. Networks and browsers are
 * loaded only once it is clear what is asked.
 */
import { ok, type Result } from '../../src/base/result.ts'
import type { NodeHandle } from '../../src/peer/view.ts'
import { rerunInLoopback } from '../loopback.ts'
import { bold, note, say } from '../terminal.ts'
import { AGENT, DATA_DIR } from '../version.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, usage, whole, type Args, type Flags, type Usage } from './args.ts'
import { askFor, ASKING_FLAGS, prepareAsked } from './asking.ts'
import { ALLOW_WGSL, lentOf, neverDone } from './lending.ts'
import { planInWords } from './plan-words.ts'
import { codeFor, explain, failed, finish, nobody } from './outcome.ts'
import { relayUrl } from './relay-url.ts'
import { stopSignal, unlessStopped } from './stopping.ts'
import { askTalk, prepareAskedTalk, shared, TALKING_FLAGS, talkPlanned } from './talking.ts'
import { asksModel } from '../prepare-talk.ts'
import type { Lent } from '../headless.ts'
import type { PreparedJob } from '../prepare-job.ts'

const FLAGS: Flags = {
  relay: { type: 'string', help: 'the swarm to ask, by the URL of a relay' },
  nodes: { type: 'string', help: 'brings its own relay and so many headless nodes; 3' },
  data: { type: 'string', help: `keys and books; ${DATA_DIR}` },
  'dry-run': { type: 'boolean', help: 'says what it would cost, and sends nothing' },
  ...ALLOW_WGSL,
  ...ASKING_FLAGS,
  ...TALKING_FLAGS,
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
  const asked = (await asksModel(spec))
    ? await talkAsked(args.value, spec)
    : await jobAsked(args.value, spec)
  if (!asked.ok) return explain(asked.error)
  const code = await onSwarm(asked.value, args.value, url?.value ?? null, nodes.value, lent.value)
  await asked.value.close()
  return code
}

/** What a spec asks for, be it tasks or text. */
type Asked = {
  /** What it would cost, when nothing is sent. */
  planned(nodes: number): number
  /** @error usage, where somebody has to agree first and does not */
  agreed(): Promise<Result<null, Usage>>
  /** Why nodes of its own never could; null where they could. */
  never(nodes: number, lent: Lent): string | null
  ask(handle: NodeHandle, stop: AbortSignal): Promise<number>
  close(): Promise<void>
}

const jobAsked = async (args: Args, spec: string): Promise<Result<Asked, Usage>> => {
  const prepared = await prepareAsked(args, spec)
  if (!prepared.ok) return prepared
  return ok({
    planned: () => planned(prepared.value, args),
    agreed: async () => ok(null),
    never: (nodes, lent) => neverDone(prepared.value, nodes, lent),
    ask: async (handle, stop) => codeFor(await askFor(handle, prepared.value, args, stop)),
    close: async () => undefined,
  })
}

const talkAsked = async (args: Args, spec: string): Promise<Result<Asked, Usage>> => {
  const prepared = await prepareAskedTalk(args, spec)
  if (!prepared.ok) return prepared
  return ok({
    planned: (nodes) => talkPlanned(prepared.value, nodes, args),
    agreed: () => shared(prepared.value, args),
    never: () => null,
    ask: (handle, stop) => askTalk(handle, prepared.value, args, stop),
    close: prepared.value.close,
  })
}

const onSwarm = async (
  asked: Asked,
  args: Args,
  url: string | null,
  nodes: number,
  lent: Lent,
): Promise<number> => {
  if (args.on('dry-run')) return asked.planned(nodes)
  const agreed = await asked.agreed()
  if (!agreed.ok) return explain(agreed.error)
  if (url !== null) return askSwarm(url, asked, args)
  const never = asked.never(nodes, lent)
  if (never !== null) return nobody(never)
  // Nodes of its own have no business outside this machine.
  const code = await rerunInLoopback()
  if (code !== null) return code
  process.env['SWARM_LOOPBACK_ONLY'] = '1'
  return askOwn(nodes, lent, asked, args)
}

const planned = ({ plan, spec }: PreparedJob, args: Args): number => {
  const written = answer(planInWords(plan, spec.redundancy), args.text('json'), plan)
  return written ? EXIT.done : EXIT.failed
}

const usageOf = (text: string): number => {
  const refused = usage(text)
  return refused.ok ? EXIT.done : explain(refused.error)
}

const askSwarm = async (url: string, asked: Asked, args: Args): Promise<number> => {
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
  const code = await asked.ask(node.value.handle, stop)
  return finish([() => node.value.close()], code)
}

const askOwn = async (nodes: number, lent: Lent, asked: Asked, args: Args): Promise<number> => {
  const stop = stopSignal()
  const { startLocalSwarm } = await import('../local-swarm.ts')
  const dataDir = args.text('data') ?? DATA_DIR
  const serving = (url: string): void =>
    note(`relay and app: ${bold(url)}; ${nodes} headless nodes measure their devices ...`)
  const own = { ...lent, givesAll: true }
  const local = await startLocalSwarm({ dataDir, port: 0, nodes, lent: own, log: say, serving })
  if (!local.ok) return failed(local.error)
  const closing = [() => local.value.close()]
  const ready = await unlessStopped(local.value.ready, stop)
  if (ready === null) return finish(closing, EXIT.interrupted)
  if (!ready.ok) return finish(closing, failed(ready.error))
  return finish(closing, await asked.ask(local.value.node.handle, stop))
}

export const command = {
  summary: 'runs a job; without --relay on a relay and nodes of its own',
  usage:
    'swarm run SPEC.md [--relay URL | --nodes N [--allow-wgsl]] [--set key=value]... [--input name=FILE]... [--out DIR] [--budget CREDITS] [--data DIR] [--json F] [--dry-run] [--share]',
  flags: FLAGS,
  run,
}

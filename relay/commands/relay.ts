/** `swarm relay`: the relay alone, for a swarm whose nodes are elsewhere. */
import { join } from 'node:path'
import { renderUnicodeCompact } from 'uqr'
import type { Result } from '../../src/base/result.ts'
import { ensureApp } from '../built-app.mjs'
import { iceServers, type RelayOptions } from '../config.ts'
import { foundSwarm, type Founded } from '../found-swarm.ts'
import { addressOfUrl, isLoopback } from '../host.ts'
import { root } from '../local-node.mjs'
import { fetchSwarmInfo } from '../node-peer.ts'
import { startRelay, type RunningRelay } from '../relay.ts'
import { bold, credits, say, writeJson } from '../terminal.ts'
import { COMMIT, DATA_DIR, VERSION } from '../version.ts'
import { EXIT, readArgs, usage, whole, type Args, type Flags, type Usage } from './args.ts'
import { NAME, nameOf } from './naming.ts'
import { explain, failed } from './outcome.ts'
import { healthOf, healthWords } from './relay-health.ts'
import { liveLine, onTerminal, stopSignal, unlessStopped } from './stopping.ts'

const FLAGS: Flags = {
  port: { type: 'string', help: '4100' },
  host: { type: 'string', help: 'the address to listen on; 127.0.0.1, this machine only' },
  data: { type: 'string', help: `the key, the genesis document and the founder; ${DATA_DIR}` },
  ...NAME,
  'public-url': { type: 'string', help: 'what people type, where a proxy in front terminates TLS' },
  stun: { type: 'string', multiple: true, help: 'stun:HOST[:PORT], passed on to tabs' },
  turn: {
    type: 'string',
    multiple: true,
    help: 'turn:USER:PASSWORD@HOST[:PORT], passed on to tabs',
  },
  json: { type: 'string', help: 'writes where it is to a file, - for standard output' },
}
const PORT = 4100
const HOST = '127.0.0.1'
const STATUS_EVERY_MS = 10_000
/** What is open is closed by then, or the process ends all the same. */
const STOP_MS = 4_500

type Asked = Pick<RelayOptions, 'host' | 'port' | 'publicUrl' | 'stun' | 'turn'>

const relay = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 0)
  if (!args.ok) return explain(args.error)
  const asked = readAsked(args.value)
  if (!asked.ok) return explain(asked.error)
  const dataDir = args.value.text('data') ?? DATA_DIR
  const name = nameOf(args.value)
  if (!name.ok) return explain(name.error)
  const founded = foundSwarm(dataDir, name.value)
  if (!founded.ok) return failed(founded.error)
  const appDir = join(root, 'dist/app')
  const built = await ensureApp(process.execPath)
  if (!built.ok)
    say(`${built.output}\nThe app could not be built: the relay serves nodes, but no page.`)
  const stop = stopSignal()
  const started = await startRelay({
    ...asked.value,
    dataDir,
    genesis: founded.value.genesis,
    appDir,
    jobsDir: join(root, 'public/jobs'),
    version: VERSION,
    commit: COMMIT,
  })
  if (!started.ok) return failed(started.error)
  const running = started.value
  const local =
    asked.value.publicUrl === undefined ? running.url : `http://${HOST}:${asked.value.port}`
  await introduce(running, founded.value, local, dataDir, args.value.text('json'))
  const quiet = onTerminal(STATUS_EVERY_MS, async () => {
    const health = await healthOf(local)
    if (health.ok) liveLine(healthWords(health.value))
  })
  await unlessStopped(new Promise(() => undefined), stop)
  quiet()
  say('\nstopping ...')
  const patience = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref())
  await Promise.race([running.close(), patience])
  return EXIT.done
}

const readAsked = (args: Args): Result<Asked, Usage> => {
  const port = whole('port', args.text('port'), 0, 65_535, PORT)
  if (!port.ok) return port
  const host = args.text('host') ?? HOST
  const publicUrl = args.text('public-url')
  const outside = publicUrl === undefined ? null : addressOfUrl(publicUrl)
  if (outside?.ok === false) return usage(`--public-url: ${outside.error.detail}`)
  if (outside && port.value === 0)
    return usage('--public-url: a proxy needs a port that stays; give one with --port')
  const [stun, turn] = [args.texts('stun'), args.texts('turn')]
  for (const url of stun) {
    if (iceServers([url], []) === null)
      return usage(`--stun: expected stun:HOST[:PORT], found "${url}"`)
  }
  for (const url of turn) {
    if (iceServers([], [url]) === null)
      return usage(`--turn: expected turn:USER:PASSWORD@HOST[:PORT], found "${url}"`)
  }
  if (process.env['SWARM_LOOPBACK_ONLY'] === '1') {
    const far = [host, ...stun.map(hostOf), ...turn.map(hostOf)].find(
      (name) => name !== 'localhost' && !isLoopback(name),
    )
    if (far !== undefined)
      return usage(`SWARM_LOOPBACK_ONLY=1 keeps to this machine, and ${far} is elsewhere`)
  }
  return {
    ok: true,
    value: {
      port: port.value,
      host,
      stun,
      turn,
      ...(publicUrl === undefined ? {} : { publicUrl }),
    },
  }
}

/** The host in `stun:HOST:PORT` or `turn:USER:PASSWORD@HOST:PORT`. */
const hostOf = (url: string): string =>
  url
    .replace(/^.*@|^stuns?:/, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')

const introduce = async (
  { url, multiaddrs, peer, swarm }: RunningRelay,
  { account, keyFile }: Founded,
  local: string,
  dataDir: string,
  json: string | undefined,
): Promise<void> => {
  const info = await fetchSwarmInfo(local)
  const held = info.ok ? (info.value.swarm.allocations.get(account) ?? null) : null
  say(`relay and app: ${bold(url)}`)
  for (const address of multiaddrs) say(`nodes dial:    ${address}`)
  say(`swarm:         ${swarm ?? 'none'}${info.ok ? ` (${info.value.swarm.name})` : ''}`)
  if (held === null) say('founder:       somebody else; this data folder holds no key with credits')
  else
    say(
      `founder:       ${account}\n               holds ${credits(held)} credits; its key: ${keyFile}`,
    )
  if (process.stderr.isTTY === true) say(`\n${renderUnicodeCompact(url)}\nCtrl-C stops it.`)
  const founder = held === null ? null : account
  writeJson(json, {
    url,
    multiaddrs,
    peer,
    swarm,
    name: info.ok ? info.value.swarm.name : null,
    founder,
    dataDir,
  })
}

export const command = {
  summary: 'the relay alone; founds a swarm where the data folder has none',
  usage:
    'swarm relay [--port P] [--host H] [--data DIR] [--name NAME] [--public-url U] [--stun U]... [--turn U]... [--json F]',
  flags: FLAGS,
  run: relay,
}

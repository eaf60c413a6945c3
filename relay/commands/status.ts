/** `swarm status`: asks a relay's registry who is there, what they can do and what runs. */
import { err, ok, type Result } from '../../src/base/result.ts'
import type { NetworkEvents, PortError } from '../../src/ports.ts'
import type { Advert } from '../../src/wire/signed.ts'
import type { SwarmInfo } from '../../src/wire/swarm-info.ts'
import { ADVERT_LIFE_MS } from '../../src/wire/version.ts'
import { loopbackOnly } from '../loopback.ts'
import { openNodeNetwork } from '../node-network.ts'
import { fetchSwarmInfo } from '../node-peer.ts'
import { short, table } from '../terminal.ts'
import { AGENT } from '../version.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, type Flags } from './args.ts'
import { explain, failed } from './outcome.ts'
import { duration, healthOf, healthWords, type RelayHealth } from './relay-health.ts'
import { relayUrl } from './relay-url.ts'

const FLAGS: Flags = {
  relay: { type: 'string', help: 'its URL' },
  json: { type: 'string', help: 'writes it to a file, - for standard output' },
}
/** A relay that has answered over HTTP takes a WebSocket within this time. */
const ASK_MS = 15_000
const AGAIN_MS = 200
/** One answer is a sample of at most 64; those of several capabilities together show more. */
const CAPABILITIES = ['any', 'gpu', 'software', 'cpu']
const FIND_LIMIT = 64

export type SeenNode = {
  readonly account: string
  readonly peer: string
  readonly adapter: Advert['adapter']
  /** log2 of MFLOP/s. */
  readonly f32: number
  readonly speed: string
  readonly state: Advert['state']
  readonly queued: number
  /** A factor on the metered cost. */
  readonly price: number
  readonly ageSeconds: number
}

export type SwarmStatus = {
  readonly relay: string
  readonly swarm: string
  readonly name: string
  readonly nodes: readonly SeenNode[]
  /** More than those above where the registry gives only a sample. */
  readonly nodesInAll: number
  readonly health: RelayHealth
}

const status = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 0)
  if (!args.ok) return explain(args.error)
  const url = relayUrl(args.value.text('relay'))
  if (!url.ok) return explain(url.error)
  const seen = await swarmStatus(url.value)
  if (!seen.ok) return failed(seen.error)
  const answered = answer(inWords(seen.value), args.value.text('json'), seen.value)
  return answered ? EXIT.done : EXIT.failed
}

/** @error no-relay, not-a-relay, bad-genesis, or what the registry says */
export const swarmStatus = async (url: string): Promise<Result<SwarmStatus, PortError>> => {
  const info = await fetchSwarmInfo(url)
  if (!info.ok) return info
  const health = await healthOf(url)
  if (!health.ok) return health
  const found = await ask(info.value)
  if (!found.ok) return found
  const { cid, name } = info.value.swarm
  const ours = found.value.adverts.filter(({ swarm }) => swarm === cid)
  const nodes = ours
    .map((advert) => seenNode(advert, Date.now()))
    .toSorted((a, b) => (a.account < b.account ? -1 : 1))
  return ok({
    relay: url,
    swarm: cid,
    name,
    nodes,
    nodesInAll: Math.max(nodes.length, found.value.total),
    health: health.value,
  })
}

const NOTHING = (): void => undefined
/** Whoever calls us here finds nobody at home. */
const EVENTS: NetworkEvents = {
  opened: NOTHING,
  received: NOTHING,
  faulty: NOTHING,
  closed: NOTHING,
  linkChanged: NOTHING,
  reachability: NOTHING,
  welcome: () => 0,
}

const ask = async ({
  relays,
}: SwarmInfo): Promise<Result<{ adverts: Advert[]; total: number }, PortError>> => {
  const opened = await openNodeNetwork({
    relays,
    agent: AGENT,
    events: EVENTS,
    loopbackOnly: loopbackOnly(),
    webrtc: false,
  })
  if (!opened.ok) return opened
  const network = opened.value
  const newest = new Map<string, Advert>()
  let total = 0
  try {
    const end = Date.now() + ASK_MS
    for (const capability of CAPABILITIES) {
      let found = await network.find(capability, FIND_LIMIT)
      while (!found.ok && Date.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
        found = await network.find(capability, FIND_LIMIT)
      }
      if (!found.ok) return err(found.error)
      if (capability === 'any') total = found.value.total
      for (const { body } of found.value.adverts) {
        const known = newest.get(body.account)
        if (!known || known.seq < body.seq) newest.set(body.account, body)
      }
    }
    return ok({ adverts: [...newest.values()], total })
  } finally {
    await network.close()
  }
}

const seenNode = (advert: Advert, now: number): SeenNode => {
  const { account, peer, adapter, f32, state, queued, price, until } = advert
  // An advert is signed for a whole life, so its end says when it began.
  const ageSeconds = Math.max(0, Math.round((now - (until - ADVERT_LIFE_MS)) / 1_000))
  return {
    account,
    peer,
    adapter,
    f32,
    speed: speedWords(f32),
    state,
    queued,
    price: price / 1_000,
    ageSeconds,
  }
}

/** A class is a power of two, so it is told without decimals. */
export const speedWords = (f32: number): string => {
  const [unit, under] = f32 < 10 ? ['MFLOP/s', 0] : f32 < 20 ? ['GFLOP/s', 10] : ['TFLOP/s', 20]
  return `${2 ** (f32 - Number(under))} ${unit}`
}

export const ADAPTERS: Record<Advert['adapter'], string> = {
  gpu: 'GPU',
  software: 'software adapter',
  cpu: 'processor only',
}

const inWords = ({ relay, swarm, name, nodes, nodesInAll, health }: SwarmStatus): string => {
  const busy = nodes.filter(({ state }) => state === 'busy').length
  const queued = nodes.reduce((sum, node) => sum + node.queued, 0)
  const rows = nodes.map(
    ({ account, adapter, speed, state, queued: waiting, price, ageSeconds }) => [
      short(account),
      ADAPTERS[adapter],
      speed,
      state,
      String(waiting),
      price.toFixed(3),
      duration(ageSeconds),
    ],
  )
  return [
    `${name}: ${swarm}`,
    `${relay}: ${healthWords(health)}`,
    '',
    ...(rows.length === 0
      ? ['no nodes']
      : [
          table(
            ['node', 'adapter', 'f32, at least', 'state', 'queue', 'price factor', 'age'],
            rows,
          ),
        ]),
    '',
    `${nodesInAll} ${nodesInAll === 1 ? 'node' : 'nodes'}, ${busy} at work, ${queued} tasks wait`,
  ].join('\n')
}

export const command = {
  summary: 'who is there, what they can do, what runs',
  usage: 'swarm status --relay URL [--json F]',
  flags: FLAGS,
  run: status,
}

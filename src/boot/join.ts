/** Joins the swarm that a relay serves, with the key and the books of this browser. */
import { browserClock } from '../adapters/clock.ts'
import { watchConditions } from '../adapters/conditions.ts'
import { booksName, openStore } from '../adapters/indexeddb.ts'
import { openBrowserNetwork } from '../adapters/libp2p.ts'
import { openKeyring, type Keyring } from '../adapters/webcrypto.ts'
import { workerPool, type WorkerPool } from '../adapters/worker-pool.ts'
import { err, ok, type Result } from '../base/result.ts'
import { epochMs } from '../base/units.ts'
import { live } from '../peer/living.ts'
import type { NodeHandle } from '../peer/view.ts'
import type { PortError, Store } from '../ports.ts'
import { readSwarmInfo, type SwarmInfo } from '../wire/swarm-info.ts'

export const AGENT = 'swarmharness/0.1.0'
const INFO_MS = 10_000
const INFO_CACHE = 'swarm-info'

export type Joined = {
  readonly handle: NodeHandle
  readonly info: SwarmInfo
  readonly keyring: Keyring
  readonly store: Store
  readonly compute: WorkerPool
  readonly url: string
  /** The name of the store, among those of other accounts and swarms in this browser. */
  readonly books: string
}

/** The relay's own words; off-line, what it said last. */
const fetchInfo = async (url: string): Promise<Result<SwarmInfo, PortError>> => {
  const kept = (): unknown => JSON.parse(localStorage.getItem(INFO_CACHE) ?? 'null')
  try {
    const answer = await fetch(new URL('/swarm.json', url), {
      signal: AbortSignal.timeout(INFO_MS),
    })
    const json: unknown = await answer.json()
    const read = readSwarmInfo(json)
    if (read.ok) localStorage.setItem(INFO_CACHE, JSON.stringify(json))
    return read
  } catch (cause) {
    const before = readSwarmInfo(kept())
    if (before.ok) return before
    return err({
      code: 'no-relay',
      detail: `The relay at ${url} does not answer: ${String(cause)}`,
    })
  }
}

/** `?share=80`: what the slider shows before anybody agrees; an operator's own tabs are opened so. */
const presetShare = (search: string): number | null => {
  const percent = Number(new URLSearchParams(search).get('share') ?? Number.NaN)
  return percent >= 5 && percent <= 100 ? percent / 100 : null
}

export const joinSwarm = async (
  url: string,
  stage: (text: string) => void,
): Promise<Result<Joined, PortError>> => {
  stage('asking the relay')
  const info = await fetchInfo(url)
  if (!info.ok) return info
  stage('opening your key')
  const keyring = await openKeyring()
  if (!keyring.ok) return keyring
  stage('reading your books')
  const books = booksName(info.value.swarm.cid, keyring.value.account)
  const stored = await openStore({ name: books })
  if (!stored.ok) return stored
  const { signer } = keyring.value
  const { store } = stored.value
  const compute = workerPool()
  const clock = browserClock()
  const stop = new AbortController()
  stage('joining the swarm')
  const opened = await live(
    (events) =>
      openBrowserNetwork({
        relays: info.value.relays,
        iceServers: info.value.iceServers,
        agent: AGENT,
        events,
        verify: ({ body, sig }) => signer.verify(body.account, body, sig),
        epoch: () => epochMs(Date.now()),
      }),
    {
      clock,
      store,
      compute,
      signer,
      random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    },
    {
      swarm: info.value.swarm,
      agent: AGENT,
      signal: stop.signal,
      backedUp: () => keyring.value.backup() === 'saved' || keyring.value.backup() === 'confirmed',
      async close() {
        stop.abort()
        conditions.close()
        clock.close()
        keyring.value.close()
      },
    },
  )
  if (!opened.ok) return opened
  const handle = opened.value
  const share = presetShare(location.search)
  if (share !== null) handle.setLimits({ ...handle.limits(), share })
  const conditions = watchConditions((condition, present) => handle.condition(condition, present))
  return ok({ handle, info: info.value, keyring: keyring.value, store, compute, url, books })
}

/** Joins the swarm that a relay serves, with the key and the books of this browser. */
import { browserClock } from '../adapters/clock.ts'
import { watchConditions } from '../adapters/conditions.ts'
import { booksName, openStore } from '../adapters/indexeddb.ts'
import { openBrowserNetwork } from '../adapters/libp2p.ts'
import { openLeafShelf } from '../adapters/leaf-shelf.ts'
import { memoryShelf } from '../adapters/memory-shelf.ts'
import { memoryStore } from '../adapters/memory-store.ts'
import { openKeyring, type Keyring } from '../adapters/webcrypto.ts'
import { workerPool, type WorkerPool } from '../adapters/worker-pool.ts'
import { err, ok, type Result } from '../base/result.ts'
import { epochMs } from '../base/units.ts'
import { live } from '../peer/living.ts'
import { watchDevice } from './watch-device.ts'
import type { NodeHandle } from '../peer/view.ts'
import type { PortError, Shelf, Store } from '../ports.ts'
import { readSwarmInfo, type SwarmInfo } from '../wire/swarm-info.ts'

export const AGENT = 'swarmharness/0.1.0'
const INFO_MS = 10_000
/** A quarter of what a tab may well take. */
const SHELF_BYTES = 2 ** 28
const INFO_CACHE = 'swarm-info'

export type Joined = {
  readonly handle: NodeHandle
  readonly info: SwarmInfo
  readonly keyring: Keyring
  readonly store: Store
  readonly shelf: Shelf
  readonly compute: WorkerPool
  readonly url: string
  /** The name of the store, among those of other accounts and swarms in this browser. */
  readonly books: string
}

export type JoinOptions = {
  /** Of a relay. */
  readonly url: string
  /** What joining is busy with, in a few words. */
  stage?(text: string): void
  /** `memory`: an account of this page alone, which leaves nothing behind. */
  readonly storage?: 'browser' | 'memory'
  /** Where the account's key lies, among those of this origin. */
  readonly keyName?: string
  /** No direct links: other nodes are not to see this device's address. */
  readonly relayedOnly?: boolean
  /** Told of what is wrong with the storage, and stays so while the page is open. */
  trouble?(problem: PortError): void
}

/** `books`: where the data lies that could not be used. */
export type JoinError = PortError & { readonly books?: string }

/** The relay's own words; off-line, what it said last. */
const fetchInfo = async (url: string, remember: boolean): Promise<Result<SwarmInfo, PortError>> => {
  const cache = remember ? localStorage : null
  const name = `${INFO_CACHE} ${new URL(url).origin}`
  const kept = (): unknown => JSON.parse(cache?.getItem(name) ?? 'null')
  try {
    const answer = await fetch(new URL('/swarm.json', url), {
      signal: AbortSignal.timeout(INFO_MS),
    })
    const json: unknown = await answer.json()
    const read = readSwarmInfo(json)
    if (read.ok) cache?.setItem(name, JSON.stringify(json))
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

export const joinSwarm = async (options: JoinOptions): Promise<Result<Joined, JoinError>> => {
  const { url, stage = () => undefined, storage = 'browser', keyName, relayedOnly } = options
  const onProblem = (problem: PortError): void => options.trouble?.(problem)
  stage('asking the relay')
  const info = await fetchInfo(url, storage === 'browser')
  if (!info.ok) return info
  stage('opening your key')
  const keyring = await openKeyring({
    storage,
    onProblem,
    ...(keyName ? { name: keyName } : {}),
  })
  if (!keyring.ok) return keyring
  stage('reading your books')
  const books = booksName(info.value.swarm.cid, keyring.value.account)
  const stored =
    storage === 'memory'
      ? ok({ store: memoryStore(), problem: null })
      : await openStore({ name: books, onProblem })
  if (!stored.ok) return err({ ...stored.error, books })
  if (stored.value.problem) onProblem(stored.value.problem)
  const { signer } = keyring.value
  const { store } = stored.value
  const shelf = storage === 'memory' ? memoryShelf(SHELF_BYTES) : await openLeafShelf()
  const compute = workerPool()
  const node: { handle: NodeHandle | null } = { handle: null }
  const clock = browserClock()
  const stop = new AbortController()
  stage('joining the swarm')
  const opened = await live(
    (events) =>
      openBrowserNetwork({
        relays: info.value.relays,
        iceServers: info.value.iceServers,
        ...(relayedOnly ? { relayedOnly } : {}),
        agent: AGENT,
        events,
        verify: ({ body, sig }) => signer.verify(body.account, body, sig),
        epoch: () => epochMs(Date.now()),
      }),
    {
      clock,
      store,
      shelf,
      compute: watchDevice(compute, () => node.handle?.condition('device-lost', true)),
      signer,
      random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    },
    {
      swarm: info.value.swarm,
      agent: AGENT,
      restored: !keyring.value.created,
      recalling: () => stage('asking other nodes for your payments'),
      signal: stop.signal,
      backedUp: () => keyring.value.backup() === 'saved' || keyring.value.backup() === 'confirmed',
      async close() {
        stop.abort()
        conditions.close()
        clock.close()
        shelf.close()
        keyring.value.close()
      },
    },
  )
  if (!opened.ok) {
    // Whoever repairs the books needs them to be let go of.
    for (const part of [store, shelf, compute, clock, keyring.value]) part.close()
    return err({ ...opened.error, books })
  }
  const handle = opened.value
  node.handle = handle
  const conditions = watchConditions((condition, present) => {
    // A browser that says "offline" may still reach a relay on its own machine: the network knows better.
    if (condition !== 'offline') handle.condition(condition, present)
  })
  return ok({ handle, info: info.value, keyring: keyring.value, store, shelf, compute, url, books })
}

/** What a page must have, and be, before it can take part. */
import { oneNode, type OneNode } from '../adapters/one-node.ts'
import { SwarmError } from './error.ts'

export const NO_STORAGE =
  "This browser keeps nothing for this page. With storage: 'memory' the account goes with the page."

/** What a page needs to have; said before anything begins. */
export const surroundings = (storage: 'browser' | 'memory'): void => {
  const has = globalThis as {
    document?: unknown
    Worker?: unknown
    indexedDB?: unknown
    crypto?: { subtle?: unknown }
  }
  if (has.document === undefined || has.Worker === undefined) {
    throw new SwarmError(
      'no-browser',
      'A page in a browser is needed. In Node, use the `swarm` command.',
    )
  }
  if (has.crypto?.subtle === undefined) {
    throw new SwarmError(
      'no-webcrypto',
      'This page has no WebCrypto: it has to come over https, or from this very machine.',
    )
  }
  if (storage === 'browser' && !has.indexedDB) throw new SwarmError('no-storage', NO_STORAGE)
}

/** Two pages with one account would sign one chain twice. */
export const claimPage = async (name: string | undefined): Promise<OneNode> => {
  const nothing = (): void => undefined
  const events = { finish: async () => undefined, lost: nothing, vacant: nothing, show: nothing }
  const place = oneNode(events, name === undefined ? {} : { name: `swarmharness-node/${name}` })
  const role = await place.claim()
  if (role.ok && role.value === 'node') return place
  place.close()
  if (!role.ok) throw new SwarmError(role.error.code, role.error.detail)
  throw new SwarmError(
    'already-open',
    "Another page of this origin is in the swarm with this account. Close it, or join with another name or storage: 'memory'.",
  )
}

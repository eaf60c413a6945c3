/** Ways out of what keeps a node from starting. Each is offered only where it does what it says. */
import { eraseDatabase } from '../adapters/idb-connection.ts'
import { openStore } from '../adapters/indexeddb.ts'
import { KEY_STORE_NAME } from '../adapters/webcrypto.ts'
import type { Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'
import type { Booted, Remedy } from '../ui/services.ts'
import { exportStore } from './export.ts'
import type { JoinError } from './join.ts'

export type Ways = {
  reload(): void
  save(name: string, bytes: Blob): void
  /** A node of this visit alone, that stores nothing. */
  inMemory(): Promise<Booted>
}

/** Damage that stays however often one tries. */
const BROKEN: readonly string[] = ['chain-corrupt', 'damaged']
/** Nothing can be stored, or nothing read, and the rest of the page could still work. */
const STORAGE: readonly string[] = [
  ...BROKEN,
  'no-answer',
  'blocked',
  'quota-full',
  'storage-failed',
]
/** Another version of this page is what helps. */
const OUTDATED: readonly string[] = ['too-old', 'superseded']

/** The interface shows what was thrown, so it has to be a sentence. */
const orThrow = <T>(result: Result<T, PortError>): T => {
  if (result.ok) return result.value
  throw new Error(result.error.detail)
}

export const remediesFor = ({ code, books }: JoinError, ways: Ways): readonly Remedy[] => {
  const reload = async (): Promise<null> => {
    ways.reload()
    return null
  }
  const again: Remedy = {
    label: OUTDATED.includes(code) ? 'Load the newest version' : 'Try again',
    run: reload,
  }
  const broken = BROKEN.includes(code)
  const memory: Remedy = {
    label: 'Go on without storage',
    ask: 'You go on as a new account for this visit. Nothing is stored, and what it earns is lost when the tab closes. Your own account is left as it is.',
    run: () => ways.inMemory(),
  }
  if (!STORAGE.includes(code)) return [again]
  if (!broken) return [again, memory]
  return books === undefined
    ? [again, newKey(reload), memory]
    : [again, exportBooks(books, ways), deleteBooks(books, reload), memory]
}

const exportBooks = (books: string, ways: Ways): Remedy => ({
  label: 'Export what can be read',
  async run() {
    const { store } = orThrow(await openStore({ name: books }))
    try {
      const account = books.split('/').at(-1) ?? ''
      ways.save('swarm-data.jsonl', orThrow(await exportStore(store, account)))
    } finally {
      store.close()
    }
    return null
  },
})

const deleteBooks = (books: string, reload: () => Promise<null>): Remedy => ({
  label: 'Delete the data, keep the key',
  ask: 'Receipts, jobs and results stored here are deleted. The key stays, and other nodes are asked for your payments when the page loads again; what none of them remembers is lost.',
  async run() {
    orThrow(await eraseDatabase(books))
    return reload()
  },
})

const newKey = (reload: () => Promise<null>): Remedy => ({
  label: 'Delete the key, begin anew',
  ask: 'The damaged key is deleted and a new account is made. If you have saved the key as a file, bring it back in the settings afterwards; without it, its credits are lost.',
  async run() {
    orThrow(await eraseDatabase(KEY_STORE_NAME))
    return reload()
  },
})

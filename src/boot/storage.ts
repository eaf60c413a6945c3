/** What this browser keeps: how much, for whom to see, and how to be rid of it. */
import { eraseOtherBooks } from '../adapters/indexeddb.ts'
import { LEAF_BYTES } from '../base/leaf.ts'
import { err, ok } from '../base/result.ts'
import type { Table } from '../ports.ts'
import { encode } from '../wire/codec.ts'
import { exportStore } from './export.ts'
import type { Services } from '../ui/services.ts'
import type { Joined } from './join.ts'
import type { KeptTexts } from './kept-texts.ts'

const PARTS: readonly {
  name: string
  label: string
  tables: readonly Table[]
  erasable: boolean
}[] = [
  {
    name: 'jobs',
    label: 'Jobs and their results',
    tables: ['jobs', 'job-inputs', 'job-outputs'],
    erasable: true,
  },
  { name: 'trust', label: 'What we think of other nodes', tables: ['trust'], erasable: true },
  { name: 'receipts', label: 'Receipts', tables: ['receipts'], erasable: false },
  { name: 'blocks', label: 'Your chain of payments', tables: ['blocks'], erasable: false },
  {
    name: 'known',
    label: 'Chains of those you dealt with',
    tables: ['known-blocks'],
    erasable: false,
  },
  { name: 'owed', label: 'What others still owe you', tables: ['meta'], erasable: false },
  { name: 'settings', label: 'Settings', tables: ['settings'], erasable: true },
]

const TEXTS = { name: 'texts', label: 'Texts of language models' }
/** Counted by leaves: it is kept apart from the books. */
const MODELS = { name: 'models', label: 'Pieces of language models' }

const sizeOf = (value: unknown): number => {
  if (value instanceof Uint8Array) return value.byteLength
  try {
    return encode(value).byteLength
  } catch {
    return JSON.stringify(value)?.length ?? 0
  }
}

type StorageServices = Pick<Services, 'storage' | 'exportData' | 'erase' | 'eraseAll'>

export const storageServices = (
  { handle, keyring, store, shelf, books }: Joined,
  texts: KeptTexts,
): StorageServices => ({
  async storage() {
    const parts = []
    for (const { name, label, tables, erasable } of PARTS) {
      let records = 0
      let bytes = 0
      for (const table of tables) {
        const found = await store.all(table)
        if (!found.ok) return err({ code: found.error.code, text: found.error.detail })
        records += found.value.records.length
        for (const { value } of found.value.records) bytes += sizeOf(value)
      }
      parts.push({ name, label, records, bytes, erasable })
    }
    const { usedBytes: bytes } = await shelf.usage()
    const records = Math.ceil(bytes / LEAF_BYTES)
    parts.push({ ...MODELS, records, bytes, erasable: true })
    const kept = await texts.all()
    if (!kept.ok) return err({ code: kept.error.code, text: kept.error.detail })
    const textBytes = kept.value.reduce((sum, text) => sum + sizeOf(text), 0)
    parts.push({ ...TEXTS, records: kept.value.length, bytes: textBytes, erasable: true })
    const usage = await store.usage()
    const isKept = (await navigator.storage?.persisted?.()) ?? false
    return ok({ usedBytes: usage.usedBytes, quotaBytes: usage.quotaBytes, kept: isKept, parts })
  },
  async exportData() {
    const made = await exportStore(store, handle.view().account)
    return made.ok ? made : err({ code: made.error.code, text: made.error.detail })
  },
  async erase(part) {
    if (part === 'jobs') {
      for (const job of handle.view().jobs) handle.forgetJob(job.id)
      return ok({ reload: false })
    }
    if (part === MODELS.name || part === TEXTS.name) {
      const cleared = await (part === TEXTS.name ? texts : shelf).clear()
      return cleared.ok
        ? ok({ reload: false })
        : err({ code: cleared.error.code, text: cleared.error.detail })
    }
    // The node goes by what it remembers, and writes it down again: it must not be running.
    handle.stop()
    const tables = PARTS.find(({ name, erasable }) => name === part && erasable)?.tables ?? []
    for (const table of tables) {
      const found = await store.all(table)
      if (!found.ok) return err({ code: found.error.code, text: found.error.detail })
      const erased = await store.write(
        found.value.records.map(({ key }) => ({ table, key })),
        'strict',
      )
      if (!erased.ok) return err({ code: erased.error.code, text: erased.error.detail })
    }
    return ok({ reload: true })
  },
  async eraseAll() {
    const cleared = await store.clear()
    if (!cleared.ok) return err({ code: cleared.error.code, text: cleared.error.detail })
    const emptied = await shelf.clear()
    if (!emptied.ok) return err({ code: emptied.error.code, text: emptied.error.detail })
    const forgotten = await texts.clear()
    if (!forgotten.ok) return err({ code: forgotten.error.code, text: forgotten.error.detail })
    const others = await eraseOtherBooks(books)
    if (!others.ok) return err({ code: others.error.code, text: others.error.detail })
    const erased = await keyring.erase()
    return erased.ok ? ok(null) : err({ code: erased.error.code, text: erased.error.detail })
  },
})

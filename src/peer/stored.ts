/** What a node starts from: everything its store kept, read table by table. */
import type { PortError, Table } from '../ports.ts'
import type { Desk } from './desk.ts'
import { DEFAULT_LIMITS } from './donor.ts'
import type { Limits } from './view.ts'
import type { ChainEntry, KeptReceipt } from './books-on-disk.ts'

type Row = { readonly key: string; readonly value: unknown }

export type Stored = {
  chain: ChainEntry[]
  receipts: KeptReceipt[]
  /** Others' chains, account by account. */
  known: ChainEntry[]
  jobs: Row[]
  trust: Row[]
  /** Everything else: what others owe us. */
  meta: Row[]
  limits: Limits | null
  problem: PortError | null
}

/** One table after another: the chain comes first, and nothing is sent before all is read. */
export const readStored = (desk: Desk, then: (stored: Stored) => void): void => {
  const stored: Stored = {
    chain: [],
    receipts: [],
    known: [],
    jobs: [],
    trust: [],
    meta: [],
    limits: null,
    problem: null,
  }
  const note = (
    result: { ok: boolean; error?: PortError; value?: { corrupt: string[] } },
    table: Table,
  ): void => {
    if (result.error) stored.problem = result.error
    const corrupt = result.value?.corrupt ?? []
    if (corrupt.length > 0)
      stored.problem = { code: 'storage-corrupt', detail: `${corrupt.length} records of ${table}` }
  }
  const table = (name: Table, take: (records: Row[]) => void, next: () => void): void =>
    desk.all(name, (found) => {
      note(found, name)
      if (found.ok) take(found.value.records)
      next()
    })
  const limits = (): void =>
    desk.read('settings', 'limits', (kept) => {
      if (kept.ok && kept.value) stored.limits = { ...DEFAULT_LIMITS, ...(kept.value as Limits) }
      then(stored)
    })
  const steps: readonly [Table, (records: Row[]) => void][] = [
    ['blocks', (records) => (stored.chain = records.map(({ value }) => value as ChainEntry))],
    ['receipts', (records) => (stored.receipts = records.map(({ value }) => value as KeptReceipt))],
    ['known-blocks', (records) => (stored.known = records.map(({ value }) => value as ChainEntry))],
    ['jobs', (records) => (stored.jobs = records)],
    ['trust', (records) => (stored.trust = records)],
    ['meta', (records) => (stored.meta = records)],
  ]
  steps.reduceRight<() => void>(
    (next, [name, take]) =>
      () =>
        table(name, take, next),
    limits,
  )()
}

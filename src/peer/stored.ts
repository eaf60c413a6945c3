/** What a node starts from: everything its store kept, read table by table. */
import type { PortError } from '../ports.ts'
import type { Desk } from './desk.ts'
import { DEFAULT_LIMITS } from './donor.ts'
import type { Limits } from './view.ts'
import type { ChainEntry, KeptReceipt } from './books-on-disk.ts'

export type Stored = {
  chain: ChainEntry[]
  receipts: KeptReceipt[]
  jobs: { key: string; value: unknown }[]
  trust: { key: string; value: unknown }[]
  /** Everything else: what others owe us. */
  meta: { key: string; value: unknown }[]
  limits: Limits | null
  problem: PortError | null
}

/** One table after another: the chain comes first, and nothing is sent before all is read. */
export const readStored = (desk: Desk, then: (stored: Stored) => void): void => {
  const stored: Stored = {
    chain: [],
    receipts: [],
    jobs: [],
    trust: [],
    meta: [],
    limits: null,
    problem: null,
  }
  const note = (
    result: { ok: boolean; error?: PortError; value?: { corrupt: string[] } },
    table: string,
  ): void => {
    if (result.error) stored.problem = result.error
    const corrupt = result.value?.corrupt ?? []
    if (corrupt.length > 0)
      stored.problem = { code: 'storage-corrupt', detail: `${corrupt.length} records of ${table}` }
  }
  desk.all('blocks', (blocks) => {
    note(blocks, 'blocks')
    if (blocks.ok) stored.chain = blocks.value.records.map(({ value }) => value as ChainEntry)
    desk.all('receipts', (receipts) => {
      note(receipts, 'receipts')
      if (receipts.ok)
        stored.receipts = receipts.value.records.map(({ value }) => value as KeptReceipt)
      desk.all('jobs', (jobs) => {
        note(jobs, 'jobs')
        if (jobs.ok) stored.jobs = jobs.value.records
        desk.all('trust', (trust) => {
          note(trust, 'trust')
          if (trust.ok) stored.trust = trust.value.records
          desk.all('meta', (meta) => {
            note(meta, 'meta')
            if (meta.ok) stored.meta = meta.value.records
            desk.read('settings', 'limits', (limits) => {
              if (limits.ok && limits.value)
                stored.limits = { ...DEFAULT_LIMITS, ...(limits.value as Limits) }
              then(stored)
            })
          })
        })
      })
    })
  })
}

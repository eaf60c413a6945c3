/** Receipts by the job they are of, latest first: a job leaves one for each of its tasks. */
import type { JobId } from '../base/ids.ts'
import type { JobView, WalletView } from '../peer/view.ts'
import { clip } from './format.ts'

type Entry = WalletView['receipts'][number]

export type ReceiptGroup = {
  readonly key: string
  /** The job's title where it is ours, else the beginning of its name. */
  readonly title: string
  /** Micro-credits that came, or went where it is less than nothing. */
  readonly sum: number
  /** How many there are; of them some may be shown. */
  readonly count: number
  readonly entries: readonly Entry[]
}

/** At most `most` receipts altogether; the figures of a group are of all of its own. */
export const receiptGroups = (
  latestFirst: readonly Entry[],
  jobs: readonly Pick<JobView, 'id' | 'title'>[],
  most: number,
): readonly ReceiptGroup[] => {
  const titles = new Map<JobId, string>(jobs.map(({ id, title }) => [id, title]))
  const groups = new Map<string, Entry[]>()
  for (const entry of latestFirst) {
    const key = `${entry.role}/${entry.signed.body.job}`
    const group = groups.get(key)
    if (group) group.push(entry)
    else groups.set(key, [entry])
  }
  let room = most
  return [...groups].flatMap(([key, entries]): ReceiptGroup[] => {
    const shown = entries.slice(0, Math.max(0, room))
    room -= shown.length
    if (shown.length === 0) return []
    const { role, signed } = shown[0]!
    const { job } = signed.body
    const amount = entries.reduce((sum, entry) => sum + entry.signed.body.microCredits, 0)
    return [
      {
        key,
        title: (role === 'requester' && titles.get(job)) || clip(job),
        sum: role === 'worker' ? amount : -amount,
        count: entries.length,
        entries: shown,
      },
    ]
  })
}

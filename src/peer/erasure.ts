/**
 * What a job leaves on the disk, removed in parts: one transaction for 65 536 pieces would keep everything
 * else waiting, and a store takes no more than 20 000 writes at once. The job is marked before, and its
 * mark goes last, so that what a closed tab has left is removed by its next life.
 */
import type { JobId } from '../base/ids.ts'
import type { PortError, Write } from '../ports.ts'
import type { Desk } from './desk.ts'
import { pieceKey, type ForgottenJob, type StoredJob } from './stored-job.ts'

/** Deletions of one transaction: some milliseconds, after which others have their turn. */
export const ERASE_BATCH = 1_000

export const erasure = (desk: Desk, trouble: (error: PortError) => void) => {
  /** Jobs that are being removed, and what is to happen afterwards. */
  const going = new Map<JobId, () => void>()

  const remove = (writes: readonly Write[], then: (removed: boolean) => void): void =>
    desk.write(writes, 'relaxed', (written) => {
      if (!written.ok) trouble(written.error)
      then(written.ok)
    })

  /** Its accepted pieces, one part after the other. */
  const pieces = (
    { id, total }: Pick<StoredJob, 'id' | 'total'>,
    then: (removed: boolean) => void,
    from = 0,
  ): void => {
    if (from >= total) return then(true)
    const to = Math.min(total, from + ERASE_BATCH)
    const writes = Array.from({ length: to - from }, (_, i): Write => ({
      table: 'job-outputs',
      key: pieceKey(id, from + i),
    }))
    remove(writes, (removed) => (removed ? pieces({ id, total }, then, to) : then(false)))
  }

  const rest = (job: ForgottenJob, then: (removed: boolean) => void): void => {
    const writes = job.job.inputs.map(({ name }): Write => ({
      table: 'job-inputs',
      key: `${job.id}/${name}`,
    }))
    remove([...writes, { table: 'jobs', key: job.id }], then)
  }

  return {
    pieces,
    /** All of a job. What could not be removed now is tried again when the node starts next. */
    job(job: StoredJob | ForgottenJob): void {
      going.set(job.id, () => undefined)
      const done = (removed: boolean): void => {
        const next = going.get(job.id)
        going.delete(job.id)
        desk.changed()
        if (removed) next?.()
      }
      const forgotten: ForgottenJob = { ...job, phase: 'forgotten' }
      const mark: Write = { table: 'jobs', key: job.id, value: forgotten }
      desk.write([mark], 'relaxed', (marked) => {
        if (!marked.ok) trouble(marked.error)
        pieces(job, (removed) => (removed ? rest(forgotten, done) : done(false)))
      })
    },
    /** True while a job is being removed: then `then` is called once it is gone, if it is the last to ask. */
    waits(id: JobId, then: () => void): boolean {
      if (!going.has(id)) return false
      going.set(id, then)
      return true
    },
  }
}

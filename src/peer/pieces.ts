/** The pieces of tensors that tasks read, cut out and named by content. */
import type { Cid, JobId } from '../base/ids.ts'
import type { TaskRun } from '../core/dispatch.ts'
import { cut } from '../core/rect.ts'
import type { Desk } from './desk.ts'
import type { RunningJob } from './running-job.ts'

/** Names remembered; rows of a matrix are read by many tasks. Beyond it the oldest is worked out again. */
const NAMES_MAX = 65_536

export const pieces = (desk: Desk) => {
  const hashes = new Map<string, Cid>()

  /** Cuts what the task reads and names it; pieces of job inputs keep their names. */
  const cutOut = (
    job: RunningJob,
    task: TaskRun,
    then: (bytes: Uint8Array<ArrayBuffer>[], cids: Cid[]) => void,
  ): void => {
    const { plan, id } = job.run
    const bytes = task.planned.reads.map(({ tensor, rect }) =>
      cut(job.tensors.get(tensor)!, plan.tensors[tensor]!, rect),
    )
    const cids: Cid[] = []
    let left = bytes.length
    if (left === 0) return then([], [])
    const name = (slot: number, cid: Cid): void => {
      cids[slot] = cid
      left -= 1
      if (left === 0) then(bytes, cids)
    }
    bytes.forEach((piece, slot) => {
      const { tensor, rect } = task.planned.reads[slot]!
      const key = `${id}/${tensor}/${rect.row},${rect.rows},${rect.col},${rect.cols}`
      const known = hashes.get(key)
      if (known) return name(slot, known)
      desk.hash(piece, (cid) => {
        hashes.set(key, cid)
        if (hashes.size > NAMES_MAX) hashes.delete(hashes.keys().next().value!)
        name(slot, cid)
      })
    })
  }

  return {
    cut: cutOut,
    forget(job: JobId): void {
      for (const key of hashes.keys()) if (key.startsWith(job)) hashes.delete(key)
    },
  }
}

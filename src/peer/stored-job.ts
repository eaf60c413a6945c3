/** A job as it is kept on the disk, and how it is read back. */
import type { Cid, Did, JobId } from '../base/ids.ts'
import type { EpochMs, MicroCredits } from '../base/units.ts'
import type { Job } from '../core/job.ts'
import type { Plan } from '../core/plan.ts'
import type { PlanError } from '../core/plan/draft.ts'
import type { PortError } from '../ports.ts'
import type { Desk } from './desk.ts'
import type { StoredOutput } from './running-job.ts'

export type StoredJob = {
  readonly id: JobId
  readonly job: Job
  readonly title: string
  readonly submittedAt: EpochMs
  readonly phase: 'running' | 'done' | 'failed' | 'cancelled'
  readonly accepted: number
  readonly total: number
  readonly spent: MicroCredits
  /** The highest attempt of runs before this one: later ones are this one's. */
  readonly attemptBase: number
  readonly problem: { code: string; text: string } | null
}

/** Thrown away, and not yet removed altogether. */
export type ForgottenJob = Omit<StoredJob, 'phase'> & { readonly phase: 'forgotten' }

export type StoredPiece = { node: Did; check: string; receipt: Cid; bytes: Uint8Array<ArrayBuffer> }

/** A plan's refusal in words. */
export const planProblem = ({ code, what, expected, found }: PlanError): PortError => ({
  code,
  detail: `${what}: expected ${expected}, found ${found}`,
})

export const pieceKey = (job: JobId, index: number): string =>
  `${job}/${String(index).padStart(6, '0')}`

export type FoundJob = {
  readonly inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
  readonly stored: readonly StoredOutput[]
}

/** Inputs and the outputs accepted so far; null when an input is gone. */
export const readJob = (
  desk: Desk,
  { id, job }: StoredJob,
  planned: Plan,
  then: (found: FoundJob | null) => void,
): void => {
  const names = job.inputs.map(({ name }) => name)
  const inputKeys = names.map((name) => `${id}/${name}`)
  readAll(desk, 'job-inputs', inputKeys, (given) => {
    if (given.some((input) => !(input instanceof Uint8Array))) return then(null)
    const inputs = Object.fromEntries(
      names.map((name, i) => [name, given[i] as Uint8Array<ArrayBuffer>]),
    )
    const outputKeys = planned.tasks.map(({ index }) => pieceKey(id, index))
    readAll(desk, 'job-outputs', outputKeys, (pieces) => {
      const stored = pieces.flatMap((piece, index): StoredOutput[] =>
        piece === undefined || piece === null ? [] : [{ index, ...(piece as StoredPiece) }],
      )
      then({ inputs, stored })
    })
  })
}

const readAll = (
  desk: Desk,
  table: 'job-inputs' | 'job-outputs',
  keys: readonly string[],
  then: (values: unknown[]) => void,
): void => {
  const values: unknown[] = []
  const next = (): void => {
    if (values.length === keys.length) return then(values)
    desk.read(table, keys[values.length]!, (found) => {
      values.push(found.ok ? found.value : undefined)
      next()
    })
  }
  next()
}

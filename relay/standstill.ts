/** What a job waits for, told while it waits, and again where it has failed for it. */
import type { Job } from '../src/core/job.ts'
import { UNWILLING, whyNobody } from '../src/peer/nobody.ts'
import type { View } from '../src/peer/view.ts'
import type { RunReport } from './report.ts'
import { note, progressDone } from './terminal.ts'

/** So long a node may take to be found before anybody is told that none is there. */
const FINDING_MS = 5_000

export type Standstill = {
  /** Says why, once, and again when that has changed. */
  look(view: View): void
  /** What is so at the end, or was so last. */
  last(view: View): string | null
}

export const standstill = (job: Job): Standstill => {
  const began = performance.now()
  let said: string | null = null
  return {
    look(view) {
      const why = whyNobody(view, job)
      if (why === null || why === said || performance.now() - began < FINDING_MS) return
      said = why
      progressDone()
      note(`waiting: ${why}`)
    },
    last: (view) => whyNobody(view, job) ?? said,
  }
}

/** A job that found nobody, or too few, says why. */
export const because = (report: RunReport, why: string | null): RunReport => {
  const { problem } = report
  if (problem === null || !['nobody-came', 'deadline'].includes(problem.code)) return report
  const reason = problem.code === 'nobody-came' ? (why ?? UNWILLING) : why
  return reason === null
    ? report
    : { ...report, problem: { ...problem, text: `${problem.text}: ${reason}` } }
}

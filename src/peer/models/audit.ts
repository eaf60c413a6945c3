/**
 * An audit does the work of one stage again on this node, from what it was fed, and compares. Only one stage
 * is open for it at a time, as it may be as large as this node can hold.
 */
import { candidatesAgree, firstWrongRow } from '../../core/audit-rows.ts'
import type { Candidates } from '../../core/candidates.ts'
import { answersOf, rowsFor, type Pipeline } from '../../core/pipeline.ts'
import { FEED_TOKENS } from '../../core/stage-cost.ts'
import type { StageSpec } from '../../ports.ts'
import type { Answer, Desk } from '../desk.ts'
import type { ModelSource } from './session-view.ts'

export type Audited = {
  /** Places [0, end) of the stage have been done again. */
  readonly end: number
  /** The first place that is wrong, or null. */
  readonly wrongAt: number | null
}

export type AuditWork = {
  readonly stage: number
  readonly spec: StageSpec
  /** Up to here. */
  readonly end: number
  /** Places before were found right by an earlier audit. */
  readonly from: number
}

/** What is drawn from it was told to a person, so logits are looked at one by one. */
type Run = { readonly at: number; readonly count: number }

export const auditor = (
  desk: Desk,
  flowOf: () => Pipeline,
  source: ModelSource,
  shown: ReadonlyMap<number, Candidates>,
) => {
  let open: string | null = null

  const close = (): void => {
    if (open !== null) desk.closeStage(open)
    open = null
  }

  /** Tokens and rows are copied now, since a lie elsewhere may take them back in the middle. */
  const compare = (
    work: AuditWork,
    { at, count }: Run,
    output: Uint8Array<ArrayBuffer>,
  ): number | null => {
    const flow = flowOf()
    const truth = new Float32Array(output.buffer, output.byteOffset, output.byteLength / 4)
    if (work.stage < flow.lanes.length - 1) {
      const said = new Float32Array(answersOf(flow, work.stage, at, count).buffer)
      const row = firstWrongRow(said, truth, flow.width)
      return row === null ? null : at + row
    }
    const said = shown.get(at + count - 1)
    return said === undefined || candidatesAgree(said, truth) ? null : at + count - 1
  }

  const run = (work: AuditWork, runs: readonly Run[], then: Answer<Audited>): void => {
    const flow = flowOf()
    const [next, ...rest] = runs
    if (next === undefined) return then({ ok: true, value: { end: work.end, wrongAt: null } })
    const { at, count } = next
    if (at + count > flow.lanes[work.stage]!.answered)
      // It was taken back meanwhile.
      return then({ ok: true, value: { end: Math.min(at, work.end), wrongAt: null } })
    const input =
      work.stage === 0 ? flow.tokens.slice(at, at + count) : rowsFor(flow, work.stage, at, count)
    const step = { stage: work.spec.id, session: 'audit', at, count, input, top: 0 }
    desk.stepStage(
      step,
      () => 1,
      (done) => {
        if (!done.ok) return then(done)
        if (at + count > flow.lanes[work.stage]!.answered)
          return then({ ok: true, value: { end: at, wrongAt: null } })
        const wrongAt = at + count > work.from ? compare(work, next, done.value.output) : null
        if (wrongAt !== null && wrongAt >= work.from)
          return then({ ok: true, value: { end: wrongAt, wrongAt } })
        run(work, rest, then)
      },
    )
  }

  return {
    audit(work: AuditWork, then: Answer<Audited>): void {
      if (open !== work.spec.id) close()
      open = work.spec.id
      desk.openStage(
        work.spec,
        source.read,
        () => undefined,
        (opened) => {
          if (!opened.ok) {
            open = null
            return then(opened)
          }
          run(work, runsFor(flowOf(), work), then)
        },
      )
    },
    close,
  }
}

/** As few as can be; where logits were drawn from, each place ends a run. */
const runsFor = ({ lanes, promptLength }: Pipeline, { stage, end }: AuditWork): readonly Run[] => {
  const runs: Run[] = []
  const isLast = stage === lanes.length - 1
  const ends = isLast ? Math.min(end, promptLength) : end
  for (let at = 0; at < ends; at += FEED_TOKENS)
    runs.push({ at, count: Math.min(FEED_TOKENS, ends - at) })
  for (let at = promptLength; isLast && at < end; at++) runs.push({ at, count: 1 })
  return runs
}

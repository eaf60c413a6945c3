/** A finished job as other programs and people read it. */
import { join } from 'node:path'
import type { Did } from '../src/base/ids.ts'
import type { JobView, NodeView, View, WalletView } from '../src/peer/view.ts'
import type { PreparedJob } from './prepare-job.ts'
import { credits, short, table } from './terminal.ts'

/** `unknown`: a node that did its part when this was not noted yet. */
export type NodeFacts = Pick<NodeView, 'link' | 'rttMs'> & {
  readonly adapter: NodeView['adapter'] | 'unknown'
}

export type RunReport = {
  readonly job: string
  readonly spec: string
  readonly state: string
  readonly problem: { readonly code: string; readonly text: string } | null
  readonly requester: Did
  readonly nodes: readonly {
    id: Did
    adapter: string
    link: string
    rttMs: number | null
    tasks: number
  }[]
  readonly tasks: readonly {
    id: string
    kernel: string
    node: Did | null
    attempt: number
    verdict: string | null
    check: string | null
    flop: number
    bytes: number
    microCredits: number
    queuedMs: number
    computeMs: number
    receipt: string | null
  }[]
  readonly receipts: readonly string[]
  readonly outputs: readonly { name: string; file: string; sha256: string }[]
  readonly credit: Readonly<Record<Did, { before: number; after: number }>>
  readonly timing: { readonly totalMs: number; readonly firstResultMs: number | null }
}

type Entry = WalletView['receipts'][number]

/** Balances around this run: ours by what it paid, each worker's as its answering blocks say. */
const balances = ({ account, wallet }: View, entries: readonly Entry[]): RunReport['credit'] => {
  const paid = entries.reduce((sum, { signed }) => sum + signed.body.microCredits, 0)
  const credit: Record<Did, { before: number; after: number }> = {
    [account]: { before: wallet.balance + paid, after: wallet.balance },
  }
  for (const { answer } of entries) {
    if (!answer || answer.body.act.act !== 'credit') continue
    const { account: worker, act, totals } = answer.body
    const known = credit[worker]
    const from = totals.balance - act.amount
    credit[worker] = {
      before: Math.min(known?.before ?? from, from),
      after: Math.max(known?.after ?? 0, totals.balance),
    }
  }
  return credit
}

const UNKNOWN: NodeFacts = { adapter: 'unknown', link: 'none', rttMs: null }

/** Everything but the files, which are written afterwards. */
export const reportOf = (
  view: View,
  job: JobView,
  prepared: PreparedJob,
  facts: ReadonlyMap<Did, NodeFacts>,
  entries: readonly Entry[],
): RunReport => {
  const counts = new Map<Did, number>()
  for (const { body } of entries.map(({ signed }) => signed)) {
    counts.set(body.worker, (counts.get(body.worker) ?? 0) + 1)
  }
  return {
    job: job.id,
    spec: prepared.spec.cid,
    state: job.state,
    problem: job.problem,
    requester: view.account,
    nodes: [...counts].map(([id, tasks]) => {
      // Whoever did its part in an earlier life of the job is remembered with it.
      const by = job.tasks.find((task) => task.node === id)?.by
      const { adapter, link, rttMs } = facts.get(id) ?? by ?? UNKNOWN
      return { id, adapter, link, rttMs, tasks }
    }),
    tasks: job.tasks.map((task) => {
      const { id, kernel, node, attempt, verdict, check, receipt } = task
      const { flop, bytes, microCredits, queuedMs, computeMs } = task
      const cost = { flop, bytes, microCredits, queuedMs, computeMs }
      return { id, kernel, node, attempt, verdict, check, ...cost, receipt }
    }),
    receipts: entries.map(({ cid }) => cid),
    outputs: [],
    credit: balances(view, entries),
    timing: { totalMs: job.elapsedMs, firstResultMs: job.firstResultMs },
  }
}

/** The same for a person. */
export const inWords = (report: RunReport, folder: string): string => {
  const checks = new Map<string, number>()
  for (const { check, verdict } of report.tasks) {
    if (verdict === 'accepted' && check) checks.set(check, (checks.get(check) ?? 0) + 1)
  }
  const lines = [
    ...report.outputs.map(({ name, file }) => `${name}: ${file}`),
    `receipts: ${report.receipts.length} in ${join(folder, 'receipts')}`,
    `checked: ${[...checks].map(([check, n]) => `${n} by ${check}`).join(', ') || 'nothing'}`,
    '',
    table(
      ['node', 'adapter', 'link', 'tasks'],
      report.nodes.map(({ id, adapter, link, tasks }) => [short(id), adapter, link, String(tasks)]),
    ),
    '',
    table(
      ['account', 'before', 'after', 'credits'],
      Object.entries(report.credit).map(([id, { before, after }]) => [
        short(id),
        credits(before),
        credits(after),
        `${after >= before ? '+' : ''}${credits(after - before)}`,
      ]),
    ),
    '',
    `${report.state} in ${(report.timing.totalMs / 1000).toFixed(1)} s`,
  ]
  return lines.join('\n')
}

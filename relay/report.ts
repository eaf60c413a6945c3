/** A finished job as other programs and people read it. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Did } from '../src/base/ids.ts'
import type { JobView, NodeView, View, WalletView } from '../src/peer/view.ts'
import { outputFile } from '../src/spec/outputs.ts'
import { receiptJson } from '../src/wire/receipt-json.ts'
import { blockJson } from '../src/wire/block-json.ts'
import type { PreparedJob } from './prepare-job.ts'
import { credits, short, table } from './terminal.ts'

export type NodeFacts = Pick<NodeView, 'adapter' | 'link' | 'rttMs'>

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

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Writes what the job made: `NAME.png`, and the tensor itself as `NAME.npy` for whoever checks it. */
export const writeOutputs = (
  { spec, plan }: PreparedJob,
  output: (name: string) => Uint8Array | null,
  dir: string,
): RunReport['outputs'] => {
  mkdirSync(dir, { recursive: true })
  return plan.outputs.flatMap((name) => {
    const bytes = output(name)
    const type = plan.tensors[name]
    if (!bytes || !type) return []
    const wanted = spec.outputs[name]?.format ?? 'npy'
    return [...new Set([wanted, 'npy' as const])].map((format) => {
      const made = outputFile(spec.program, type, bytes, format)
      const file = join(dir, `${name}.${made.extension}`)
      writeFileSync(file, made.bytes)
      return {
        name: format === wanted ? name : `${name}.${made.extension}`,
        file,
        sha256: sha256(made.bytes),
      }
    })
  })
}

/** One file per receipt, with all that `swarm verify` needs to look at it again. */
export const writeReceipts = (job: JobView, entries: readonly Entry[], dir: string): void => {
  const folder = join(dir, 'receipts')
  mkdirSync(folder, { recursive: true })
  for (const { cid, signed, block, answer } of entries) {
    const task = job.tasks.find(({ id }) => id === signed.body.task)
    const bundle = {
      ...receiptJson(signed),
      job: job.job,
      task: task?.index,
      debit: block && blockJson(block),
      credit: answer && blockJson(answer),
    }
    writeFileSync(join(folder, `${cid}.json`), `${JSON.stringify(bundle, null, 2)}\n`)
  }
}

/** Balances as both sides signed them: ours from our chain, each worker's from its answering blocks. */
const balances = (view: View, entries: readonly Entry[], before: number): RunReport['credit'] => {
  const credit: Record<Did, { before: number; after: number }> = {
    [view.account]: { before, after: view.wallet.balance },
  }
  for (const { answer } of entries) {
    if (!answer || answer.body.act.act !== 'credit') continue
    const { account, act, totals } = answer.body
    const known = credit[account]
    const from = totals.balance - act.amount
    credit[account] = {
      before: Math.min(known?.before ?? from, from),
      after: Math.max(known?.after ?? 0, totals.balance),
    }
  }
  return credit
}

export const reportOf = (
  view: View,
  job: JobView,
  prepared: PreparedJob,
  facts: ReadonlyMap<Did, NodeFacts>,
  entries: readonly Entry[],
  outputs: RunReport['outputs'],
  before: number,
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
    nodes: [...counts].map(([id, tasks]) => ({
      id,
      adapter: facts.get(id)?.adapter ?? 'cpu',
      link: facts.get(id)?.link ?? 'none',
      rttMs: facts.get(id)?.rttMs ?? null,
      tasks,
    })),
    tasks: job.tasks.map(
      ({
        id,
        kernel,
        node,
        attempt,
        verdict,
        check,
        flop,
        bytes,
        microCredits,
        queuedMs,
        computeMs,
        receipt,
      }) => ({
        id,
        kernel,
        node,
        attempt,
        verdict,
        check,
        flop,
        bytes,
        microCredits,
        queuedMs,
        computeMs,
        receipt,
      }),
    ),
    receipts: entries.map(({ cid }) => cid),
    outputs,
    credit: balances(view, entries, before),
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
    '',
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

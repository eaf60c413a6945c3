/**
 * What must never be false, checked at every write and every event. It sees what reaches the disks of
 * all nodes, which no node can, and it knows the true results.
 */
import type { TensorData } from '../../kernels/kernel.ts'
import { viewAs } from '../../kernels/kernel.ts'
import type { Cid, Did, JobId } from '../base/ids.ts'
import { allocationOf, type Swarm } from '../core/ledger/genesis.ts'
import { validateNext } from '../core/ledger/rules.ts'
import type { Tip } from '../core/ledger/block.ts'
import type { Plan } from '../core/plan.ts'
import { cut } from '../core/rect.ts'
import type { ChainEntry, KeptReceipt } from '../peer/wallet.ts'
import type { Write } from '../ports.ts'
import { cidOf } from '../wire/codec.ts'

/** Violations written out in full; more of them say nothing new. */
const KEPT_MAX = 20

type Truth = { readonly plan: Plan; readonly tensors: Readonly<Record<string, TensorData>>; readonly redundancy: number }

export type Watch = ReturnType<typeof watch>

export const watch = (swarm: Swarm, accountOf: (name: string) => Did) => {
  const violations: string[] = []
  const tips = new Map<Did, Tip>()
  const answered = new Set<Cid>()
  const paid = new Map<string, number>()
  const truths = new Map<JobId, Truth>()
  let opened = 0
  let moved = { debits: 0, credits: 0 }
  let balances = 0
  let outputs = 0
  let wrong = 0

  const violate = (code: string, detail: string): void => {
    if (violations.length < KEPT_MAX) violations.push(`${code}: ${detail}`)
  }

  const block = (name: string, entry: ChainEntry): void => {
    const { body } = entry.block
    const tip = tips.get(body.account) ?? null
    if (body.account !== accountOf(name)) violate('I4-author', `${name} wrote a block of another`)
    const next = validateNext(tip, body, entry.answers?.body ?? null, swarm, cidOf)
    if (!next.ok) return violate('I4-chain', `${name} block ${body.seq}: ${next.error.code}`)
    balances += body.totals.balance - (tip?.block.totals.balance ?? 0)
    if (!tip) opened += allocationOf(swarm, body.account)
    tips.set(body.account, next.value)
    const { act } = body
    if (act.act === 'debit') moved.debits += act.amount
    if (act.act === 'credit') {
      moved.credits += act.amount
      const cheque = body.link!.cid
      if (answered.has(cheque)) violate('I2-twice', `${name} cashed ${cheque} again`)
      answered.add(cheque)
    }
    // Conservation: what was opened is in balances or on its way, to the last micro-credit.
    if (balances + moved.debits - moved.credits !== opened) {
      violate('I3-conserved', `${balances} + ${moved.debits - moved.credits} in flight is not ${opened}`)
    }
  }

  const receipt = (name: string, kept: KeptReceipt, first: boolean): void => {
    if (kept.role !== 'requester' || !first) return
    const { job, task } = kept.signed.body
    const key = `${name} ${job} ${task}`
    const times = (paid.get(key) ?? 0) + 1
    paid.set(key, times)
    const most = truths.get(job)?.redundancy ?? 1
    if (times > most) violate('I2-paid-twice', `${name} paid ${times} times for ${task}`)
  }

  const output = (key: string, bytes: Uint8Array): void => {
    const [job, index] = key.split('/') as [JobId, string]
    const truth = truths.get(job)
    if (!truth) return
    outputs += 1
    const task = truth.plan.tasks[Number(index)]!
    const type = truth.plan.tensors[task.writes.tensor]!
    const want = viewAs(type.dtype, cut(truth.tensors[task.writes.tensor]!, type, task.writes.rect))
    const got = viewAs(type.dtype, bytes)
    if (!close(got, want, type.dtype === 'f32')) {
      wrong += 1
      violate('I6-wrong-accepted', `${task.kernel} task ${task.index} of ${job}`)
    }
  }

  const seen = new Set<string>()

  return {
    wrote(name: string, writes: readonly Write[]): void {
      for (const { table, key, value } of writes) {
        if (value === undefined) continue
        if (table === 'blocks') block(name, value as ChainEntry)
        if (table === 'receipts') {
          const first = !seen.has(`${name} ${key}`)
          seen.add(`${name} ${key}`)
          receipt(name, value as KeptReceipt, first)
        }
        if (table === 'job-outputs') output(key, (value as { bytes: Uint8Array }).bytes)
      }
    },
    /** The truth of a job, by which its outputs are judged. */
    expect(job: JobId, truth: Truth): void {
      truths.set(job, truth)
    },
    /** Something that honest nodes never cause was seen on a link between them. */
    fault(text: string): void {
      violate('I10-malformed', text)
    },
    violate,
    each: (): void => undefined,
    violations: (): readonly string[] => violations,
    facts: () => ({ outputs, wrong, inFlight: moved.debits - moved.credits, paid: moved.credits }),
  }
}

/** Float results may differ in their last bits; a lie differs in more. */
const close = (got: TensorData, want: TensorData, float: boolean): boolean => {
  if (got.length !== want.length) return false
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - want[i]!)
    if (float ? !(difference <= 1e-4 + 1e-4 * Math.abs(want[i]!)) : difference !== 0) return false
  }
  return true
}

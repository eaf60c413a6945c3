/**
 * What others owe this node: results it handed over and may be paid for. A debt is on disk before the
 * result leaves, so that a cheque which arrives after a crash still finds what it pays for; without it
 * the worker could not tell an honest receipt from an invented one, and the money would be lost.
 */
import type { Cid, Did, JobId, TaskId } from '../base/ids.ts'
import { ms, type MicroCredits, type Ms } from '../base/units.ts'
import type { PortError, Write } from '../ports.ts'
import type { Desk } from './desk.ts'
import type { Size } from './size.ts'

export const DEBT_LIMITS = {
  /** A requester may reload its page and pay then. */
  lifeMs: 3_600_000,
  debts: 256,
} as const

/** Enough to check the receipt that comes for a result. */
export type Debt = {
  readonly requester: Did
  readonly job: JobId
  readonly task: TaskId
  readonly attempt: number
  readonly kernel: string
  readonly inputs: readonly Cid[]
  readonly output: Cid
  readonly flop: number
  readonly bytes: number
  readonly price: MicroCredits
}

export type Debts = ReturnType<typeof debts>

const PREFIX = 'owed/'

const nameOfDebt = (requester: Did, task: TaskId, attempt: number): string =>
  `${PREFIX}${requester}/${task}/${attempt}`

type Open = {
  readonly debt: Debt
  readonly lease: string | null
  readonly until: Ms
  /** Its requester said that it does not pay. */
  isDisputed: boolean
}

export type DebtEvents = {
  /** Nothing is at stake any more for what was done under a lease. */
  closed(lease: string): void
  /** What was not free was paid, or was not. */
  payment(requester: Did, paid: boolean): void
}

export const debts = (desk: Desk, events: DebtEvents) => {
  const open = new Map<string, Open>()

  const dispute = (each: Open): void => {
    if (each.isDisputed || each.debt.price === 0) return
    each.isDisputed = true
    events.payment(each.debt.requester, false)
  }

  const drop = (name: string): void => {
    const lease = open.get(name)?.lease
    open.delete(name)
    if (lease) events.closed(lease)
  }

  const writeOff = (name: string): void => {
    if (!open.has(name)) return
    drop(name)
    desk.write([{ table: 'meta', key: name }], 'relaxed', () => undefined)
  }

  const keep = (name: string, debt: Debt, lease: string | null): void => {
    // The same task may be done again for a requester who forgot that it was; it owes us one result.
    drop(name)
    open.set(name, { debt, lease, until: ms(desk.now() + DEBT_LIMITS.lifeMs), isDisputed: false })
    if (open.size > DEBT_LIMITS.debts) writeOff(open.keys().next().value!)
  }

  return {
    /** Remembers that a result is about to leave; `then` hears when that is on disk. */
    record(debt: Debt, lease: string, then: (problem: PortError | null) => void): void {
      const key = nameOfDebt(debt.requester, debt.task, debt.attempt)
      desk.write([{ table: 'meta', key, value: debt }], 'strict', (written) => {
        if (written.ok) keep(key, debt, lease)
        then(written.ok ? null : written.error)
      })
    },
    /** What a receipt for this task must say. */
    owed: (requester: Did, task: TaskId, attempt: number): Debt | null =>
      open.get(nameOfDebt(requester, task, attempt))?.debt ?? null,
    /** Something is owed for what was done under a lease. */
    has: (lease: string): boolean => [...open.values()].some((each) => each.lease === lease),
    /** To be written together with the payment. */
    paidBy: ({ requester, task, attempt }: Debt): Write => ({
      table: 'meta',
      key: nameOfDebt(requester, task, attempt),
    }),
    paid({ requester, task, attempt, price }: Debt): void {
      drop(nameOfDebt(requester, task, attempt))
      if (price > 0) events.payment(requester, true)
    },
    /** What was done under a lease never left. */
    refused(lease: string): void {
      for (const [name, each] of open) if (each.lease === lease) writeOff(name)
    },
    /**
     * The requester has a result and says that it is wrong. What was to be paid stays at stake for its
     * hour, or a word would be enough to get any amount of work for nothing, and it is trusted less.
     */
    rejected(lease: string): void {
      for (const [name, each] of open) {
        if (each.lease !== lease) continue
        dispute(each)
        if (each.debt.price === 0) writeOff(name)
      }
    },
    load(records: readonly { readonly key: string; readonly value: unknown }[]): void {
      for (const { key, value } of records)
        if (key.startsWith(PREFIX)) keep(key, value as Debt, null)
    },
    wake(): void {
      for (const [name, each] of open) {
        if (each.until > desk.now()) continue
        dispute(each)
        writeOff(name)
      }
    },
    sizes: (): Size[] => [{ what: 'results owed', held: open.size, limit: DEBT_LIMITS.debts }],
  }
}

/**
 * When bills come, the work of some stage is done again; what was billed until then is paid if that was right, and one more audit
 * is made before the last bills of a session are. Which stage it is, nobody can know before.
 */
import { words } from '../../base/bytes.ts'
import type { Did, PeerId } from '../../base/ids.ts'
import { microCredits, ms } from '../../base/units.ts'
import { prng } from '../../base/prng.ts'
import type { Candidates } from '../../core/candidates.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import { auditor } from './audit.ts'
import type { Account, Bill } from './bills.ts'
import type { Asked, Post } from './post.ts'
import type { SessionPorts, SessionState } from './session-state.ts'

/** The last bills of nodes that were told to close their stage come within this, or never. */
const LAST_BILLS_MS = 5_000
/** Nodes that had a stage before, whose last words may still be under way. */
const FORMER_MAX = 8

type Owed = { readonly who: Greeted; readonly bill: Bill }
export type Former = {
  readonly index: number
  readonly who: Greeted
  readonly book: Account
  /** What may still be answered. */
  readonly asked: Asked[]
  /** What it had been paid by then. */
  readonly paidThen: number
}

export type SettlingEvents = {
  /** A stage answered something else than its layers do, from this place on. */
  lied(post: Post, at: number): void
  /** No stage can be done again here. */
  cannotAudit(detail: string): void
  /** The last audit has passed: nodes may be told to close their stages. */
  release(): void
  /** Everything is paid that will be. */
  settled(): void
}

export const settling = (
  desk: Desk,
  s: SessionState,
  ports: SessionPorts,
  shown: ReadonlyMap<number, Candidates>,
  events: SettlingEvents,
) => {
  const random = prng(words(desk.random.bytes(16)))
  const audits = auditor(desk, () => s.flow!, s.talk.source, shown)
  /** Billed, and covered by the audit that runs or the next one. */
  let owed: Owed[] = []
  let formers: Former[] = []
  /** Paid to nodes after they had left their stage, and were forgotten. */
  let paidLate = 0
  let isAuditing = false
  let state: 'open' | 'last-audit' | 'last-bills' | 'settled' = 'open'
  let lastBillsUntil = ms(0)

  const collect = (): void => {
    const books = [...formers, ...s.posts.map(({ who, book }) => ({ who, book }))]
    for (const { who, book } of books)
      if (who) for (const bill of book.take()) owed.push({ who, bill })
  }

  const forget = (some: readonly Former[]): void => {
    for (const { book, paidThen } of some) paidLate += book.paid() - paidThen
    formers = formers.filter((each) => !some.includes(each))
  }

  const payAll = (bills: readonly Owed[]): void => {
    for (const { who, bill } of bills) {
      ports.judged(who.account, 'accepted', microCredits(bill.microCredits), 1_000)
      ports.pay(s, bill, who.account)
      s.bills += 1
    }
    owed = owed.filter((each) => !bills.includes(each))
  }

  /** Any stage whose answers have not all been looked at, at random. */
  const drawn = (failed: ReadonlySet<number>): Post | null => {
    const open = s.posts.filter(
      ({ index, audited }) => !failed.has(index) && s.flow!.lanes[index]!.answered > audited,
    )
    return open[random.below(Math.max(1, open.length))] ?? null
  }

  const audit = (then: () => void, failed: ReadonlySet<number> = new Set()): void => {
    const post = drawn(failed)
    if (post === null) return then()
    isAuditing = true
    const { index, from, to } = post
    const end = s.flow!.lanes[index]!.answered
    const spec = { id: `audit ${s.id} ${index}`, model: s.manifest.body, from, to }
    audits.audit({ stage: index, spec, end, from: post.audited }, (done) => {
      isAuditing = false
      if (!done.ok) {
        const others = new Set([...failed, index])
        if (drawn(others) !== null) return audit(then, others)
        // All that can be done again here has been.
        if (!s.posts.some((each) => each.audits > 0)) return events.cannotAudit(done.error.detail)
        then()
        return step()
      }
      const { end: right, wrongAt } = done.value
      if (wrongAt === null) {
        post.audited = Math.max(post.audited, right)
        post.audits += 1
        then()
      } else {
        state = 'open'
        events.lied(post, wrongAt)
      }
      step()
    })
  }

  const step = (): void => {
    if (!s.flow || isAuditing || state === 'settled') return
    collect()
    if (state === 'open' && owed.length > 0) {
      const covered = owed
      audit(() => {
        payAll(covered)
        ports.changed()
      })
    } else if (state === 'last-audit') {
      audit(() => {
        state = 'last-bills'
        lastBillsUntil = ms(desk.now() + LAST_BILLS_MS)
        events.release()
      })
    }
    if (state === 'last-bills') close()
  }

  const close = (): void => {
    payAll(owed)
    const isWaiting = s.posts.some(({ who, book }) => who && book.isOpen())
    if (isWaiting && desk.now() < lastBillsUntil) return desk.wake(lastBillsUntil)
    state = 'settled'
    audits.close()
    events.settled()
  }

  return {
    step,
    /** It has no stage any more, but may have been owed something. */
    left(former: Former): void {
      formers.push(former)
      if (formers.length > FORMER_MAX) forget(formers.slice(0, 1))
    },
    /** What those cost who have left their stage, since then. */
    spentLate: (): number =>
      formers.reduce(
        (sum, { book, paidThen }) =>
          sum + (state === 'settled' ? book.paid() : book.spent()) - paidThen,
        paidLate,
      ),
    /** It lied: what it billed and was not paid for it will not be. */
    deny(account: Did): void {
      owed = owed.filter(({ who }) => who.account !== account)
      forget(formers.filter(({ who }) => who.account === account))
    },
    formerOf: (peer: PeerId, index: number): Former | null =>
      formers.findLast(({ who, index: own }) => who.peer === peer && own === index) ?? null,
    /** All has been answered, or nothing more will be. */
    finish(): void {
      if (state === 'open') state = 'last-audit'
      step()
    },
    /** Nothing can be looked at: nothing more is paid. */
    giveUp(): void {
      state = 'settled'
      audits.close()
      events.release()
      events.settled()
    },
  }
}

/**
 * When bills come, the work of some stage is done again; what was billed until then is paid if that was right, and one more audit
 * is made before the last bills of a session are. Which stage it is, nobody can know before.
 */
import { words } from '../../base/bytes.ts'
import { microCredits, ms } from '../../base/units.ts'
import { prng } from '../../base/prng.ts'
import type { ShownLogits } from '../../core/audit-rows.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import { auditor } from './audit.ts'
import type { Bill } from './bills.ts'
import type { Post } from './post.ts'
import type { SessionPorts, SessionState } from './session-state.ts'

/** The last bills of nodes that were told to close their stage come within this, or never. */
const LAST_BILLS_MS = 5_000

type Owed = { readonly who: Greeted; readonly bill: Bill }

export type SettlingEvents = {
  /** A stage answered something else than its layers do, from this place on. */
  lied(post: Post, at: number): void
  /** No stage can be done again here. */
  cannotAudit(detail: string): void
  /** Everything is paid that will be. */
  settled(): void
}

export const settling = (
  desk: Desk,
  s: SessionState,
  ports: SessionPorts,
  shown: ReadonlyMap<number, ShownLogits>,
  events: SettlingEvents,
) => {
  const random = prng(words(desk.random.bytes(16)))
  const audits = auditor(desk, () => s.flow!, s.talk.source, shown)
  /** Billed, and covered by the audit that runs or the next one. */
  let owed: Owed[] = []
  let isAuditing = false
  /** Audits that passed since the last token was drawn. */
  let isLast = false
  let lastBillsUntil: number | null = null

  const collect = (): void => {
    for (const post of s.posts)
      if (post.who) for (const bill of post.book.take()) owed.push({ who: post.who, bill })
  }

  const payAll = (bills: readonly Owed[]): void => {
    for (const { who, bill } of bills) {
      ports.judged(who.account, 'accepted', microCredits(bill.microCredits), 1_000)
      ports.pay(s, bill, who.account)
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
    const who = post.who
    audits.audit({ stage: index, spec, end, from: post.audited }, (done) => {
      isAuditing = false
      if (!done.ok) {
        const others = new Set([...failed, index])
        if (others.size >= s.posts.length) return events.cannotAudit(done.error.detail)
        return audit(then, others)
      }
      const { end: right, wrongAt } = done.value
      if (wrongAt === null) {
        post.audited = Math.max(post.audited, right)
        post.audits += 1
        return then()
      }
      // What another node had answered in its place before it is its own; what it billed is not paid.
      owed = owed.filter((each) => each.who !== who)
      if (post.who === who) events.lied(post, wrongAt)
    })
  }

  const look = (): void => {
    if (!s.flow || isAuditing) return
    collect()
    if (owed.length === 0 || lastBillsUntil !== null) return
    const covered = owed
    audit(() => {
      payAll(covered.filter((each) => owed.includes(each)))
      ports.changed()
      look()
    })
  }

  const end = (): void => {
    if (isAuditing || isLast || lastBillsUntil === null || !s.flow) return
    collect()
    const isWaiting = s.posts.some(({ who, book }) => who && book.isOpen())
    if (isWaiting && desk.now() < lastBillsUntil) return desk.wake(ms(lastBillsUntil))
    if (owed.length === 0) return done()
    audit(() => {
      payAll(owed)
      done()
    })
  }

  const done = (): void => {
    isLast = true
    audits.close()
    events.settled()
  }

  return {
    billed: (): void => (lastBillsUntil === null ? look() : end()),
    /** All has been answered, or nothing more will be; nodes have been told. */
    finish(): void {
      lastBillsUntil = desk.now() + LAST_BILLS_MS
      end()
    },
    /** A lie was found at the very end: it goes on. */
    goOn(): void {
      lastBillsUntil = null
    },
    wake: end,
    close: audits.close,
  }
}

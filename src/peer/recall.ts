/**
 * An account's own past, got back from others. A key that was restored on an empty disk has signed
 * blocks before; to begin again at the first place would be a second history, which everybody who knows
 * the first one refuses. So before such an account signs anything, nodes are asked for its chain: each
 * says in `tip` how much of it it holds, and shows it page by page. Only the account's own key can have
 * signed what is shown, so nobody can invent a past; somebody can only keep one back.
 */
import type { PeerId } from '../base/ids.ts'
import { ms, type Ms } from '../base/units.ts'
import type { PortError } from '../ports.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { nameOf, type Advert } from '../wire/signed.ts'
import { BOOKS_LIMITS } from './books.ts'
import { BLOCKS_PER_HEAD } from '../wire/version.ts'
import type { ChainEntry } from './books-on-disk.ts'
import type { Desk } from './desk.ts'
import type { Greeted } from './links.ts'
import type { Size } from './size.ts'
import type { Wallet } from './wallet.ts'

export const RECALL_LIMITS = {
  /** Nodes that are called to be asked. Each keeps what it was shown; a few are enough to find one. */
  nodes: 8,
  /** A relay, a registry, two attempts of four seconds to reach a node, and a chain of some pages. */
  waitMs: 15_000,
  /** Once somebody has answered, others have so much longer: some dials never come back. */
  quietMs: 3_000,
  /** One page of a chain: 50 kB from somebody's memory, over a slow line. */
  pageMs: 3_000,
} as const

/** What a linked node says it holds of our chain. */
type Claim = Pick<HeadOf<'tip'>, 'seq' | 'cid'>

/** A node that is showing us our chain, from after block `from`. */
type Asking = {
  readonly peer: PeerId
  readonly claim: Claim
  readonly from: number
  readonly entries: ChainEntry[]
  until: Ms
}

/** An account that may have a past waits before it begins. */
type Waiting = {
  readonly begin: () => void
  readonly until: Ms
  readonly called: Set<PeerId>
  readonly answered: Set<PeerId>
  /** When the first answer has been waited on for long enough. */
  quietAt: Ms
  /** The registry has said who is there. */
  looked: boolean
}

const FORKED: PortError = {
  code: 'own-fork',
  detail:
    'This key has signed two different histories, most likely on two devices at once. Nodes that know both take nothing from it any more. Use one key on one device only.',
}

const INCOMPLETE: PortError = {
  code: 'own-chain-incomplete',
  detail:
    'Others know newer payments of this key than can be shown here. Nothing is signed until a node is met that has all of them: a second history would make the key worthless. If nobody has them any more, only a new key helps.',
}

export type RecallEvents = {
  trouble(error: PortError): void
  /** What was reported under this code is so no more. */
  healed(code: string): void
  /** Who had to wait while the past was asked for may try again. */
  recalled(): void
}

export type Recall = ReturnType<typeof recall>

export const recall = (desk: Desk, purse: Wallet, { trouble, healed, recalled }: RecallEvents) => {
  const claims = new Map<PeerId, Claim>()
  /** Linked nodes that claimed to hold our chain and did not show it: not waited for again. */
  const idle = new Set<PeerId>()
  let asking: Asking | null = null
  let waiting: Waiting | null = null
  let adopting = false
  /** The highest block that is proven, by our own signature, to have been written. */
  let proven = 0
  let halted = false
  /** Somebody came to settle meanwhile. */
  let turnedAway = false

  const have = (): number => purse.chain().length

  const differs = (seq: number, name: string | null): boolean => {
    const ours = purse.chain()[seq - 1]
    return ours !== undefined && nameOf(ours.block.body) !== name
  }

  const isNews = ({ seq, cid }: Claim): boolean => seq > have() || differs(seq, cid)

  /** A first block that nothing follows is no history yet: it gives way. */
  const contradicts = (entries: readonly ChainEntry[]): boolean =>
    have() > 1 && entries.some(({ block: { body } }) => differs(body.seq, nameOf(body)))

  /** The node that says it holds most is asked next, one at a time: a chain may have megabytes. */
  const next = (): void => {
    if (asking || adopting) return
    for (const [peer, claim] of claims) if (idle.has(peer) || !isNews(claim)) claims.delete(peer)
    const [most] = [...claims].toSorted(([, a], [, b]) => b.seq - a.seq)
    if (!most) return decide()
    const [peer, claim] = most
    claims.delete(peer)
    const from = have() > 1 ? Math.min(have(), claim.seq - 1) : 0
    asking = { peer, claim, from, entries: [], until: ms(0) }
    purse.hold(true)
    ask(asking)
  }

  const ask = (now: Asking): void => {
    const seq = now.from + now.entries.length
    const last = now.entries.at(-1) ?? purse.chain()[seq - 1]
    const cid = last ? nameOf(last.block.body) : null
    now.until = ms(desk.now() + RECALL_LIMITS.pageMs)
    desk.send(now.peer, { k: 'tip', account: desk.account, seq, cid }, null)
    desk.wake(now.until)
  }

  /** Takes up what was shown; a part is as true as the whole, and the next node may know the rest. */
  const finish = (): void => {
    if (!asking) return
    const { peer, claim, entries, from } = asking
    asking = null
    if (contradicts(entries)) trouble(FORKED)
    if (entries.length === 0) idle.add(peer)
    if (entries.length === 0 || (have() > 1 && from !== have())) return next()
    adopting = true
    purse.adopt(entries, (problem) => {
      adopting = false
      // What is being written now may turn out to contradict it; then that is what has to be said.
      if (problem?.code === 'busy') claims.set(peer, claim)
      else if (problem?.code === 'wrong-prev') trouble(FORKED)
      else if (problem) idle.add(peer)
      next()
    })
  }

  /** Our own blocks, from whoever holds them. */
  const shown = (who: Greeted, entries: readonly ChainEntry[]): void => {
    for (const { block } of entries) proven = Math.max(proven, block.body.seq)
    if (asking?.peer !== who.peer) {
      if (contradicts(entries)) trouble(FORKED)
      return settle()
    }
    let taken = 0
    let isGap = false
    for (const entry of entries) {
      const expected = asking.from + asking.entries.length + 1
      if (entry.block.body.seq === expected && asking.entries.length < BOOKS_LIMITS.kept)
        taken = asking.entries.push(entry) && taken + 1
      else isGap ||= entry.block.body.seq > expected
    }
    // A page that is not full is the last one: nobody makes us wait for block after block.
    const isLast = taken > 0 && taken < BLOCKS_PER_HEAD
    const isAll = asking.from + asking.entries.length >= asking.claim.seq
    if (isGap || isLast || isAll) return finish()
    if (taken > 0) ask(asking)
  }

  /** Whoever is known to have written more than can be found signs nothing. */
  const settle = (): void => {
    if (asking || adopting || waiting) return
    if (proven > have() && !halted) purse.halt(INCOMPLETE)
    if (proven <= have() && halted) {
      healed(INCOMPLETE.code)
      purse.retry()
    }
    halted = proven > have()
    purse.hold(false)
    if (turnedAway) recalled()
    turnedAway = false
  }

  const decide = (): void => {
    if (!waiting) return settle()
    const { until, quietAt, looked, called, answered, begin } = waiting
    const now = desk.now()
    const isAlone = looked && called.size === 0
    const isQuiet = answered.size > 0 && now >= quietAt
    const haveAll = answered.size > 0 && [...called].every((peer) => answered.has(peer))
    if (now < until && !isAlone && !isQuiet && !haveAll)
      return desk.wake(ms(answered.size > 0 ? Math.min(until, quietAt) : until))
    waiting = null
    settle()
    begin()
  }

  const answered = (peer: PeerId): void => {
    if (!waiting) return
    if (waiting.answered.size === 0) waiting.quietAt = ms(desk.now() + RECALL_LIMITS.quietMs)
    waiting.answered.add(peer)
  }

  return {
    /** Asks who is there for the chain of an account that may have one, and then lets it begin. */
    ask(begin: () => void): void {
      const until = ms(desk.now() + RECALL_LIMITS.waitMs)
      waiting = {
        begin,
        until,
        called: new Set(),
        answered: new Set(),
        quietAt: until,
        looked: false,
      }
      desk.wake(until)
    },
    /** True while the past is being asked for; who had to wait for that is called on afterwards. */
    mustWait(): boolean {
      const isAsking = waiting !== null || asking !== null || adopting
      turnedAway ||= isAsking
      return isAsking
    },
    /** The registry has said who is there. */
    found(adverts: readonly Advert[]): void {
      if (!waiting) return
      waiting.looked = true
      for (const { account, peer, relay } of adverts) {
        if (waiting.called.size >= RECALL_LIMITS.nodes) break
        if (account === desk.account || waiting.called.has(peer)) continue
        waiting.called.add(peer)
        desk.connect(peer, relay)
      }
      next()
    },
    head(who: Greeted, head: Head): void {
      if (head.k === 'tip' && head.account === desk.account) {
        answered(who.peer)
        claims.set(who.peer, head)
        next()
      }
      if (head.k === 'blocks') {
        const own = head.blocks.filter(({ block }) => block.body.account === desk.account)
        if (own.length > 0) shown(who, own)
      }
    },
    gone({ peer }: Greeted): void {
      claims.delete(peer)
      idle.delete(peer)
      waiting?.called.delete(peer)
      if (asking?.peer === peer) finish()
      else next()
    },
    wake(): void {
      const now = desk.now()
      if (waiting && now >= waiting.until) claims.clear()
      if (asking && (now >= asking.until || (waiting && now >= waiting.until))) return finish()
      next()
      if (asking) desk.wake(asking.until)
    },
    sizes: (): Size[] => [
      {
        what: 'own blocks being shown',
        held: asking?.entries.length ?? 0,
        limit: BOOKS_LIMITS.kept,
      },
    ],
  }
}

/**
 * Feeds of a stage: they wait in their order, are computed one at a time, and what comes of each goes to the
 * requester and, where there is a link, at once to the next stage.
 */
import { answerBytes, stageWork, topOf, type StageWork } from '../../core/stage-cost.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { StageTrouble } from '../../wire/model-heads.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import { hasRoom, HOST_LIMITS, mayFeed, readFeed, type Feed, type Served } from './served-stage.ts'
import type { StageBills } from './stage-bills.ts'
import { inputDigest } from './stage-part.ts'

export type FeedingEvents = {
  share(): number
  linked(): readonly Greeted[]
  /** Something was done for it, also where nobody wants it any more; false where nothing more is given away. */
  gave(stage: Served, work: StageWork, computeMs: number): boolean
  /** It cannot go on. */
  giveBack(stage: Served, code: StageTrouble): void
}

type Bytes = Uint8Array<ArrayBuffer>

export const stageFeeding = (desk: Desk, bills: StageBills, events: FeedingEvents) => {
  /** Begins the next feed, unless there is a reason to wait. */
  const work = (stage: Served): void => {
    if (stage.isClosed || stage.isStepping || stage.state !== 'ready') return
    // An answer that nobody hears would be missing from what both sides count.
    if (stage.feeds.length === 0 || stage.goneAt !== null) return
    if (!bills.isPaid(stage)) {
      stage.unpaidSince ??= desk.now()
      return
    }
    stage.unpaidSince = null
    const feed = stage.feeds.shift()!
    // What came before is missing: it will be fed again, from where it is known.
    if (feed.at > stage.known) return work(stage)
    step(stage, feed)
  }

  const step = (stage: Served, feed: Feed): void => {
    const { at, count, input } = feed
    const top = topOf(stage, feed)
    const asked = { stage: stage.layers, session: stage.key, at, count, input, top }
    const began = desk.now()
    stage.isStepping = true
    stage.known = at
    desk.stepStage(asked, events.share, (done) => {
      stage.isStepping = false
      const computeMs = done.ok ? done.value.computeMs : desk.now() - began
      const isMore = events.gave(stage, stageWork(stage.costed!, stage, feed), computeMs)
      if (stage.isClosed) return
      if (!done.ok)
        return events.giveBack(stage, done.error.code === 'out-of-budget' ? 'no-room' : 'engine')
      if (done.value.output.byteLength !== answerBytes(stage.costed!.shape, stage, feed))
        return events.giveBack(stage, 'engine')
      stage.known = at + count
      stage.usedAt = desk.now()
      answer(stage, feed, done.value)
      if (!isMore) events.giveBack(stage, 'free-tier-used-up')
      work(stage)
    })
  }

  const answer = (
    stage: Served,
    feed: Feed,
    { output, computeMs }: { readonly output: Bytes; readonly computeMs: number },
  ): void => {
    const { at, count, replay } = feed
    const passed = !replay && pass(stage, feed, output)
    const head: HeadOf<'fed'> = {
      k: 'fed',
      session: stage.session,
      index: stage.index,
      at,
      count,
      input: inputDigest(feed.input),
      passed,
      computeMs: 2 ** Math.ceil(Math.log2(Math.max(1, computeMs))),
      bytes: replay ? 0 : output.byteLength,
    }
    desk.send(stage.who.peer, head, replay ? new Uint8Array(0) : output)
    const done = stageWork(stage.costed!, stage, feed)
    const mayGoOn = bills.count(stage, done, computeMs, replay ? null : output)
    if (!mayGoOn) events.giveBack(stage, 'no-credit')
  }

  /** To the next stage, if there is one and a link to it. */
  const pass = (stage: Served, { at, count }: Feed, output: Bytes): boolean => {
    const { next, session, index, requester, costed, to } = stage
    if (next === null || to === costed!.shape.layers) return false
    if (stage.hangUps >= HOST_LIMITS.hangUps) return false
    if (!events.linked().some(({ peer }) => peer === next.peer)) return false
    stage.hasPassed = true
    const bytes = output.byteLength
    const feed = { at, count, tokens: [], replay: false, bytes }
    desk.send(next.peer, { k: 'feed', session, index: index + 1, requester, ...feed }, output)
    return true
  }

  return {
    work,
    /** Something was fed, by somebody who may. */
    feed(stage: Served, who: Greeted, head: HeadOf<'feed'>, body: Bytes | null): void {
      if (body !== null) arrived(stage, who)
      // While it is loaded nothing that was fed would have anything before it.
      if (stage.state !== 'ready') return
      const feed = readFeed(stage, who, head, body)
      const fits = feed !== null && hasRoom(stage, who, feed.at)
      // Only its requester can say that a stage is not wanted.
      if (!fits && who.account === stage.requester) return events.giveBack(stage, 'bad-feed')
      if (!fits) return
      stage.usedAt = desk.now()
      // Where it is fed again, what waits from there on would be done for nothing.
      if (!feed.isPassed && stage.feeds.length >= HOST_LIMITS.feeds)
        keepFeeds(stage, ({ at }) => at < feed.at)
      stage.feeds.push(feed)
      work(stage)
    },
    /** How many bytes of a body are welcome: exactly those of its rows, if there is room for one more feed. */
    welcome(stage: Served, who: Greeted, head: HeadOf<'feed'>): number {
      const { costed } = stage
      if (!mayFeed(stage, who) || stage.from === 0 || costed === null) return 0
      const fits = head.bytes === 4 * head.count * costed.shape.width
      if (!fits || !hasRoom(stage, who, head.at)) return 0
      stage.coming.set(who.peer, (stage.coming.get(who.peer) ?? 0) + 1)
      return head.bytes
    },
  }
}

/** Of what waits for a stage, only this. */
export const keepFeeds = ({ feeds }: Served, isKept: (feed: Feed) => boolean): void => {
  feeds.splice(0, feeds.length, ...feeds.filter(isKept))
}

const arrived = ({ coming }: Served, { peer }: Greeted): void => {
  const left = (coming.get(peer) ?? 0) - 1
  if (left > 0) coming.set(peer, left)
  else coming.delete(peer)
}

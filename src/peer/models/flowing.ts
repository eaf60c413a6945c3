/**
 * What goes to the stages of a session and comes back: each is fed what it lacks, and every answer is counted,
 * looked at and taken to where it belongs. Answers are counted in the order in which they come, since bills are about
 * a digest over them; one whose own input has not come yet holds up those after it.
 */
import { equalBytes } from '../../base/bytes.ts'
import { ms } from '../../base/units.ts'
import {
  feedAgain,
  inputsOf,
  nextFeeds,
  noteAnswer,
  rowsFor,
  type Feed,
} from '../../core/pipeline.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import { EARLY_MAX, noteTime, type Post } from './post.ts'
import type { Metering, SessionState } from './session-state.ts'
import { inputDigest } from './stage-part.ts'
import type { Timing } from './timing.ts'

const PATIENCE = {
  /** Something that was fed is answered by then, or fed once more. */
  leastMs: 4_000,
  /** Of how long its answers take. */
  times: 8,
  /** Then another node may try. */
  tries: 3,
} as const

/** Feeds that were under way when a stage got another node. */
const DOUBTS = 4

export type FlowingEvents = {
  /** Its work was counted; a bill may be about it. */
  counted(): void
  /** It knows as much as the stage before it has said. */
  caughtUp(post: Post): void
  /** Logits of the last token. */
  drawn(place: number, logits: Float32Array): void
  lose(post: Post, code: string): void
  /** It answered what it cannot have computed. */
  expose(post: Post): void
  /** It does not say what the stage before it says. */
  contradicted(post: Post, at: number): void
}

export const flowing = (
  desk: Desk,
  s: SessionState,
  metering: Metering,
  times: Timing,
  events: FlowingEvents,
) => {
  const tries = new Map<number, number>()

  const isFlowing = (): boolean => s.phase === 'prompt' || s.phase === 'tokens'

  const pump = (post: Post): void => {
    if (!post.who || !isFlowing()) return
    const isIdle = s.flow!.lanes[post.index]!.ahead === 0
    const feeds = nextFeeds(s.flow!, post.index)
    if (isIdle && feeds.length > 0) post.movedAt = desk.now()
    for (const feed of feeds) send(post, feed)
    if (feeds.length > 0) desk.wake(ms(desk.now() + patience(post)))
  }

  const send = (post: Post, { at, count, replay }: Feed): void => {
    const of = { session: s.id, index: post.index, at, count, replay }
    if (post.index === 0 && !replay) times.fed(at + count)
    const tokens = post.index === 0 ? s.flow!.tokens.slice(at, at + count) : []
    const body = post.index === 0 ? new Uint8Array(0) : rowsFor(s.flow!, post.index, at, count)
    post.feeds += 1
    desk.send(post.who!.peer, { k: 'feed', ...of, tokens, bytes: body.byteLength }, body)
  }

  /** A stage that knows as much as the one before has said is fed by it again. */
  const caughtUp = (post: Post): void => {
    const lane = s.flow!.lanes[post.index]!
    if (!lane.isReady || lane.known < lane.answered) return
    post.state = 'ready'
    if (post.index > 0) events.caughtUp(post)
  }

  /** In the order in which they came: digests over answers are. What is early holds up what comes after it. */
  const fed = (post: Post, head: HeadOf<'fed'>, body: Uint8Array<ArrayBuffer>): void => {
    post.heardAt = desk.now()
    if (post.early.length >= EARLY_MAX) return events.lose(post, 'bad-answer')
    post.early.push({ head, body })
    drain(post)
  }

  const drain = (post: Post): void => {
    for (let next = post.early[0]; next !== undefined; next = post.early[0]) {
      const { at, count, passed } = next.head
      const isEarly =
        at === s.flow!.lanes[post.index]!.known && at + count > inputsOf(s.flow!, post.index)
      // What it was fed by the stage before it, that one has told us of, or will.
      if (post.feeds <= 0 || (isFlowing() && isEarly)) return
      post.early.shift()
      if (!counted(post, next.head, next.body)) return
      const after = s.posts[post.index + 1]
      if (after && passed) after.feeds += 1
      if (isFlowing()) take(post, next.head, next.body)
      if (after) drain(after)
    }
  }

  /** Who bills what it did not answer is not believed any more. */
  const counted = (post: Post, { at, count }: HeadOf<'fed'>, body: Uint8Array): boolean => {
    // Only what is remembered is answered by nothing.
    const work = metering.work(post, { at, count, replay: body.byteLength === 0 })
    post.feeds -= 1
    const isRight = post.book.answered(work, body)
    if (isRight) events.counted()
    else events.lose(post, 'wrong-bill')
    return isRight && post.who !== null
  }

  const take = (post: Post, head: HeadOf<'fed'>, body: Uint8Array<ArrayBuffer>): void => {
    const flow = s.flow!
    const { at, count } = head
    const lane = flow.lanes[post.index]!
    const isNew = at + count > lane.answered
    if (isNew && !isOfSize(post, head, body)) return events.lose(post, 'bad-answer')
    if (at === lane.known && !saysItsInput(post, head)) return doubt(post, at)
    post.doubts = 0
    const rows = new Float32Array(body.buffer, body.byteOffset, body.byteLength >> 2)
    const answered = noteAnswer(flow, post.index, head, isNew ? rows : null)
    if (answered === 'new' || answered === 'remembered') {
      post.movedAt = desk.now()
      tries.delete(post.index)
      noteTime(post.computeMs, head.computeMs)
      if (answered === 'new') times.answered(at + count, head.computeMs)
      caughtUp(post)
    }
    pump(post)
    const next = s.posts[post.index + 1]
    if (next) pump(next)
    else if (answered === 'new') events.drawn(at + count, rows)
  }

  /**
   * It was fed something else than we know of. Where another node has the stage before since a moment ago, its rows
   * differ in their last bits; else one of the two lies.
   */
  const doubt = (post: Post, at: number): void => {
    if (post.doubts > 0) {
      post.doubts -= 1
      feedAgain(s.flow!, post.index)
      pump(post)
    } else if (post.index === 0 || post.apart) events.expose(post)
    else events.contradicted(post, at)
  }

  const isOfSize = (post: Post, { count, bytes }: HeadOf<'fed'>, body: Uint8Array): boolean => {
    const isLast = post.index === s.posts.length - 1
    const numbers = isLast ? s.config.vocabulary : count * s.config.width
    return body.byteLength === bytes && bytes === 4 * numbers
  }

  const saysItsInput = ({ index }: Post, { at, count, input }: HeadOf<'fed'>): boolean =>
    equalBytes(input, inputDigest(rowsFor(s.flow!, index, at, count)))

  const patience = ({ computeMs }: Post): number =>
    Math.max(PATIENCE.leastMs, PATIENCE.times * Math.max(0, ...computeMs))

  /** What is on its way for too long is sent once more, and then given to another. */
  const hurry = (post: Post): void => {
    const flow = s.flow!
    const lane = flow.lanes[post.index]!
    const waits = lane.isReady && lane.known < Math.max(lane.answered, inputsOf(flow, post.index))
    if (!waits || !post.who || desk.now() - post.movedAt < patience(post)) return
    const count = (tries.get(post.index) ?? 0) + 1
    tries.set(post.index, count)
    post.movedAt = desk.now()
    if (count > PATIENCE.tries) return events.lose(post, 'stalled')
    feedAgain(flow, post.index)
    pump(post)
  }

  return {
    /** Another node will have a stage: what the next one says of its input may be about the one before. */
    replaced(post: Post): void {
      const next = s.posts[post.index + 1]
      if (next) next.doubts = DOUBTS
    },
    pump(): void {
      for (const post of s.posts) pump(post)
    },
    caughtUp,
    fed,
    drain(): void {
      for (const post of s.posts) drain(post)
    },
    /** What is on its way for too long is sent once more, and then given to another. */
    hurry(): void {
      for (const post of s.posts) if (isFlowing()) hurry(post)
    },
  }
}

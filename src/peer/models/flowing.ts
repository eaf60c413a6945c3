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
  isAheadOfNext,
  nextFeeds,
  noteAnswer,
  rowsFor,
  setBack,
  type Feed,
} from '../../core/pipeline.ts'
import { topOf } from '../../core/stage-cost.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import { askedFor, EARLY_MAX, noteAsked, noteAuthor, noteTime, type Post } from './post.ts'
import type { Metering, SessionState } from './session-state.ts'
import { answerIn, type StageAnswer } from './stage-answer.ts'
import { inputDigest } from './stage-part.ts'
import type { Timing } from './timing.ts'

const PATIENCE = {
  /** Something that was fed is answered by then, or fed once more. */
  leastMs: 4_000,
  /** Of how long its answers take. */
  times: 8,
  /** The slowest processor that is of use, for a first run of many tokens. */
  flopPerMs: 1_000_000,
  /** However slow it is: nobody would wait longer for a token. */
  mostMs: 120_000,
  /** Then another node may try. */
  tries: 3,
} as const

/** Feeds that were under way when a stage got another node, or was told to be fed by us alone: all that wait there. */
const DOUBTS = 8

/** A stage that is fed again and again comes no further. */
const SET_BACKS_MAX = 64

export type FlowingEvents = {
  /** Its work was counted; a bill may be about it. */
  counted(isReplay: boolean): void
  /** It knows as much as the stage before it has said. */
  caughtUp(post: Post): void
  /** What the next token is drawn from. */
  drawn(place: number, answer: StageAnswer): void
  lose(post: Post, code: string): void
  /** It answered what it cannot have computed. */
  expose(post: Post): void
  /** It does not say what the stage before it says. */
  contradicted(post: Post, at: number): void
  /** The stage before feeds it what we are not told of. */
  part(post: Post): void
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
    const of = { session: s.id, index: post.index, requester: null, at, count, replay }
    if (post.index === 0 && !replay) times.fed()
    const tokens = post.index === 0 ? s.flow!.tokens.slice(at, at + count) : []
    const body = post.index === 0 ? new Uint8Array(0) : rowsFor(s.flow!, post.index, at, count)
    noteAsked(post, { at, count, replay })
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
    if (post.early.length >= EARLY_MAX && !tookUnasked(post)) return events.lose(post, 'bad-answer')
    post.early.push({ head, body })
    drain(post)
  }

  /**
   * It answers what we know of no feed for, which the stage before may be to blame for: once that one does not
   * feed it any more, it is.
   */
  const tookUnasked = (post: Post): boolean => {
    const [first] = post.early
    const isUnasked = first !== undefined && askedFor(post.asked, first.head) === -1
    if (!isUnasked || post.index === 0 || post.apart) return false
    events.part(post)
    post.doubts = DOUBTS
    drain(post)
    return true
  }

  const drain = (post: Post): void => {
    for (let next = post.early[0]; next !== undefined; next = post.early[0]) {
      const { at, count, passed } = next.head
      const isEarly =
        at === s.flow!.lanes[post.index]!.known && at + count > inputsOf(s.flow!, post.index)
      if (post.apart && post.doubts > 0 && askedFor(post.asked, next.head) === -1) {
        post.doubts -= 1
        noteAsked(post, { ...next.head, replay: next.head.bytes === 0 })
      }
      const asked = askedFor(post.asked, next.head)
      // What it was fed by the stage before it, that one has told us of, or will.
      if (asked === -1 && (post.index === 0 || post.apart)) return events.lose(post, 'bad-answer')
      if (asked === -1 || (isFlowing() && isEarly)) return
      post.asked.splice(asked, 1)
      post.early.shift()
      if (!counted(post, next.head, next.body)) return
      const after = s.posts[post.index + 1]
      if (after && passed) noteAsked(after, { at, count, replay: false })
      if (isFlowing()) take(post, next.head, next.body)
      if (after) drain(after)
    }
  }

  /** Who bills what it did not answer is not believed any more. */
  const counted = (post: Post, { at, count }: HeadOf<'fed'>, body: Uint8Array): boolean => {
    // Only what is remembered is answered by nothing.
    const work = metering.work(post, { at, count, replay: body.byteLength === 0 })
    const isRight = post.book.answered(work, body)
    if (isRight) events.counted(body.byteLength === 0)
    else events.lose(post, 'wrong-bill')
    return isRight && post.who !== null
  }

  const take = (post: Post, head: HeadOf<'fed'>, body: Uint8Array<ArrayBuffer>): void => {
    const flow = s.flow!
    const { at, count } = head
    const lane = flow.lanes[post.index]!
    const isNew = at + count > lane.answered
    if (isNew && !isOfSize(post, head, body)) return events.lose(post, 'bad-answer')
    if (at < lane.known) return again(post, head)
    if (at === lane.known && !saysItsInput(post, head)) return doubt(post, at)
    if (at === lane.known) post.doubts = 0
    const next = s.posts[post.index + 1]
    const top = next ? 0 : topOf(s.answers, head)
    const answer = isNew ? answerIn(body, top, s.config.vocabulary) : null
    // Whether it lies or was fed what makes such numbers cannot be known, but nobody can go on with them.
    if (isNew && answer === null) return events.lose(post, 'bad-answer')
    const rows = answer instanceof Float32Array ? answer : null
    const answered = noteAnswer(flow, post.index, head, rows)
    if (answered === 'new' || answered === 'remembered') {
      // It says so itself, and is waited for by what it says.
      const computeMs = Math.min(head.computeMs, 2 * (desk.now() - post.movedAt) + 1)
      post.movedAt = desk.now()
      tries.delete(post.index)
      noteTime(post.computeMs, computeMs)
      if (answered === 'new') post.setBacks = 0
      if (answered === 'new') noteAuthor(post, at)
      if (answered === 'new') times.answered(computeMs)
      caughtUp(post)
    }
    for (const each of [post, s.posts[post.index - 1]]) if (each) pump(each)
    if (next) pump(next)
    else if (answered === 'new') events.drawn(at + count, answer!)
  }

  /**
   * It has forgotten what it knew after that; and what it knows of it is wrong, though all that it does is right, if
   * somebody fed it other rows.
   */
  const again = (post: Post, head: HeadOf<'fed'>): void => {
    post.setBacks += 1
    if (post.setBacks > SET_BACKS_MAX) return events.lose(post, 'bad-answer')
    setBack(s.flow!, post.index, saysItsInput(post, head) ? head.at + head.count : head.at)
    pump(post)
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
    else {
      events.contradicted(post, at)
      post.doubts = DOUBTS
    }
  }

  const isOfSize = (post: Post, head: HeadOf<'fed'>, body: Uint8Array): boolean =>
    body.byteLength === head.bytes && head.bytes === metering.bytes(post, head)

  const saysItsInput = ({ index }: Post, { at, count, input }: HeadOf<'fed'>): boolean =>
    equalBytes(input, inputDigest(rowsFor(s.flow!, index, at, count)))

  const patience = (post: Post): number => {
    const used = Math.max(0, ...post.computeMs)
    const most = Math.max(0, ...post.asked.map((feed) => metering.work(post, feed).flop))
    return Math.max(
      PATIENCE.leastMs,
      Math.min(PATIENCE.mostMs, Math.max(PATIENCE.times * used, most / PATIENCE.flopPerMs)),
    )
  }

  /** What is on its way for too long is sent once more, and then given to another. */
  const hurry = (post: Post): void => {
    const flow = s.flow!
    const lane = flow.lanes[post.index]!
    const waits = lane.isReady && lane.known < Math.max(lane.answered, inputsOf(flow, post.index))
    if (
      !waits ||
      !post.who ||
      isAheadOfNext(flow, post.index) ||
      desk.now() - post.movedAt < patience(post)
    )
      return
    const count = (tries.get(post.index) ?? 0) + 1
    tries.set(post.index, count)
    post.movedAt = desk.now()
    if (count > PATIENCE.tries) return events.lose(post, 'stalled')
    tookUnasked(post)
    feedAgain(flow, post.index)
    pump(post)
  }

  return {
    /** Another node will have a stage: what the next one says of its input may be about the one before. */
    replaced(post: Post): void {
      tries.delete(post.index)
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

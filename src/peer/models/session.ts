/**
 * One prompt and its answer over several nodes: layers are given to them, tokens are fed and drawn. Where a node
 * goes its stage is fed once more elsewhere; where one lied everything from there on is done again.
 */
import { ms } from '../../base/units.ts'
import {
  feedAgain,
  inputsOf,
  nextFeeds,
  noteAnswer,
  rewind,
  rowsFor,
  type Feed,
} from '../../core/pipeline.ts'
import { equalBytes } from '../../base/bytes.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import { drawing } from './drawing.ts'
import { EARLY_MAX, noteTime, type Post } from './post.ts'
import { roster } from './roster.ts'
import { isOver, type Metering, type SessionPorts, type SessionState } from './session-state.ts'
import { settling } from './settling.ts'
import { inputDigest } from './stage-part.ts'
import { timing } from './timing.ts'

const PATIENCE = {
  /** Something that was fed is answered by then, or fed once more. */
  leastMs: 4_000,
  /** Of how long its answers take. */
  times: 8,
  /** Then another node may try. */
  tries: 3,
} as const

export type Session = ReturnType<typeof session>

export const session = (desk: Desk, s: SessionState, ports: SessionPorts, metering: Metering) => {
  const draws = drawing(s.talk, s.config)
  const times = timing(() => desk.now())
  const tries = new Map<number, number>()

  const end = (phase: 'done' | 'failed' | 'stopped', code: string | null, text = ''): void => {
    if (isOver(s) || s.phase === 'settling') return
    s.problem = code === null ? null : { code, text }
    ending = phase
    s.phase = 'settling'
    crew.release()
    till.finish()
    ports.changed()
  }
  let ending: 'done' | 'failed' | 'stopped' = 'done'

  const over = (): void => {
    s.phase = ending
    ports.leaves().withdraw(s.model)
    s.talk.ended(s.problem)
    ports.changed()
  }

  const crew = roster(desk, s, ports, metering, {
    planned() {
      s.phase = 'loading'
      ports.changed()
    },
    ready(post) {
      if (s.phase === 'loading' && s.flow!.lanes.every(({ isReady }) => isReady)) s.phase = 'prompt'
      if (s.phase === 'loading') return ports.changed()
      if (s.flow!.lanes[post.index]!.answered > 0) post.state = 'replaying'
      for (const each of s.posts) pump(each)
      caughtUp(post)
      ports.changed()
    },
    lost(post, who, code) {
      const replayed = s.flow!.lanes[post.index]!.answered
      if (s.phase === 'prompt' || s.phase === 'tokens')
        s.recoveries.push({
          stage: post.index,
          code,
          lost: who.account,
          ms: 0,
          replayed,
          since: post.heardAt,
        })
      ports.changed()
    },
    failed: (code, text) => end('failed', code, text),
  })

  const till = settling(desk, s, ports, draws.shown, {
    lied(post, at) {
      ports.judged(post.who!.account, 'wrong', post.book.spent(), 1)
      post.audited = Math.min(post.audited, at)
      takeBack(post, at)
      if (s.phase === 'settling') {
        s.phase = 'tokens'
        till.goOn()
      }
      crew.lose(post, 'wrong-result', true)
    },
    cannotAudit: (detail) =>
      end('failed', 'no-audit', `No part of the model can be checked on this device: ${detail}`),
    settled: over,
  })

  /** From a place on, what a stage answered is forgotten, with all that was made of it. */
  const takeBack = (post: Post, at: number): void => {
    const before = s.flow!.tokens.length
    rewind(s.flow!, post.index, at)
    for (const each of s.posts) {
      const { answered } = s.flow!.lanes[each.index]!
      each.audited = Math.min(each.audited, answered)
      each.early.length = 0
    }
    if (s.flow!.tokens.length < before || draws.shown.has(before - 1)) draws.rewound(s.flow!)
  }

  const pump = (post: Post): void => {
    if (!post.who || isOver(s) || s.phase === 'settling' || s.phase === 'loading') return
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
    desk.send(post.who!.peer, { k: 'feed', ...of, tokens, bytes: body.byteLength }, body)
  }

  /** A stage that knows as much as the one before has said is fed by it again. */
  const caughtUp = (post: Post): void => {
    const lane = s.flow!.lanes[post.index]!
    if (!lane.isReady || lane.known < lane.answered) return
    post.state = 'ready'
    if (post.index > 0) crew.caughtUp(post)
  }

  const fed = (post: Post, head: HeadOf<'fed'>, body: Uint8Array<ArrayBuffer>): void => {
    const { at, count } = head
    post.heardAt = desk.now()
    // Only what is remembered is answered by nothing.
    const work = metering.work(post, { at, count, replay: body.byteLength === 0 })
    if (!post.book.answered(work, body)) return crew.lose(post, 'wrong-bill')
    till.billed()
    // What is audited or paid may have ended it, or another may have the stage now.
    if (post.who?.peer && !isOver(s) && s.phase !== 'settling') take(post, head, body)
  }

  const take = (post: Post, head: HeadOf<'fed'>, body: Uint8Array<ArrayBuffer>): void => {
    const flow = s.flow!
    const { at, count } = head
    const isNew = at + count > flow.lanes[post.index]!.answered
    if (isNew && !isOfSize(post, head, body)) return crew.lose(post, 'bad-answer')
    const isKnown = at + count <= inputsOf(flow, post.index)
    if (isKnown && at === flow.lanes[post.index]!.known && !saysItsInput(post, head))
      return contradicted(post, at)
    const rows = new Float32Array(body.buffer, body.byteOffset, body.byteLength >> 2)
    const answered = noteAnswer(flow, post.index, head, isNew ? rows : null)
    if (answered === 'early') {
      if (post.early.length < EARLY_MAX) post.early.push({ head, body })
      return
    }
    if (answered === 'stale') return
    post.movedAt = desk.now()
    tries.delete(post.index)
    noteTime(post.computeMs, head.computeMs)
    if (answered === 'new') times.answered(at + count, head.computeMs)
    caughtUp(post)
    pump(post)
    const next = s.posts[post.index + 1]
    if (!next) return answered === 'new' ? drawn(at + count, rows) : undefined
    pump(next)
    for (const early of next.early.splice(0)) take(next, early.head, early.body)
  }

  const drawn = (place: number, logits: Float32Array): void => {
    const flow = s.flow!
    if (place !== flow.tokens.length) return
    times.drawn(place)
    if (s.phase === 'prompt') s.phase = 'tokens'
    for (const recovery of s.recoveries) {
      if (recovery.since === null) continue
      Object.assign(recovery, { ms: Math.round(desk.now() - recovery.since), since: null })
    }
    const isLast = draws.draw(flow, logits)
    ports.changed()
    if (isOver(s)) return
    if (isLast) return end('done', null)
    const { budget } = s.talk
    if (budget !== undefined && spent() > budget)
      return end('failed', 'over-budget', 'The next token would cost more than was allowed.')
    pump(s.posts[0]!)
  }

  const spent = (): number =>
    s.posts.reduce((sum, { paidBefore, book }) => sum + paidBefore + book.spent(), 0)

  const isOfSize = (post: Post, { count, bytes }: HeadOf<'fed'>, body: Uint8Array): boolean => {
    const isLast = post.index === s.posts.length - 1
    const numbers = isLast ? s.config.vocabulary : count * s.config.width
    return body.byteLength === bytes && bytes === 4 * numbers
  }

  const saysItsInput = ({ index }: Post, { at, count, input }: HeadOf<'fed'>): boolean =>
    equalBytes(input, inputDigest(rowsFor(s.flow!, index, at, count)))

  /** What one stage says that it sent, the next says that it did not get: one of them lies, so nothing goes between them. */
  const contradicted = (post: Post, at: number): void => {
    post.apart = true
    post.isJoined = false
    crew.tellNeighbours(s.posts[post.index - 1])
    takeBack(post, at)
    for (const each of s.posts) pump(each)
  }

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
    if (count > PATIENCE.tries) return crew.lose(post, 'stalled')
    feedAgain(flow, post.index)
    pump(post)
  }

  return {
    state: s,
    head(
      who: Greeted,
      head: HeadOf<'staged' | 'unstaged' | 'fed' | 'bill'>,
      body: Uint8Array<ArrayBuffer> | null,
    ): void {
      const post = crew.postOf(who.peer, head.index)
      if (!post || isOver(s)) return
      switch (head.k) {
        case 'staged':
          return crew.staged(post, head)
        case 'unstaged':
          return s.phase === 'settling' ? till.wake() : crew.lose(post, head.code)
        case 'fed':
          return fed(post, head, body ?? new Uint8Array(0))
        case 'bill':
          if (!post.book.billed(head)) return crew.lose(post, 'wrong-bill')
          return till.billed()
      }
    },
    welcome(who: Greeted, head: HeadOf<'fed'>): number {
      const post = crew.postOf(who.peer, head.index)
      const isLast = head.index === s.posts.length - 1
      const most = 4 * (isLast ? s.config.vocabulary : head.count * s.config.width)
      return post && head.bytes <= most ? head.bytes : 0
    },
    gone: (who: Greeted): void => (isOver(s) ? undefined : crew.gone(who)),
    stop: (): void => end('stopped', null),
    fail: (code: string, text: string): void => end('failed', code, text),
    spent,
    times: times.view,
    wake(): void {
      if (isOver(s)) return
      crew.wake()
      till.wake()
      if (s.phase === 'prompt' || s.phase === 'tokens') for (const post of s.posts) hurry(post)
    },
  }
}

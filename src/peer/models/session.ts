/**
 * One prompt and its answer over several nodes: layers are given to them, tokens are fed and drawn. Where a node
 * goes its stage is fed once more elsewhere; where one lied everything from there on is done again.
 */
import { microCredits } from '../../base/units.ts'
import { rewind } from '../../core/pipeline.ts'
import type { NoRoom } from '../../core/plan/stages.ts'
import { FEED_TOKENS, type StageWork } from '../../core/stage-cost.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import { drawing } from './drawing.ts'
import { flowing } from './flowing.ts'
import { askedFor, authorOf, type Post } from './post.ts'
import { roster } from './roster.ts'
import { isOver, type Metering, type SessionPorts, type SessionState } from './session-state.ts'
import { settling } from './settling.ts'
import type { StageAnswer } from './stage-answer.ts'
import { timing } from './timing.ts'

export type Session = ReturnType<typeof session>

export const session = (desk: Desk, s: SessionState, ports: SessionPorts, metering: Metering) => {
  const draws = drawing(s.talk, s.config)
  const times = timing(() => desk.now())

  let ending: 'done' | 'failed' | 'stopped' = 'done'

  const end = (phase: typeof ending, code: string | null, text = '', missing?: NoRoom): void => {
    if (isOver(s) || s.phase === 'settling') return
    s.problem = code === null ? null : { code, text, ...(missing && { missing }) }
    ending = phase
    s.phase = 'settling'
    ports.changed()
    if (s.flow) till.finish()
    else over()
  }

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
    offered: (post) => s.recoveries.found(post),
    ready(post) {
      s.recoveries.loaded(post)
      if (s.phase === 'loading' && s.flow!.lanes.every(({ isReady }) => isReady)) s.phase = 'prompt'
      if (s.phase === 'loading') return ports.changed()
      if (s.flow!.lanes[post.index]!.answered > 0) post.state = 'replaying'
      if (s.phase === 'prompt' && !affords()) return
      stream.pump()
      stream.caughtUp(post)
      ports.changed()
    },
    lost(post, who, code) {
      const replayed = s.flow!.lanes[post.index]!.answered
      if (s.phase === 'prompt' || s.phase === 'tokens') s.recoveries.lost(post, who, code, replayed)
      stream.replaced(post)
      if (code !== 'wrong-result')
        till.left({
          index: post.index,
          who,
          book: post.book,
          asked: post.asked,
          paidThen: post.book.paid(),
        })
      ports.changed()
    },
    failed: (code, text, missing) => end('failed', code, text, missing),
  })

  const till = settling(desk, s, ports, draws.shown, {
    lied(post, at) {
      post.audited = Math.min(post.audited, at)
      const author = authorOf(post, at) ?? post.who
      takeBack(post, at)
      // At the very end of the answer: it is not the end then.
      if (s.phase === 'settling' && ending === 'done') s.phase = 'tokens'
      if (author) condemn(author)
      stream.pump()
      if (s.phase === 'settling') till.finish()
    },
    cannotAudit(detail) {
      const text = `No part of the model can be checked on this device: ${detail}`
      s.problem ??= { code: 'no-audit', text }
      ending = ending === 'done' ? 'failed' : ending
      s.phase = 'settling'
      till.giveUp()
    },
    release: () => crew.release(),
    settled: over,
  })

  const stream = flowing(desk, s, metering, times, {
    counted(isReplay) {
      till.step()
      // What a new node is fed again costs something, too, though no token comes of it.
      if (isReplay && (s.phase === 'prompt' || s.phase === 'tokens')) affords()
    },
    caughtUp: (post) => crew.caughtUp(post),
    drawn: (place, answer) => drawn(place, answer),
    lose: (post, code) => crew.lose(post, code),
    expose: (post) => expose(post),
    contradicted: (post, at) => contradicted(post, at),
    part: (post) => part(post),
  })

  /** It answered what it cannot have computed. */
  const expose = (post: Post): void => {
    if (!post.who) return
    condemn(post.who)
    stream.pump()
  }

  /** A liar has no stage any more, and is paid for none; perhaps it had given its stage to another before. */
  const condemn = ({ account }: Greeted): void => {
    const its = s.posts.filter(({ who }) => who?.account === account)
    const stake = its.reduce((sum, { book }) => sum + book.spent(), 0)
    ports.judged(account, 'wrong', microCredits(stake), 1)
    till.deny(account)
    crew.bar(account)
    for (const post of its) crew.lose(post, 'wrong-result')
  }

  /** From a place on, what a stage answered is forgotten, with all that was made of it. */
  const takeBack = (post: Post, at: number): void => {
    const before = s.flow!.tokens.length
    rewind(s.flow!, post.index, at)
    for (const each of s.posts) {
      const { answered } = s.flow!.lanes[each.index]!
      each.audited = Math.min(each.audited, answered)
      each.authors = each.authors.filter(({ from }) => from < answered)
    }
    if (s.flow!.tokens.length < before) draws.rewound(s.flow!)
  }

  const drawn = (place: number, answer: StageAnswer): void => {
    const flow = s.flow!
    if (place !== flow.tokens.length) return
    times.drawn()
    crew.goesOn()
    if (s.phase === 'prompt') s.phase = 'tokens'
    s.recoveries.goesOn()
    const isLast = draws.draw(flow, answer)
    ports.changed()
    if (isOver(s)) return
    if (isLast) return end('done', null)
    if (s.talk.price > 0 && owes() > ports.funds())
      return end('failed', 'no-credit', 'This account has no credits left for the next token.')
    if (affords()) stream.pump()
  }

  /** Asked before it is fed: what has been done is owed. */
  const affords = (): boolean => {
    const isWithin = spentThen() <= (s.talk.budget ?? Infinity)
    const what = s.phase === 'prompt' ? 'To read the prompt' : 'The next token'
    if (!isWithin) end('failed', 'over-budget', `${what} would cost more than was allowed.`)
    return isWithin
  }

  /** What a stage has to do yet until it has answered all tokens that there are. */
  const ahead = (post: Post): readonly StageWork[] => {
    const [end, most] = [s.flow!.tokens.length, FEED_TOKENS]
    const work: StageWork[] = []
    for (let at = s.flow!.lanes[post.index]!.answered; at < end; at += most) {
      const feed = { at, count: Math.min(most, end - at), replay: false }
      work.push(metering.work(post, feed))
    }
    return work
  }

  const spentThen = (): number =>
    s.posts.reduce((sum, post) => sum + post.paidBefore + post.book.spent(ahead(post)), 0) +
    till.spentLate()

  const spent = (): number =>
    s.posts.reduce((sum, { paidBefore, book }) => sum + paidBefore + book.spent(), 0) +
    till.spentLate()

  const owes = (): number => s.posts.reduce((sum, { book }) => sum + book.spent() - book.paid(), 0)

  /** From now on a stage is fed by us alone. */
  const part = (post: Post): void => {
    post.apart = true
    post.isJoined = false
    for (const each of [s.posts[post.index - 1], post]) crew.tellNeighbours(each)
  }

  /** What one stage says that it sent, the next says that it did not get: one of them lies, so nothing goes between them. */
  const contradicted = (post: Post, at: number): void => {
    part(post)
    takeBack(post, at)
    stream.pump()
  }

  /** What a node says that gave its stage back, about what it did before. */
  const late = (
    who: Greeted,
    head: HeadOf<'staged' | 'unstaged' | 'fed' | 'bill'>,
    body: Uint8Array<ArrayBuffer> | null,
  ): void => {
    const former = till.formerOf(who.peer, head.index)
    if (!former) return
    const asked = head.k === 'fed' ? askedFor(former.asked, head) : -1
    const [feed] = asked === -1 ? [] : former.asked.splice(asked, 1)
    if (feed)
      former.book.answered(metering.work(s.posts[head.index]!, feed), body ?? new Uint8Array(0))
    if (head.k === 'bill') former.book.billed(head, true)
    till.step()
  }

  return {
    state: s,
    has: (who: Greeted, { index }: { readonly index: number }): boolean =>
      !isOver(s) && crew.postOf(who.peer, index) !== null,
    head(
      who: Greeted,
      head: HeadOf<'staged' | 'unstaged' | 'fed' | 'bill'>,
      body: Uint8Array<ArrayBuffer> | null,
    ): void {
      if (isOver(s)) return
      const post = crew.postOf(who.peer, head.index)
      if (!post) return late(who, head, body)
      switch (head.k) {
        case 'staged':
          return crew.staged(post, head)
        case 'unstaged':
          return s.phase === 'settling' ? till.step() : crew.lose(post, head.code)
        case 'fed':
          return stream.fed(post, head, body ?? new Uint8Array(0))
        case 'bill':
          // It has the stage again, and had not billed what it did before.
          if (till.formerOf(who.peer, head.index)?.book.knows(head)) return late(who, head, body)
          if (!post.book.billed(head, s.phase === 'settling')) return crew.lose(post, 'wrong-bill')
          return till.step()
      }
    },
    welcome(who: Greeted, head: HeadOf<'fed'>): number {
      const has = crew.postOf(who.peer, head.index) ?? till.formerOf(who.peer, head.index)
      return has && head.bytes <= metering.bytes(s.posts[head.index]!, head) ? head.bytes : 0
    },
    gone: (who: Greeted): void =>
      isOver(s) || s.phase === 'settling' ? undefined : crew.gone(who),
    stop: (): void => end('stopped', null),
    fail: (code: string, text: string): void => end('failed', code, text),
    spent,
    times: times.view,
    wake(): void {
      if (isOver(s)) return
      crew.wake()
      till.step()
      stream.hurry()
    },
  }
}

/** A stage of a session and the node that has it now, as the requester sees them. */
import type { Did } from '../../base/ids.ts'
import { microCredits, ms, type MicroCredits, type Ms } from '../../base/units.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Greeted } from '../links.ts'
import type { StageWork } from '../../core/stage-cost.ts'
import { account, type Account } from './bills.ts'
import type { StageView } from './session-view.ts'

export type Post = {
  readonly index: number
  readonly from: number
  readonly to: number
  who: Greeted | null
  state: StageView['state']
  heardAt: Ms
  /** Something came of it, or was first asked of it. */
  movedAt: Ms
  permille: number
  /** The furthest that it has said it is with being loaded. */
  reached: number
  here: number
  given: number
  others: number
  /** The stage before feeds it by itself, or will. */
  isJoined: boolean
  /** The stage before and this one have contradicted each other: neither feeds the other any more. */
  apart: boolean
  book: Account
  /** Paid to nodes that had the stage before. */
  paidBefore: number
  /** Places that audits have found right. */
  audited: number
  audits: number
  readonly computeMs: number[]
  /** Fed to it by us or, as that one says, by the stage before, and not answered. */
  asked: Asked[]
  /** Who has answered from which place on. */
  authors: readonly Author[]
  /** It was fed again what it had answered before, by us or by others. */
  setBacks: number
  /** Answers that may be about what an earlier node of the stage before had said. */
  doubts: number
  /** Answers whose own input is still on its way to us, and those after them. */
  readonly early: { readonly head: HeadOf<'fed'>; readonly body: Uint8Array<ArrayBuffer> }[]
}

/** An answer is about such a feed, or is none. */
export type Asked = Pick<HeadOf<'feed'>, 'at' | 'count' | 'replay'>
export type Author = { readonly from: number; readonly who: Greeted }

/** More than a stage can have waiting; some are never answered, as what came before them was missing. */
const ASKED_MAX = 64
/** A stage does not change hands so often in one talk. */
const AUTHORS_MAX = 64

/** Answers that wait for what they were made from. */
export const EARLY_MAX = 4
/** What medians are taken over. */
const RECENT = 32

export const newPost = (
  index: number,
  { from, to }: { readonly from: number; readonly to: number },
  costOf: (sums: StageWork) => MicroCredits,
): Post => ({
  index,
  from,
  to,
  who: null,
  state: 'calling',
  heardAt: ms(0),
  movedAt: ms(0),
  permille: 0,
  reached: -1,
  here: 0,
  given: 0,
  others: 0,
  isJoined: false,
  apart: false,
  book: account(costOf),
  paidBefore: 0,
  audited: 0,
  audits: 0,
  computeMs: [],
  asked: [],
  authors: [],
  setBacks: 0,
  doubts: 0,
  early: [],
})

/** Somebody has it from now on, or nobody. */
export const assign = (
  post: Post,
  who: Greeted | null,
  now: Ms,
  costOf: (sums: StageWork) => MicroCredits,
): void => {
  post.paidBefore += post.book.paid()
  Object.assign(post, {
    who,
    state: who === null ? 'lost' : 'fetching',
    heardAt: now,
    movedAt: now,
    permille: 0,
    reached: -1,
    here: 0,
    given: 0,
    others: 0,
    book: account(costOf),
    asked: [],
    setBacks: 0,
    early: [],
  })
  post.computeMs.length = 0
}

export const noteAsked = ({ asked }: Post, { at, count, replay }: Asked): void => {
  asked.push({ at, count, replay })
  if (asked.length > ASKED_MAX) asked.shift()
}

/** Which of what was asked an answer is about; -1 for none. */
export const askedFor = (
  asked: readonly Asked[],
  { at, count, bytes }: Pick<HeadOf<'fed'>, 'at' | 'count' | 'bytes'>,
): number =>
  asked.findIndex((each) => each.at === at && each.count === count && each.replay === (bytes === 0))

/** It has answered something that nobody had before. */
export const noteAuthor = (post: Post, from: number): void => {
  const { who, authors } = post
  if (who === null || authors.at(-1)?.who.account === who.account) return
  post.authors = [...authors, { from, who }].slice(-AUTHORS_MAX)
}

export const authorOf = ({ authors }: Post, place: number): Greeted | null =>
  authors.findLast(({ from }) => from <= place)?.who ?? null

export const noteTime = (list: number[], value: number): void => {
  list.push(value)
  if (list.length > RECENT) list.shift()
}

export const median = (list: readonly number[]): number | null =>
  list.length === 0 ? null : list.toSorted((a, b) => a - b)[list.length >> 1]!

export const viewOfPost = (post: Post): StageView => ({
  index: post.index,
  from: post.from,
  to: post.to,
  node: post.who?.account ?? (null as Did | null),
  state: post.state,
  permille: post.permille,
  here: post.here,
  given: post.given,
  others: post.others,
  computeMs: median(post.computeMs),
  audited: post.audits,
  microCredits: microCredits(post.paidBefore + post.book.spent()),
  paid: microCredits(post.paidBefore + post.book.paid()),
})

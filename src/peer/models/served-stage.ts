/** A stage that this node has for somebody's session: what was agreed, how far it is, and what is fed to it. */
import type { Cid, Did, JobId, PeerId } from '../../base/ids.ts'
import type { Ms } from '../../base/units.ts'
import { NO_WORK, type CostedModel, type StageWork } from '../../core/stage-cost.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Neighbour } from '../../wire/model-heads.ts'
import type { Greeted } from '../links.ts'
import type { Fetched } from './leaf-exchange.ts'
import { NO_ANSWERS } from './stage-part.ts'

export const HOST_LIMITS = {
  /** Each has weights and tables in memory; more talks would only make all of them slow. */
  stages: 8,
  /** Two are kept for those who pay: names cost nothing, and could take all of them. */
  freeStages: 6,
  perRequester: 6,
  /** Feeds that wait for one stage: a prompt comes in runs, and each is as large as 128 rows. */
  feeds: 4,
  /** And by the stage before, so that there is always room for its requester. */
  feedsPassed: 2,
  /** A third of a requester's patience, as for tasks. */
  beatMs: 2_000,
  /** Loading is told this often at most. */
  progressMs: 250,
  /** A requester whose link broke has so long to come back. */
  goneMs: 30_000,
  /** Nobody holds memory without using it. */
  idleMs: 600_000,
  /** Bills that may be unpaid before feeds wait, and how long they wait then. */
  unpaid: 2,
  unpaidMs: 30_000,
  /** Stages closed lately, whose feeds may still be under way. */
  late: 32,
  /** A neighbour that cannot be reached is tried again after so long. */
  dialMs: 10_000,
  /** A next stage that hung up so often after it was fed is left to the requester: perhaps it is none. */
  hangUps: 3,
} as const

export type Feed = {
  readonly at: number
  readonly count: number
  readonly replay: boolean
  readonly input: readonly number[] | Uint8Array<ArrayBuffer>
  /** By the stage before, and not by its requester. */
  readonly isPassed: boolean
}

export type Served = {
  readonly key: string
  readonly session: string
  readonly index: number
  readonly job: JobId
  readonly title: string
  readonly model: Cid
  readonly from: number
  readonly to: number
  readonly places: number
  readonly price: number
  /** What its requester wants to be answered after the last layer. */
  readonly top: number
  readonly whole: number
  readonly requester: Did
  /** Its link, or the last one. */
  who: Greeted
  /** Since when it has no link. */
  goneAt: Ms | null
  previous: Neighbour | null
  /** Who fed it before that, and may not have heard of it yet. */
  before: PeerId | null
  next: Neighbour | null
  dialledAt: Ms
  /** Links to the next stage that ended after something was passed on by them. */
  hangUps: number
  /** Something was passed on by the link that there is. */
  hasPassed: boolean
  state: 'fetching' | 'loading' | 'ready'
  isClosed: boolean
  fetched: Fetched
  toldAt: Ms
  /** Null until the manifest is here. */
  costed: CostedModel | null
  /** What the engine calls its layers; sessions with the same share them. */
  readonly layers: string
  weightBytes: number
  /** Of keys and values, and of rows that wait. */
  tableBytes: number
  /** Of several that share weights, one holds the memory for them. */
  holdsWeights: boolean
  /** Undoes what was begun to bring it here. */
  release: () => void
  readonly feeds: Feed[]
  /** Bodies that were welcomed and are not here yet. */
  readonly coming: Map<PeerId, number>
  isStepping: boolean
  usedAt: Ms
  /** Tokens of the talk that its tables have. */
  known: number
  /** Done since the last bill. */
  work: StageWork
  workFeeds: number
  computeMs: number
  part: number
  answers: Uint8Array<ArrayBuffer>
  /** Of bills that are not paid, by the name of what is at stake; false until it is on disk. */
  readonly bills: Map<string, boolean>
  /** Since when feeds wait for a payment. */
  unpaidSince: Ms | null
}

export const servedStage = (key: string, who: Greeted, head: HeadOf<'stage'>, now: Ms): Served => ({
  key,
  session: head.session,
  index: head.index,
  job: head.job,
  title: head.title,
  model: head.model,
  from: head.from,
  to: head.to,
  places: head.places,
  price: head.price,
  top: head.top,
  whole: head.whole,
  requester: who.account,
  who,
  goneAt: null,
  previous: head.previous,
  before: null,
  next: head.next,
  dialledAt: Number.NEGATIVE_INFINITY as Ms,
  hangUps: 0,
  hasPassed: false,
  state: 'fetching',
  isClosed: false,
  fetched: { permille: 0, here: 0, given: 0, others: 0 },
  toldAt: now,
  costed: null,
  layers: `${head.model} ${head.from}-${head.to}`,
  weightBytes: 0,
  tableBytes: 0,
  holdsWeights: false,
  release: () => undefined,
  feeds: [],
  coming: new Map(),
  isStepping: false,
  usedAt: now,
  known: 0,
  work: NO_WORK,
  workFeeds: 0,
  computeMs: 0,
  part: 0,
  answers: NO_ANSWERS,
  bills: new Map(),
  unpaidSince: null,
})

/** Whether it is asked for once more, as it was. */
export const isSame = (stage: Served, head: HeadOf<'stage'>): boolean =>
  stage.model === head.model &&
  stage.from === head.from &&
  stage.to === head.to &&
  stage.places === head.places &&
  stage.price === head.price &&
  stage.top === head.top &&
  stage.whole === head.whole

/** Who may feed it. */
export const mayFeed = (stage: Served, { account, peer }: Greeted): boolean =>
  account === stage.requester || peer === stage.previous?.peer

/** Names of sessions are their requester's own: whoever has heard of one may open another of that name. */
export const keyOf = (
  requester: Did,
  { session, index }: Pick<Served, 'session' | 'index'>,
): string => `${requester}/${session}/${index}`

/** The stage that a feed is for, where this node may feed it. */
export const fedStage = (
  among: ReadonlyMap<string, Served>,
  who: Greeted,
  head: HeadOf<'feed'>,
  isOne: (stage: Served, who: Greeted) => boolean = mayFeed,
): Served | undefined => {
  const stage = among.get(keyOf(head.requester ?? who.account, head))
  return stage && isOne(stage, who) ? stage : undefined
}

/**
 * Whether a feed of [at, ...) may wait, too, besides those that are coming by the same link. What waits of a
 * requester from there on it replaces.
 */
export const hasRoom = (stage: Served, { account, peer }: Greeted, at: number): boolean => {
  const isPassed = account !== stage.requester
  const own = stage.feeds.filter((feed) => feed.isPassed === isPassed && (isPassed || feed.at < at))
  const most = isPassed ? HOST_LIMITS.feedsPassed : HOST_LIMITS.feeds
  return own.length + (stage.coming.get(peer) ?? 0) < most
}

/** Bytes that a feed of so many tokens has; 0 where it has none, null where that is not known yet. */
export const feedBytes = ({ from, costed }: Served, count: number): number | null => {
  if (from === 0) return 0
  return costed === null ? null : 4 * count * costed.shape.width
}

/** What was fed; null where it cannot be a feed of this stage. */
export const readFeed = (
  stage: Served,
  { account }: Greeted,
  { at, count, tokens, replay }: HeadOf<'feed'>,
  body: Uint8Array<ArrayBuffer> | null,
): Feed | null => {
  const bytes = feedBytes(stage, count)
  if (bytes === null || at + count > stage.places || (body?.byteLength ?? 0) !== bytes) return null
  if (tokens.length !== (stage.from === 0 ? count : 0)) return null
  const { vocabulary } = stage.costed!.shape
  if (tokens.some((token) => token >= vocabulary)) return null
  const isPassed = account !== stage.requester
  return { at, count, replay, input: stage.from === 0 ? tokens : body!, isPassed }
}

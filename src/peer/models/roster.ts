/**
 * Who has which stage: nodes are gathered, layers spread over them, and where one leaves, lies or falls silent
 * another takes its stage. A stage that is new knows nothing, so nobody feeds it but us until it has caught up.
 */
import type { Did, PeerId } from '../../base/ids.ts'
import { ms } from '../../base/units.ts'
import { openPipeline, replaceNode } from '../../core/pipeline.ts'
import { planReplacement, planStages, STAGES_MAX, type NoRoom } from '../../core/plan/stages.ts'
import type { Neighbour } from '../../wire/model-heads.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import { candidates } from './candidates.ts'
import { assign, newPost, type Post } from './post.ts'
import { isOver, type Metering, type SessionPorts, type SessionState } from './session-state.ts'

export const ROSTER_LIMITS = {
  /** Others may be on their way while the first are here. */
  gatherMs: 4_000,
  /** Nodes with room may still come. */
  roomMs: 20_000,
  /** Nobody at all. */
  nobodyMs: 60_000,
  /** Four missed beats; two of one that was fed and has not answered. */
  silenceMs: 8_000,
  waitingMs: 5_000,
  /** It says that it is there, and comes no further with being loaded. */
  stuckMs: 90_000,
  /** A stage that is lost is looked for elsewhere for so long, and so often before the next token. */
  vacantMs: 60_000,
  offers: 12,
} as const

const STEPS: readonly HeadOf<'staged'>['state'][] = ['fetching', 'loading', 'ready']

export type RosterEvents = {
  /** Nodes were found; weights are on their way. */
  planned(): void
  /** Somebody was asked to take a stage. */
  offered(post: Post): void
  /** A stage is ready to be fed. */
  ready(post: Post): void
  /** A node does not have its stage any more. */
  lost(post: Post, who: Greeted, code: string): void
  failed(code: string, text: string, missing?: NoRoom): void
}

export const roster = (
  desk: Desk,
  s: SessionState,
  ports: SessionPorts,
  metering: Metering,
  events: RosterEvents,
) => {
  const blocks = s.manifest.body.blocks.length
  const able = candidates(desk, ports.leaves(), s.model, blocks, ports.linked, () => look())
  /** When the first node that takes a stage was seen. */
  let firstAt: number | null = null
  /** Since when each stage has nobody. */
  const vacant = new Map<number, number>()
  /** Since the last token. */
  let offers = 0
  /** Why a stage was given back last. */
  let lastCode = ''

  const tell = (post: Post, head: HeadOf<'stage' | 'neighbours' | 'unstage'>): void => {
    if (post.who) desk.send(post.who.peer, head, null)
  }
  const name = (post: Post): { session: string; index: number } => ({
    session: s.id,
    index: post.index,
  })
  const neighbour = (post: Post | undefined): Neighbour | null =>
    post?.who
      ? { peer: post.who.peer, relay: ports.relayOf(post.who.account) ?? desk.relay() ?? '' }
      : null
  const before = (post: Post): Post | undefined => s.posts[post.index - 1]
  const after = (post: Post): Post | undefined => s.posts[post.index + 1]

  /** Whom a stage feeds: only one that has caught up, and that it has not contradicted. */
  const nextOf = (post: Post): Neighbour | null => {
    const next = after(post)
    return next?.isJoined === true && !next.apart ? neighbour(next) : null
  }

  /** Who may feed it besides us. */
  const previousOf = (post: Post): Neighbour | null => (post.apart ? null : neighbour(before(post)))

  const tellNeighbours = (post: Post | undefined): void => {
    if (!post) return
    const [previous, next] = [previousOf(post), nextOf(post)]
    tell(post, { k: 'neighbours', ...name(post), previous, next })
  }

  const offer = (post: Post, who: Greeted): void => {
    offers += 1
    assign(post, who, desk.now(), metering.cost)
    vacant.delete(post.index)
    events.offered(post)
    // It takes nothing on credit from one whose money it has not seen.
    if (s.talk.price > 0) ports.showChain(who.peer)
    // It may have it still, from before a link broke; what is counted begins anew.
    tell(post, { k: 'unstage', ...name(post) })
    tell(post, {
      k: 'stage',
      ...name(post),
      job: s.talk.job,
      title: s.talk.title.slice(0, 80),
      model: s.model,
      from: post.from,
      to: post.to,
      places: Math.min(s.config.context, s.talk.promptIds.length + s.talk.tokens),
      price: s.talk.price,
      ...s.answers,
      previous: previousOf(post),
      next: nextOf(post),
    })
  }

  const whoIs = (node: Did): Greeted | undefined =>
    ports.linked().find(({ account }) => account === node)

  const plan = (): NoRoom | null => {
    const planned = planStages(s.size, able.able(), s.talk.stages)
    if (!planned.ok) return planned.error
    s.posts = planned.value.map((range, index) => newPost(index, range, metering.cost))
    s.flow = openPipeline(s.talk.promptIds, s.config.width, s.posts.length)
    for (const post of s.posts) post.isJoined = true
    for (const [i, { node }] of planned.value.entries()) {
      const who = whoIs(node)
      if (who) s.posts[i]!.who = who
    }
    events.planned()
    for (const post of s.posts) if (post.who) offer(post, post.who)
    return null
  }

  const wanted = (): number => Math.min(s.talk.stages ?? STAGES_MAX, s.config.layers)

  const gather = (): void => {
    const found = able.able()
    const now = desk.now()
    if (found.length === 0) {
      if (now - s.beganAt > ROSTER_LIMITS.nobodyMs)
        events.failed('nobody-came', 'No node came that takes a part of the model.')
      return
    }
    firstAt ??= now
    if (now < firstAt + ROSTER_LIMITS.gatherMs) desk.wake(ms(firstAt + ROSTER_LIMITS.gatherMs))
    const isAll = able.haveAnswered() && !ports.moreToCome()
    if (found.length < wanted() && !isAll && now - firstAt < ROSTER_LIMITS.gatherMs) return
    const missing = plan()
    if (missing && now - firstAt > ROSTER_LIMITS.roomMs)
      events.failed('no-room', inWords(missing), missing)
  }

  /** Somebody else takes a stage that nobody has. */
  const fill = (): void => {
    if (s.phase === 'settling' || isOver(s)) return
    for (const post of s.posts) {
      if (post.who) continue
      const since = vacant.get(post.index) ?? desk.now()
      vacant.set(post.index, since)
      if (offers >= ROSTER_LIMITS.offers * s.posts.length)
        return events.failed(
          'no-nodes',
          `The nodes that are there do not take it${because(lastCode)}.`,
        )
      const node = planReplacement(s.size, post, able.able())
      const who = node && whoIs(node)
      if (who) {
        offer(post, who)
        tellNeighbours(after(post))
      } else if (isSpent(post)) return events.failed('free-tier-used-up', NOTHING_FREE)
      else if (desk.now() - since > ROSTER_LIMITS.vacantMs)
        events.failed(
          'no-replacement',
          `The node with ${layersOf(post)} was lost, and no other takes its place${because(lastCode)}.`,
        )
    }
  }

  /** Nobody who could take it has anything left to give away: waiting a minute would not change that. */
  const isSpent = (post: Post): boolean =>
    s.talk.price === 0 &&
    able.areSpent() &&
    able.haveAnswered() &&
    !ports.moreToCome() &&
    planReplacement(s.size, post, able.unspent()) === null

  const look = (): void => {
    if (s.phase === 'calling') gather()
    else fill()
  }

  const lose = (post: Post, code: string): void => {
    const { who } = post
    if (!who) return
    lastCode = code
    tell(post, { k: 'unstage', ...name(post) })
    able.rest(who.account, code)
    if (s.flow) replaceNode(s.flow, post.index)
    post.isJoined = false
    events.lost(post, who, code)
    assign(post, null, desk.now(), metering.cost)
    tellNeighbours(before(post))
    able.look()
    fill()
  }

  /** Why it is not waited for any longer. */
  const overdue = (post: Post): string | null => {
    if (s.phase === 'settling') return null
    const now = desk.now()
    const lane = s.flow?.lanes[post.index]
    const isReady = lane?.isReady === true
    const isWaiting = isReady && lane.known < lane.fed
    const patience = isWaiting ? ROSTER_LIMITS.waitingMs : ROSTER_LIMITS.silenceMs
    if (now - post.heardAt >= patience) return 'silent'
    return !isReady && now - post.movedAt > ROSTER_LIMITS.stuckMs ? 'stalled' : null
  }

  /** A silence ends with nothing that would call us: it has to be looked for in time. */
  const listen = (): void => {
    const { waitingMs, silenceMs } = ROSTER_LIMITS
    for (const { who, heardAt } of s.posts) {
      const isLong = desk.now() >= heardAt + waitingMs
      if (who && s.phase !== 'settling') desk.wake(ms(heardAt + (isLong ? silenceMs : waitingMs)))
    }
  }

  return {
    tellNeighbours,
    lose,
    /** It lied: it gets no stage of this session any more. */
    bar: (node: Did): void => able.bar(node),
    /** A token came: those that have stages now make something of them. */
    goesOn: (): void => void (offers = 0),
    staged(post: Post, head: HeadOf<'staged'>): void {
      const { permille, here, given, others } = head
      Object.assign(post, { permille, here, given, others, heardAt: desk.now() })
      const reached = STEPS.indexOf(head.state) * 1_001 + permille
      if (reached > post.reached) Object.assign(post, { reached, movedAt: desk.now() })
      const lane = s.flow?.lanes[post.index]
      if (!lane || lane.isReady) return
      post.state = head.state
      if (head.state !== 'ready') return
      lane.isReady = true
      post.movedAt = desk.now()
      events.ready(post)
    },
    /** It may be fed by the stage before it from now on. */
    caughtUp(post: Post): void {
      if (post.isJoined || post.apart) return
      post.isJoined = true
      tellNeighbours(before(post))
    },
    gone(who: Greeted): void {
      for (const post of s.posts) if (post.who?.peer === who.peer) lose(post, 'gone')
    },
    postOf: (peer: PeerId, index: number): Post | null => {
      const post = s.posts[index]
      return post?.who?.peer === peer ? post : null
    },
    release(): void {
      for (const post of s.posts) tell(post, { k: 'unstage', ...name(post) })
    },
    wake(): void {
      const isWaiting = s.phase === 'calling' || s.posts.some(({ who }) => who === null)
      if (isWaiting) able.look()
      for (const post of s.posts) {
        const code = post.who && overdue(post)
        if (code !== null) lose(post, code)
      }
      look()
      listen()
    },
  }
}

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`

/** The layer is told as a person counts it, from 1. */
const inWords = ({ needed, room, layer, largest, roomiest }: NoRoom): string => {
  const lent = `The nodes that are there lend ${mib(room)} together`
  if (largest > roomiest)
    return `No node has enough memory: layer ${layer + 1} needs ${mib(largest)}, and the largest that anyone lends is ${mib(roomiest)}.`
  return needed > room
    ? `${lent}, ${mib(roomiest)} at most each; the model needs ${mib(needed)}.`
    : `${lent}, but in parts of ${mib(roomiest)} at most that layers of up to ${mib(largest)} do not fill.`
}

/** Layers as a person counts them: from 1, both ends included. */
const layersOf = ({ from, to }: Pick<Post, 'from' | 'to'>): string =>
  to - from === 1 ? `layer ${to}` : `layers ${from + 1} to ${to}`

const because = (code: string): string => (code === '' ? '' : ` (${code})`)

const NOTHING_FREE =
  'What the nodes that are there give away is used up for now. It comes back little by little, all of it within an hour. With a budget it goes on at once; whoever lends a device earns credits for that.'

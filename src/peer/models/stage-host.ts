/**
 * The serving side of a model: layers held ready for the sessions of others, fed and answered token by token. Here
 * stages are taken, told of, and given back.
 */
import { bytes as byteCount, ms, type Bytes } from '../../base/units.ts'
import { remember } from '../../core/recent.ts'
import { costOfWork, type StageWork } from '../../core/stage-cost.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Neighbour, StageTrouble } from '../../wire/model-heads.ts'
import type { OfferRefusal } from '../../core/serve.ts'
import type { Debts } from '../debts.ts'
import type { Desk } from '../desk.ts'
import type { Donor } from '../donor.ts'
import type { Gate } from '../gate.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'
import type { LeafExchange } from './leaf-exchange.ts'
import { fedStage, HOST_LIMITS, isSame, keyOf, servedStage, type Served } from './served-stage.ts'
import { stageBills } from './stage-bills.ts'
import { keepFeeds, stageFeeding } from './stage-feeding.ts'
import { stageOpening } from './stage-opening.ts'
import { STAGE_KERNEL } from './stage-part.ts'

export type StageHead = HeadOf<'stage' | 'neighbours' | 'feed' | 'unstage'>

/** Of what is lent: as much of a model's files as that has room for on a processor (src/models/device-bytes.ts). */
const PROCESSOR_PART = 0.4

export type StageHostEvents = {
  linked(): readonly Greeted[]
  changed(): void
}

export const stageHost = (
  desk: Desk,
  door: Gate,
  lender: Donor,
  debts: () => Debts,
  leaves: () => LeafExchange,
  events: StageHostEvents,
) => {
  const held = new Map<string, Served>()
  /** Closed lately: what was fed to them may still be under way, and is thrown away. */
  const late = new Map<string, Served>()
  let nextBeat = ms(0)

  const tell = (stage: Served): void => {
    const { session, index, state, fetched } = stage
    stage.toldAt = desk.now()
    if (stage.goneAt !== null) return
    desk.send(stage.who.peer, { k: 'staged', session, index, state, ...fetched }, null)
  }

  const memoryOf = (stage: Served): number =>
    stage.tableBytes + (stage.holdsWeights ? stage.weightBytes : 0)

  /** Those that share its weights. */
  const beside = (stage: Served): Served[] =>
    [...held.values()].filter((other) => other !== stage && other.layers === stage.layers)

  /** Lets go of all that it has here; the last one of those that share weights takes them with it. */
  const close = (stage: Served): void => {
    stage.isClosed = true
    held.delete(stage.key)
    stage.feeds.length = 0
    stage.release()
    desk.forgetStage(stage.layers, stage.key)
    door.settled(stage.key)
    const [heir] = beside(stage)
    if (!heir) desk.closeStage(stage.layers)
    else if (stage.holdsWeights) {
      heir.holdsWeights = true
      door.resized(heir.key, memoryOf(heir))
    }
    remember(late, stage.key, stage, HOST_LIMITS.late)
    bills.bill(stage)
    events.changed()
    // An owner who finishes waits for the last one.
    desk.wake(desk.now())
  }

  const giveBack = (stage: Served, code: StageTrouble): void => {
    if (stage.isClosed) return
    const { session, index } = stage
    desk.send(stage.who.peer, { k: 'unstaged', session, index, code }, null)
    close(stage)
  }

  const gave = ({ price }: Served, work: StageWork, computeMs: number): boolean =>
    price > 0 || door.gave(costOfWork(work), computeMs)

  const bills = stageBills(desk, door, lender, debts)
  const feeding = stageFeeding(desk, bills, {
    share: () => lender.limits().share,
    linked: events.linked,
    gave,
    giveBack,
  })
  const opening = stageOpening(desk, lender, leaves, {
    sized(stage) {
      stage.holdsWeights = !beside(stage).some(({ holdsWeights }) => holdsWeights)
      return door.resized(stage.key, memoryOf(stage))
    },
    came(stage) {
      const isNews = stage.fetched.permille === 1_000 || stage.state === 'ready'
      if (isNews || stage.toldAt + HOST_LIMITS.progressMs <= desk.now()) tell(stage)
      events.changed()
    },
    gave,
    giveBack,
  })

  const dial = (stage: Served): void => {
    const { next } = stage
    if (next === null || next.peer === desk.self) return
    if (stage.hangUps >= HOST_LIMITS.hangUps) return
    if (events.linked().some(({ peer }) => peer === next.peer)) return
    if (stage.dialledAt + HOST_LIMITS.dialMs > desk.now()) return
    stage.dialledAt = desk.now()
    desk.connect(next.peer, next.relay)
  }

  const refusal = (who: Greeted, head: HeadOf<'stage'>): StageTrouble | null => {
    const own = [...held.values()].filter(({ requester }) => requester === who.account)
    const most = head.price > 0 ? HOST_LIMITS.stages : HOST_LIMITS.freeStages
    if (held.size >= most || own.length >= HOST_LIMITS.perRequester) return 'busy'
    if (head.from >= head.to) return 'bad-model'
    const code = door.judgeLasting(keyOf(who.account, head), {
      requester: who.account,
      kernel: STAGE_KERNEL,
      memoryBytes: leastBytes(head),
      priceMilli: head.price,
    })
    return code && troubleFor(code)
  }

  const offer = (who: Greeted, head: HeadOf<'stage'>): void => {
    const key = keyOf(who.account, head)
    const known = held.get(key)
    // Its requester came back and asks again.
    if (known) return isSame(known, head) ? renew(known, who, head) : giveBack(known, 'bad-model')
    const code = refusal(who, head)
    const { session, index } = head
    if (code) return desk.send(who.peer, { k: 'unstaged', session, index, code }, null)
    const stage = servedStage(key, who, head, desk.now())
    held.set(key, stage)
    late.delete(key)
    tell(stage)
    dial(stage)
    if (nextBeat <= desk.now()) nextBeat = ms(desk.now() + HOST_LIMITS.beatMs)
    desk.wake(nextBeat)
    events.changed()
    opening.open(stage)
  }

  const renew = (
    stage: Served,
    who: Greeted,
    { previous, next }: Pick<Served, 'previous' | 'next'>,
  ): void => {
    back(stage, who)
    place(stage, previous, next)
    tell(stage)
  }

  const place = (stage: Served, previous: Neighbour | null, next: Neighbour | null): void => {
    if (next?.peer !== stage.next?.peer) {
      // Soon, but not at once each time: whoever says so could have others called by us.
      const dialledAt = Math.min(
        stage.dialledAt,
        desk.now() + HOST_LIMITS.beatMs - HOST_LIMITS.dialMs,
      )
      Object.assign(stage, { dialledAt, hasPassed: false })
    }
    if (previous?.peer !== stage.previous?.peer) {
      stage.before = stage.previous?.peer ?? stage.before
      keepFeeds(stage, ({ isPassed }) => !isPassed)
    }
    stage.previous = previous
    stage.next = next
    dial(stage)
  }

  /** Its requester is there, perhaps by another link than before. */
  const back = (stage: Served, who: Greeted): void => {
    stage.who = who
    stage.goneAt = null
    feeding.work(stage)
  }

  const fed = (who: Greeted, head: HeadOf<'feed'>, body: Uint8Array<ArrayBuffer> | null): void => {
    const stage = fedStage(held, who, head)
    if (!stage) return
    if (who.account === stage.requester) back(stage, who)
    feeding.feed(stage, who, head, body)
  }

  const overdue = (stage: Served): StageTrouble | null => {
    const now = desk.now()
    if (!lender.willing()) return 'handed-back'
    if (stage.goneAt !== null && stage.goneAt + HOST_LIMITS.goneMs <= now) return 'closed'
    if (stage.unpaidSince !== null && stage.unpaidSince + HOST_LIMITS.unpaidMs <= now)
      return 'unpaid'
    return stage.usedAt + HOST_LIMITS.idleMs <= now ? 'closed' : null
  }

  const look = (stage: Served): void => {
    const link = events.linked().find(({ account }) => account === stage.requester)
    if (link && stage.goneAt !== null) back(stage, link)
    // A payment may have come.
    if (stage.unpaidSince !== null) feeding.work(stage)
    const code = overdue(stage)
    if (code) giveBack(stage, code)
  }

  return {
    head(who: Greeted, head: StageHead, body: Uint8Array<ArrayBuffer> | null): void {
      const own = held.get(keyOf(who.account, head))
      switch (head.k) {
        case 'stage':
          return offer(who, head)
        case 'feed':
          return fed(who, head, body)
        case 'neighbours':
          return own && place(own, head.previous, head.next)
        case 'unstage':
          return own && close(own)
      }
    },
    welcome(who: Greeted, head: HeadOf<'feed'>): number {
      const stage = fedStage(held, who, head)
      if (stage) return feeding.welcome(stage, who, head)
      const before =
        fedStage(late, who, head) ??
        fedStage(held, who, head, ({ before: it }, { peer }) => it === peer)
      const width = before?.costed?.shape.width ?? 0
      return head.bytes === 4 * head.count * width ? head.bytes : 0
    },
    gone(who: Greeted): void {
      for (const stage of held.values()) {
        stage.coming.delete(who.peer)
        if (stage.who.peer === who.peer) stage.goneAt = desk.now()
        if (stage.next?.peer !== who.peer || !stage.hasPassed) continue
        stage.hangUps += 1
        stage.hasPassed = false
      }
    },
    /** Its owner stops: nothing more is computed. */
    handBack(): void {
      for (const stage of [...held.values()]) giveBack(stage, 'handed-back')
    },
    wake(): void {
      for (const stage of [...held.values()]) look(stage)
      if (held.size === 0) return
      if (desk.now() >= nextBeat) {
        nextBeat = ms(desk.now() + HOST_LIMITS.beatMs)
        for (const stage of held.values()) {
          tell(stage)
          dial(stage)
        }
      }
      desk.wake(nextBeat)
    },
    /** What it would take for one more stage now. */
    room: (): { readonly room: number; readonly speed: number } => {
      const takes = lender.willing() && lender.runs(STAGE_KERNEL) && held.size < HOST_LIMITS.stages
      const engine = lender.capability()?.graphs.engine
      const part = engine === 'wasm' || engine === 'reference' ? PROCESSOR_PART : 1
      return { room: takes ? Math.floor(part * door.room()) : 0, speed: lender.speed() }
    },
    /** How many stages are held ready. */
    held: (): number => held.size,
    sizes(): Size[] {
      const waiting = [...held.values()].map(({ feeds }) => feeds.length)
      return [
        { what: 'stages', held: held.size, limit: HOST_LIMITS.stages },
        {
          what: 'feeds of a stage',
          held: Math.max(0, ...waiting),
          limit: HOST_LIMITS.feeds + HOST_LIMITS.feedsPassed,
        },
        { what: 'stages closed lately', held: late.size, limit: HOST_LIMITS.late },
      ]
    },
  }
}

/** Before the manifest is here: one number of a key and one of a value for each place and layer. */
const leastBytes = ({ from, to, places }: HeadOf<'stage'>): Bytes =>
  byteCount((to - from) * places * 2 * 4)

/** Shaders of one's own are the only refusal that stages do not know. */
const troubleFor = (code: OfferRefusal): StageTrouble =>
  code === 'wgsl-not-allowed' ? 'no-skill' : code

/**
 * The working side of a node: offers in, results out, credit earned. One task computes at a time while
 * the next one's inputs arrive; every lease beats, so that the requester knows it is alive.
 */
import { tensorBytes } from '../../kernels/kernel.ts'
import { ms, type MicroCredits } from '../base/units.ts'
import { remember } from '../core/recent.ts'
import { SERVE_LIMITS } from '../core/serve.ts'
import type { HeadOf, Refusal } from '../wire/messages.ts'
import { debts, type Debts } from './debts.ts'
import { delivery } from './delivery.ts'
import type { Desk } from './desk.ts'
import { appraise, type Held } from './held.ts'
import type { Gate } from './gate.ts'
import type { Greeted } from './links.ts'
import { inputCache } from './input-cache.ts'
import type { Size } from './size.ts'

export const WORKER_LIMITS = {
  /** A third of the requester's patience (LEASE_LIMITS.silenceMs). */
  beatMs: 2_000,
  /** Inputs must be here by then, or the lease is handed back. */
  fetchMs: 60_000,
  late: 64,
  /** Bytes of inputs kept for later tasks that read the same (rows of a matrix, for example). */
  cacheBytes: 128 * 1024 * 1024,
} as const

export type WorkerEvents = {
  share(): number
  finished(computeMs: number, microCredits: MicroCredits): void
  handedBack(): void
  changed(): void
}

export type Worker = ReturnType<typeof worker>

export const worker = (desk: Desk, door: Gate, events: WorkerEvents) => {
  const held = new Map<string, Held>()
  const owed = debts(desk, { closed: door.settled, payment: door.notePayment })
  const cache = inputCache(WORKER_LIMITS.cacheBytes)
  /** Leases given up lately whose inputs may already be under way: expected, and thrown away. */
  const late = new Map<string, Held>()
  let nextBeat = ms(0)

  const keyOf = (who: Greeted, lease: number): string => `${who.peer}/${lease}`

  const release = (item: Held): void => {
    held.delete(item.key)
    if (item.state === 'computing') desk.cancelCompute(item.key)
    if (item.state === 'fetching') remember(late, item.key, item, WORKER_LIMITS.late)
    if (item.state === 'delivered') return
    if (item.result) owed.refused(item.key)
    door.cancelled(item.key, item.permille)
  }

  /** All at once, and only then is something else begun: who stops must not begin the next task first. */
  const letGo = (...items: readonly Held[]): void => {
    for (const item of items) release(item)
    events.changed()
    work()
  }

  const giveUp = (items: readonly Held[], code: string): void => {
    for (const { who, offer } of items) {
      desk.send(who.peer, { k: 'failed', lease: offer.lease, code }, null)
      events.handedBack()
    }
    letGo(...items)
  }

  const results = delivery(desk, owed, {
    isHeld: (item) => held.get(item.key) === item,
    failed: (item, code) => giveUp([item], code.slice(0, 40)),
    delivered(item, computeMs, cost) {
      door.delivered(item.key)
      events.finished(computeMs, cost)
      letGo(item)
    },
  })

  const work = (): void => {
    const next = door.next((key) => held.get(key)?.state === 'queued')
    if (next !== null) compute(held.get(next)!)
  }

  const compute = (item: Held): void => {
    item.state = 'computing'
    door.begun(item.key)
    events.changed()
    const { offer, key: id } = item
    const inputs = item.inputs.map((input) => input!)
    const task = { id, kernel: offer.kernel, params: offer.params, inputs }
    const beat = (permille: number): void => {
      item.permille = permille
      events.changed()
    }
    desk.compute(task, events.share, beat, (done) => {
      if (held.get(id) !== item) return
      if (!done.ok) return giveUp([item], done.error.code.slice(0, 40))
      door.computed(id)
      // The device goes on while the result is on its way.
      work()
      results.commit(item, done.value)
    })
  }

  const ready = (item: Held): void => {
    if (item.inputs.some((input) => input === null)) return
    item.state = 'queued'
    item.until = ms(Number.MAX_SAFE_INTEGER)
    work()
  }

  const offer = (who: Greeted, head: HeadOf<'offer'>): void => {
    const refuse = (code: Refusal): void =>
      desk.send(who.peer, { k: 'refuse', lease: head.lease, code }, null)
    const key = keyOf(who, head.lease)
    // A lease that anything is still at stake for keeps its number, or the next would wipe it out.
    if (held.has(key) || door.has(key) || owed.has(key)) return refuse('bad-task')
    const asked = appraise(head, door.allowsWgsl())
    if (typeof asked === 'string') return refuse(asked)
    const { kernel, cost, memoryBytes } = asked
    const code = door.judge(who.account, key, head, kernel, cost, memoryBytes)
    if (code) return refuse(code)
    const inputs = head.reads.map((read) => cache.get(read.cid!))
    const item: Held = {
      key,
      who,
      offer: head,
      cost,
      flop: asked.flop,
      bytes: asked.bytes,
      inputs,
      startedAt: desk.now(),
      state: 'fetching',
      until: ms(desk.now() + WORKER_LIMITS.fetchMs),
      permille: 0,
      result: null,
    }
    held.set(key, item)
    const need = inputs.flatMap((input, slot) => (input === null ? [slot] : []))
    desk.send(who.peer, { k: 'accept', lease: head.lease, need }, null)
    if (nextBeat <= desk.now()) nextBeat = ms(desk.now() + WORKER_LIMITS.beatMs)
    desk.wake(nextBeat)
    events.changed()
    ready(item)
  }

  const tensor = (who: Greeted, head: HeadOf<'tensor'>, body: Uint8Array<ArrayBuffer>): void => {
    const key = keyOf(who, head.lease)
    const item = held.get(key)
    const named = item?.offer.reads[head.slot]?.cid
    if (!item || !named || item.inputs[head.slot] !== null) return
    desk.hash(body, (cid) => {
      // The same input may have come twice meanwhile; it begins nothing twice.
      if (held.get(key) !== item || item.inputs[head.slot] !== null) return
      if (cid !== named) return giveUp([item], 'wrong-input')
      cache.put(cid, body)
      item.inputs[head.slot] = body
      ready(item)
    })
  }

  return {
    offer,
    tensor,
    reveal(who: Greeted, lease: number): void {
      const item = held.get(keyOf(who, lease))
      if (item) results.reveal(item)
    },
    cancel(who: Greeted, lease: number): void {
      const item = held.get(keyOf(who, lease))
      if (item) letGo(item)
    },
    /** How many bytes of a body are welcome: exactly the size of an input we miss. */
    welcome(who: Greeted, head: HeadOf<'tensor'>): number {
      const key = keyOf(who, head.lease)
      // What crossed our refusal on the way is no reason to hang up.
      const item = held.get(key) ?? late.get(key)
      const read = item?.offer.reads[head.slot]
      if (!item || !read || item.inputs[head.slot] !== null) return 0
      const bytes = tensorBytes(read)
      return head.bytes === bytes ? bytes : 0
    },
    /** What others owe for results they were given. */
    debts: (): Debts => owed,
    /** The requester did not accept the result of a lease; false where there was none. */
    rejected(who: Greeted, lease: number): boolean {
      const key = keyOf(who, lease)
      const item = held.get(key)
      const isOurs = item !== undefined || owed.has(key)
      owed.rejected(key)
      if (item) letGo(item)
      return isOurs
    },
    gone(who: Greeted): void {
      letGo(...[...held.values()].filter((item) => item.who.peer === who.peer))
    },
    /** Hands back what has not begun, or everything. */
    handBack(everything: boolean): void {
      const waits = ({ state }: Held): boolean => state === 'fetching' || state === 'queued'
      giveUp(
        [...held.values()].filter((item) => everything || waits(item)),
        'handed-back',
      )
    },
    wake(): void {
      const now = desk.now()
      const slow = [...held.values()].filter((item) => item.until <= now)
      if (slow.length > 0) giveUp(slow, 'too-slow')
      owed.wake()
      if (held.size === 0) return
      if (now >= nextBeat) {
        nextBeat = ms(now + WORKER_LIMITS.beatMs)
        for (const item of held.values()) {
          desk.send(
            item.who.peer,
            { k: 'beat', lease: item.offer.lease, permille: item.permille },
            null,
          )
        }
      }
      desk.wake(nextBeat)
    },
    current(): Held | null {
      return [...held.values()].find((item) => item.state === 'computing') ?? null
    },
    held(): readonly Held[] {
      return [...held.values()]
    },
    sizes(): Size[] {
      return [
        { what: 'leases held', held: held.size, limit: SERVE_LIMITS.leases },
        ...owed.sizes(),
        { what: 'bytes of inputs', held: cache.used(), limit: WORKER_LIMITS.cacheBytes },
      ]
    },
    /** Metered cost waiting or running. */
    queued(): number {
      let sum = 0
      for (const item of held.values()) sum += item.cost
      return sum
    },
  }
}

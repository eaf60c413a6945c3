/**
 * The owner's will: whether the device is lent, how much of it, and what makes it rest. Nothing computes
 * before `start`, which is the answer to a click that names what will run.
 */
import { PRICE_MILLI_MAX } from '../core/price.ts'
import { microCredits, ms, type MicroCredits, type Ms } from '../base/units.ts'
import type { Capability, PortError } from '../ports.ts'
import type { PresenceState } from './presence.ts'
import type { Limits, PauseReason } from './view.ts'

export const DEFAULT_LIMITS: Limits = {
  share: 0.5,
  pauseWhenHidden: false,
  pauseOnBattery: true,
  pauseOnMetered: true,
  allowWgsl: false,
  refuses: [],
  freeTier: true,
  givesAll: false,
  memoryBytes: 256 * 1024 * 1024,
  stopAfterMinutes: 0,
}

/** Thousandths of the metered cost that a node asks: the formula's price. */
export const PRICE_MILLI = PRICE_MILLI_MAX

/** How fast the speed estimate follows: about the last ten tasks. */
const SPEED_WEIGHT = 0.2

/** What one task may take: as much as the owner allows, and the device has. */
export const memoryPerTask = (limits: Limits, capability: Capability | null): number =>
  Math.min(limits.memoryBytes, capability?.memoryBytes ?? Number.POSITIVE_INFINITY)

export type Donor = ReturnType<typeof donor>

export const donor = (
  now: () => Ms,
  events: {
    /** Measures the device (about three seconds); answers with what it found. */
    measure(
      progress: (permille: number) => void,
      then: (found: Capability | PortError) => void,
    ): void
    busy(): boolean
    /** Hand back what is held: everything, or what has not begun. */
    handBack(everything: boolean): void
    changed(): void
  },
) => {
  let limits = DEFAULT_LIMITS
  let state: 'idle' | 'measuring' | 'on' | 'finishing' = 'idle'
  let capability: Capability | null = null
  let permille = 0
  let problem: PortError | null = null
  let startedAt = ms(0)
  const reasons = new Set<PauseReason>()
  let doneTasks = 0
  let handedBack = 0
  let earned = 0
  let speed = 0

  const applies = (reason: PauseReason): boolean => {
    switch (reason) {
      case 'hidden':
        return limits.pauseWhenHidden
      case 'on-battery':
        return limits.pauseOnBattery
      case 'metered':
        return limits.pauseOnMetered
      case 'too-warm':
        // Browsers report the processor's load. Work on a GPU leaves it idle; any other adapter is the load.
        return capability?.adapter === 'gpu'
      default:
        return true
    }
  }

  const resting = (): PauseReason | null => {
    for (const reason of reasons) if (applies(reason)) return reason
    return null
  }

  const rested = (): void => {
    const reason = resting()
    // A task that has begun is finished unless the owner, the driver or the network says otherwise.
    if (reason === 'device-lost' || reason === 'offline') events.handBack(true)
    else if (reason) events.handBack(false)
    events.changed()
  }

  const begin = (): void => {
    state = 'on'
    startedAt = now()
    events.changed()
  }

  return {
    start(): void {
      reasons.delete('paused-by-you')
      if (state === 'on' || state === 'measuring') return events.changed()
      if (state === 'finishing' || capability) return begin()
      state = 'measuring'
      permille = 0
      problem = null
      events.changed()
      const progress = (value: number): void => {
        permille = value
        events.changed()
      }
      events.measure(progress, (found) => {
        if (state !== 'measuring') return
        if ('code' in found) {
          state = 'idle'
          problem = found
          return events.changed()
        }
        capability = found
        begin()
      })
    },
    pause(): void {
      reasons.add('paused-by-you')
      rested()
    },
    resume(): void {
      reasons.delete('paused-by-you')
      if (state === 'finishing') state = 'on'
      events.changed()
    },
    finish(): void {
      // Nothing has begun yet that could be finished.
      if (state === 'measuring') return this.stop()
      if (state !== 'on') return
      state = 'finishing'
      events.handBack(false)
      if (!events.busy()) state = 'idle'
      events.changed()
    },
    stop(): void {
      state = 'idle'
      events.handBack(true)
      events.changed()
    },
    condition(reason: PauseReason, present: boolean): void {
      if (reasons.has(reason) === present) return
      if (present) reasons.add(reason)
      else reasons.delete(reason)
      rested()
    },
    setLimits(next: Limits): void {
      limits = next
      rested()
    },
    finished(computeMs: number, cost: MicroCredits): void {
      doneTasks += 1
      const seen = (cost * 1000) / Math.max(1, computeMs)
      speed = speed === 0 ? seen : speed + SPEED_WEIGHT * (seen - speed)
    },
    paid(amount: MicroCredits): void {
      earned += amount
    },
    handedBack(): void {
      handedBack += 1
    },
    wake(): void {
      if (state === 'finishing' && !events.busy()) {
        state = 'idle'
        events.changed()
      }
      if (this.stopsInMs() === 0) this.finish()
    },
    /** Milliseconds until it stops by itself; null where it never does. */
    stopsInMs(): number | null {
      const limit = limits.stopAfterMinutes * 60_000
      return state === 'on' && limit > 0 ? Math.max(0, startedAt + limit - now()) : null
    },
    willing(): boolean {
      return state === 'on' && resting() === null
    },
    /** Null while nothing is lent; else what an advert says. */
    standing(): 'ready' | 'busy' | 'paused' | null {
      if (state !== 'on' || !capability) return null
      if (resting()) return 'paused'
      return events.busy() ? 'busy' : 'ready'
    },
    /** What an advert says of this node; null while nothing is lent. */
    advertises(queued: number): PresenceState | null {
      const state = this.standing()
      if (!state || !capability) return null
      const lent = { ...capability, memoryBytes: memoryPerTask(limits, capability) }
      return { capability: lent, state, wgsl: this.allowsWgsl(), price: PRICE_MILLI, queued }
    },
    /** The owner allows shaders of strangers, and there is something to run them on. */
    allowsWgsl(): boolean {
      return limits.allowWgsl && capability !== null && capability.adapter !== 'cpu'
    },
    /** The owner has not switched this kernel off; `matmul@1` goes by `matmul`. */
    runs: (kernel: string): boolean => !limits.refuses.includes(kernel.split('@')[0] ?? ''),
    limits: (): Limits => limits,
    capability: (): Capability | null => capability,
    /** Micro-credits of metered cost per second, lately; 0 until a task has been done. */
    speed: (): number => Math.round(speed),
    problem: (): PortError | null => problem,
    facts() {
      const reason = resting()
      const on = reason
        ? ('paused' as const)
        : events.busy()
          ? ('working' as const)
          : ('ready' as const)
      return {
        state: state === 'on' ? on : state,
        pause: state === 'on' ? reason : null,
        measuringPermille: permille,
        capability,
        share: limits.share,
        doneTasks,
        handedBack,
        earned: microCredits(earned),
      }
    },
  }
}

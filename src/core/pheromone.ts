/**
 * Trails: a decaying memory of who did which skill well, that steers where tasks go. It forgets within
 * hours, unlike trust, because it is about speed now and not about honesty. Changes in place.
 */
import type { Did } from '../base/ids.ts'
import type { EpochMs } from '../base/units.ts'
import { remember } from './recent.ts'

/** How much one task moves a trail. */
const RHO = 0.1
const HOUR_MS = 3_600_000
/** What an unknown node has, and what a trail returns to within hours: neither good nor bad. */
export const NEUTRAL = 0.5
/** Bounds as in max-min ant systems: nobody is ever out of the question, nobody beyond question. */
const LEAST = 0.02
const MOST = 1
/** Trails remembered; beyond it the one not walked for longest goes. */
export const TRAILS_MAX = 4_096
/** How fast the speed estimate follows: about the last ten tasks. */
const SPEED_WEIGHT = 0.2

export type Trail = {
  readonly node: Did
  readonly skill: string
  /** As of `at`, before evaporation. */
  readonly tau: number
  /** Micro-credits of metered cost per second, from offer to result, as we saw it. */
  readonly speed: number
  readonly at: EpochMs
}

export type Trails = Map<string, Trail>

const clamp = (tau: number): number => Math.min(MOST, Math.max(LEAST, tau))

/** tau(t) = neutral + (tau - neutral) exp(-t / 1 h). */
export const evaporated = (tau: number, elapsedMs: number): number =>
  clamp(NEUTRAL + (tau - NEUTRAL) * Math.exp(-Math.max(0, elapsedMs) / HOUR_MS))

/** tau <- (1 - rho) tau + rho r. */
export const reinforced = (tau: number, reward: number): number =>
  clamp((1 - RHO) * tau + RHO * Math.min(1, Math.max(0, reward)))

const keyOf = (node: Did, skill: string): string => `${skill} ${node}`

export const pheromoneOf = (trails: Trails, node: Did, skill: string, at: EpochMs): number => {
  const trail = trails.get(keyOf(node, skill))
  return trail ? evaporated(trail.tau, at - trail.at) : NEUTRAL
}

/**
 * A task was done: the reward is its speed against the fastest we know in this skill, or nothing when
 * the result was not accepted.
 */
export const walk = (
  trails: Trails,
  node: Did,
  skill: string,
  done: { readonly accepted: boolean; readonly microCredits: number; readonly elapsedMs: number },
  at: EpochMs,
): Trail => {
  const before = trails.get(keyOf(node, skill))
  const tau = before ? evaporated(before.tau, at - before.at) : NEUTRAL
  const seen = (done.microCredits * 1000) / Math.max(1, done.elapsedMs)
  const speed = !done.accepted
    ? (before?.speed ?? 0)
    : before && before.speed > 0
      ? before.speed + SPEED_WEIGHT * (seen - before.speed)
      : seen
  const reward = done.accepted ? seen / (Math.max(seen, fastest(trails, skill)) || 1) : 0
  const trail = { node, skill, tau: reinforced(tau, reward), speed, at }
  remember(trails, keyOf(node, skill), trail, TRAILS_MAX)
  return trail
}

/** The best speed estimate of a skill: what one task takes elsewhere is the measure of this one. */
const fastest = (trails: Trails, skill: string): number => {
  let most = 0
  for (const trail of trails.values()) {
    if (trail.skill === skill) most = Math.max(most, trail.speed)
  }
  return most
}

/**
 * Who gets a task. A few candidates are drawn by pheromone and asked for their load; the one with the
 * best utility gets it. Never "the best of all that is known": load that is older than one service
 * time herds everybody to the same node (credit research, section 7.1: mean time in system at load
 * 0.9 and five service times of staleness is 4.3 for three fresh probes, 12.1 for the best of all).
 */
import type { Did } from '../base/ids.ts'
import type { Prng } from '../base/prng.ts'
import { sampleRate } from './trust.ts'

/** Candidates asked per task: 2.03 service times at load 0.9, against 10.0 for one and 2.6 for two. */
export const DRAWN = 3
/** How steeply pheromone decides; below 4 a good node is hardly preferred, above 8 old ones stick. */
const EXPONENT = 8
/** The part drawn without looking at pheromone: without it a node that became good is never found. */
const EXPLORE = 0.02
/** Nodes that do not answer a probe in time are left out. */
export const PROBE_MS = 500
/** Load older than this is not gone by ... */
export const FRESH_MS = 250
/** ... and is asked for again from this age on, so that work in a steady flow never waits for it. */
export const RENEW_MS = 125
/** A warm node, with weights and pipelines in place, is left only for one that is this much better. */
const HYSTERESIS = 0.1
/** What a second of waiting is worth: as much as 1 GFLOP of work costs. */
const MICRO_PER_SECOND = 1_000
/** Assumed on a link nobody has measured: 1 MB/s. */
const BYTES_PER_SECOND = 1_000_000
/** Micro-credits per second assumed when no candidate has a known speed: a software adapter's. */
const SPEED_UNKNOWN = 1_000
/** A round trip that scores nothing in the paper's utility. */
const SLOW_RTT_MS = 1_000

export type Candidate = {
  readonly node: Did
  /** Our trust in it for this skill, 0..1; 0 is a node that was caught. */
  readonly trust: number
  /** Our pheromone for it in this skill. */
  readonly pheromone: number
  readonly rttMs: number
  /** Metered cost that waits there, as last reported, plus all that we sent since. */
  readonly queued: number
  /** Micro-credits of metered cost done per second; 0 = not known. */
  readonly speed: number
  /** Thousandths of the metered cost. */
  readonly price: number
}

export type DrawOptions = {
  readonly count?: number
  readonly explore?: number
  readonly exponent?: number
}

/**
 * Draws distinct candidates with probability proportional to pheromone^8, some uniformly. Nodes that
 * were caught are never drawn.
 */
export const draw = (
  candidates: readonly Candidate[],
  random: Prng,
  options: DrawOptions = {},
): Candidate[] => {
  const { count = DRAWN, explore = EXPLORE, exponent = EXPONENT } = options
  const left = candidates.filter(({ trust }) => trust > 0)
  if (left.length <= count) return left
  const weights = left.map(({ pheromone }) => pheromone ** exponent)
  const drawn: Candidate[] = []
  while (drawn.length < count) {
    const at = random.float() < explore ? random.below(left.length) : weightedAt(weights, random)
    drawn.push(left[at]!)
    // The order of the rest does not matter, so the gap is filled from the end.
    left[at] = left.at(-1)!
    weights[at] = weights.at(-1)!
    left.pop()
    weights.pop()
  }
  return drawn
}

export type ChooseOptions = {
  /** `cost`: expected credits and seconds. `paper`: the weighted sum of SwarmHarness, for comparison. */
  readonly utility?: 'cost' | 'paper'
  /** The node that did the last task of this kind and still has everything in place. */
  readonly warm?: Did | null
  /** Inputs and result, over the wire. */
  readonly wireBytes?: number
}

/** The best of the probed candidates for a task of this metered cost; null when there is none. */
export const choose = (
  probed: readonly Candidate[],
  microCredits: number,
  options: ChooseOptions = {},
): Candidate | null => {
  const able = probed.filter(({ trust }) => trust > 0)
  const fastest = able.reduce((most, { speed }) => Math.max(most, speed), 0) || SPEED_UNKNOWN
  const loss = (each: Candidate): number =>
    options.utility === 'paper'
      ? 1 - paperUtility(each, fastest)
      : expectedCost(each, microCredits, options.wireBytes ?? 0, fastest)
  let best: Candidate | null = null
  for (const each of able) if (!best || loss(each) < loss(best)) best = each
  const warm = able.find(({ node }) => node === options.warm)
  return best && warm && loss(best) > (1 - HYSTERESIS) * loss(warm) ? warm : best
}

/**
 * Expected credits for having the task done there, waiting included. A node whose speed is unknown is
 * taken to be as fast as the best: it has to be tried to be known.
 */
export const expectedCost = (
  { trust, rttMs, queued, speed, price }: Candidate,
  microCredits: number,
  wireBytes: number,
  fastest: number,
): number => {
  const perSecond = speed > 0 ? speed : fastest
  const seconds = rttMs / 1000 + wireBytes / BYTES_PER_SECOND + (queued + microCredits) / perSecond
  const delay = MICRO_PER_SECOND * seconds
  // A failure costs the same wait again; what is not accepted is not paid.
  return (price / 1000) * microCredits + delay * (2 - trust) + microCredits / sampleRate(trust)
}

/** 0.35 capability + 0.25 (1 - load) + 0.15 (1 - latency) + 0.25 trust, each in [0, 1]. */
export const paperUtility = (
  { trust, rttMs, queued, speed }: Candidate,
  fastest: number,
): number => {
  const perSecond = speed > 0 ? speed : fastest
  const capability = Math.min(1, perSecond / fastest)
  const waiting = queued / perSecond
  const load = waiting / (1 + waiting)
  const latency = Math.min(1, rttMs / SLOW_RTT_MS)
  return 0.35 * capability + 0.25 * (1 - load) + 0.15 * (1 - latency) + 0.25 * trust
}

export type RouteProblem =
  | 'no-node'
  | 'no-skill'
  | 'none-with-memory'
  | 'all-untrusted'
  | 'all-busy'

/** What a node would have to offer to be considered at all. */
export type Suitor = {
  /** Runs the kernel, on an adapter of the kind the job needs. */
  readonly skilled: boolean
  readonly memoryBytes: number
  readonly trust: number
  readonly busy: boolean
}

/** Why nobody can take a task, as the first thing that leaves nobody; null when somebody can. */
export const whyNobody = (
  nodes: readonly Suitor[],
  needs: { readonly memoryBytes: number; readonly trust: number },
): RouteProblem | null => {
  if (nodes.length === 0) return 'no-node'
  const skilled = nodes.filter((node) => node.skilled)
  if (skilled.length === 0) return 'no-skill'
  const roomy = skilled.filter(({ memoryBytes }) => memoryBytes >= needs.memoryBytes)
  if (roomy.length === 0) return 'none-with-memory'
  const trusted = roomy.filter(({ trust }) => trust > 0 && trust >= needs.trust)
  if (trusted.length === 0) return 'all-untrusted'
  return trusted.every(({ busy }) => busy) ? 'all-busy' : null
}

const weightedAt = (weights: readonly number[], random: Prng): number => {
  const sum = weights.reduce((a, b) => a + b, 0)
  let left = random.float() * sum
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!
    if (left < 0) return i
  }
  return weights.length - 1
}

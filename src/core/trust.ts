/**
 * One node's own view of another, from what it did for us: per skill the lower bound of how likely its
 * next result is good, and over all skills a gate that closes when it is caught. Nobody is told what
 * to think: opinions are not exchanged. Plain data; the table changes in place.
 */
import type { Did } from '../base/ids.ts'
import { epochMs, type EpochMs } from '../base/units.ts'
import { betaQuantile } from './beta.ts'
import { remember } from './recent.ts'

export const TRUST_LIMITS = {
  /** Nodes remembered; beyond it the one not met for longest goes, those that were caught last. */
  nodes: 4_096,
  /** Skills remembered per node. */
  skills: 32,
  /** Evidence per skill: more of it would let a long good record outweigh a turn to the bad. */
  evidence: 1_000,
} as const

const DAY_MS = 86_400_000
/** After two weeks an experience counts half: nodes change owner, driver and temper. */
const HALF_LIFE_MS = 14 * DAY_MS
/** Trust is what we are 95 % sure of. New: 0.05; ten good tasks: 0.76; fifty: 0.94. */
const DOUBT = 0.05
/** A task of at least this cost counts fully: trust must not be had for many empty tasks. */
const FULL_MICRO = 100
/** Lateness is a small matter and heals; a task that came to nothing counts half. */
const WEIGHT = { accepted: 1, late: 0.1, failed: 0.5, wrong: 1 } as const
/** The gate stays closed for a day, then two, four ... */
const BARRED_MS = DAY_MS
const BARRED_MAX_MS = 64 * DAY_MS

export type Outcome = keyof typeof WEIGHT

/** Evidence as of `at`, before decay. */
export type Experience = { readonly good: number; readonly bad: number; readonly at: EpochMs }

export type Opinion = {
  readonly skills: Readonly<Record<string, Experience>>
  /** Wrong results so far, and until when nothing is given to the node because of them. */
  readonly wrong: number
  readonly barredUntil: EpochMs
  /** It signed what cannot both be true, such as two blocks in one place. Never forgiven. */
  readonly proven: boolean
}

export type Opinions = Map<Did, Opinion>

const STRANGER: Opinion = { skills: {}, wrong: 0, barredUntil: epochMs(0), proven: false }

/** How far we rely on a node for a skill, 0..1. */
export const trustIn = (opinions: Opinions, node: Did, skill: string, at: EpochMs): number => {
  const opinion = opinions.get(node) ?? STRANGER
  if (isBarred(opinion, at)) return 0
  const { good, bad } = decayed(opinion.skills[skill], at)
  return betaQuantile(1 + good, 1 + bad, DOUBT)
}

/**
 * Whether the gate is closed. A wrong result is unpaid and found at once, and honest hardware makes some,
 * so it does not bar for ever: a name costs nothing, and who is turned away for good comes back under
 * a new one with the trust of a stranger. Nothing is gained by treating the old one worse than that,
 * except time: each further wrong result doubles the wait, and after it the node starts as a stranger.
 */
export const isBarred = ({ proven, barredUntil }: Opinion, at: EpochMs): boolean =>
  proven || at < barredUntil

/** Takes what became of a task into account. `microCredits` is its metered cost, paid for or not. */
export const noteOutcome = (
  opinions: Opinions,
  node: Did,
  skill: string,
  outcome: Outcome,
  microCredits: number,
  at: EpochMs,
): Opinion => {
  const before = opinions.get(node) ?? STRANGER
  const weight = WEIGHT[outcome] * Math.min(1, Math.max(0, microCredits) / FULL_MICRO)
  const after =
    outcome === 'wrong' ? caught(before, skill, at) : weighed(before, skill, outcome, weight, at)
  keep(opinions, node, after)
  return after
}

/** Somebody showed that the node contradicted itself under its own signature. */
export const noteProof = (opinions: Opinions, node: Did): Opinion => {
  const after = { ...(opinions.get(node) ?? STRANGER), skills: {}, proven: true }
  keep(opinions, node, after)
  return after
}

/** One of how many items of a result is computed again: 16 for a stranger, 64 after fifty good tasks. */
export const sampleRate = (trust: number): number => {
  const share = (trust - TEN_GOOD) / (FIFTY_GOOD - TEN_GOOD)
  return Math.round(16 * 4 ** Math.min(1, Math.max(0, share)))
}

/** As BOINC does, checks are relaxed only after ten good results in a row. */
const TEN_GOOD = betaQuantile(11, 1, DOUBT)
const FIFTY_GOOD = betaQuantile(51, 1, DOUBT)

const keep = (opinions: Opinions, node: Did, opinion: Opinion): void => {
  remember(opinions, node, opinion, TRUST_LIMITS.nodes, ({ proven, wrong }) => proven || wrong > 0)
}

const decayed = (
  experience: Experience | undefined,
  at: EpochMs,
): { good: number; bad: number } => {
  if (!experience) return { good: 0, bad: 0 }
  const left = 2 ** (-Math.max(0, at - experience.at) / HALF_LIFE_MS)
  return { good: experience.good * left, bad: experience.bad * left }
}

const withSkill = (opinion: Opinion, skill: string, experience: Experience): Opinion => {
  const { [skill]: _before, ...others } = opinion.skills
  const kept = Object.entries(others).slice(-(TRUST_LIMITS.skills - 1))
  return { ...opinion, skills: { ...Object.fromEntries(kept), [skill]: experience } }
}

const weighed = (
  opinion: Opinion,
  skill: string,
  outcome: Outcome,
  weight: number,
  at: EpochMs,
): Opinion => {
  const { good, bad } = decayed(opinion.skills[skill], at)
  const next = outcome === 'accepted' ? { good: good + weight, bad } : { good, bad: bad + weight }
  const scale = Math.min(1, TRUST_LIMITS.evidence / (next.good + next.bad))
  return withSkill(opinion, skill, { good: next.good * scale, bad: next.bad * scale, at })
}

/** All that it earned is forgotten; that it was wrong is not. */
const caught = (opinion: Opinion, skill: string, at: EpochMs): Opinion => {
  const wrong = opinion.wrong + 1
  const wait = Math.min(BARRED_MAX_MS, BARRED_MS * 2 ** (wrong - 1))
  const { bad } = decayed(opinion.skills[skill], at)
  return {
    skills: { [skill]: { good: 0, bad: Math.min(bad + WEIGHT.wrong, TRUST_LIMITS.evidence), at } },
    wrong,
    barredUntil: epochMs(Math.max(opinion.barredUntil, at + wait)),
    proven: opinion.proven,
  }
}

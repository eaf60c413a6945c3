/** How others stand with this node: trust and trails, kept between its lives. */
import type { Did } from '../base/ids.ts'
import { pheromoneOf, walk, type Trails } from '../core/pheromone.ts'
import { remember } from '../core/recent.ts'
import {
  noteOutcome,
  sampleRate,
  TRUST_LIMITS,
  trustIn,
  type Opinion as Judgement,
  type Opinions,
  type Outcome,
} from '../core/trust.ts'
import type { Desk } from './desk.ts'
import type { Size } from './size.ts'

export type Opinion = ReturnType<typeof standing>

export const standing = (desk: Desk) => {
  const opinions: Opinions = new Map()
  const trails: Trails = new Map()
  const counts = new Map<Did, { accepted: number; rejected: number }>()

  const trust = (node: Did, skill: string): number => trustIn(opinions, node, skill, desk.epoch())

  return {
    trust,
    pheromone: (node: Did, skill: string): number => pheromoneOf(trails, node, skill, desk.epoch()),
    /** One of how many items of its results is computed again. */
    rate: (node: Did, skill: string): number => sampleRate(trust(node, skill)),
    /** Takes what became of a task into account, and keeps it. */
    judged(
      node: Did,
      skill: string,
      outcome: Outcome,
      microCredits: number,
      elapsedMs: number,
    ): void {
      const at = desk.epoch()
      const judgement = noteOutcome(opinions, node, skill, outcome, microCredits, at)
      walk(trails, node, skill, { accepted: outcome === 'accepted', microCredits, elapsedMs }, at)
      const count = counts.get(node) ?? { accepted: 0, rejected: 0 }
      if (outcome === 'accepted') count.accepted += 1
      if (outcome === 'wrong') count.rejected += 1
      remember(counts, node, count, TRUST_LIMITS.nodes)
      desk.write(
        [{ table: 'trust', key: node, value: { judgement, count } }],
        'relaxed',
        () => undefined,
      )
    },
    sizes: (): Size[] => [
      { what: 'opinions', held: opinions.size, limit: TRUST_LIMITS.nodes },
      { what: 'counts', held: counts.size, limit: TRUST_LIMITS.nodes },
    ],
    load(records: readonly { key: string; value: unknown }[]): void {
      for (const { key, value } of records) {
        const kept = value as {
          judgement: Judgement
          count: { accepted: number; rejected: number }
        }
        opinions.set(key as Did, kept.judgement)
        counts.set(key as Did, kept.count)
      }
    },
    /** Has done something for us that was right: asked of hundreds of nodes at a time. */
    hasServed: (node: Did): boolean => (counts.get(node)?.accepted ?? 0) > 0,
    /** For a person: the best we think of it in any skill, and what it did for us. */
    summary(node: Did): { trust: number; accepted: number; rejected: number } {
      const skills = Object.keys(opinions.get(node)?.skills ?? {})
      const best = skills.reduce((most, skill) => Math.max(most, trust(node, skill)), 0)
      const count = counts.get(node) ?? { accepted: 0, rejected: 0 }
      return { trust: skills.length > 0 ? best : trust(node, ''), ...count }
    },
  }
}

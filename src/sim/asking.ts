/**
 * People who want jobs done: they ask again and again over the whole time, insist until the job is on
 * their disk, sometimes change their mind, and spend what they have earned.
 */
import type { JobId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { evaluate } from '../core/evaluate.ts'
import { plan, type Plan } from '../core/plan.ts'
import type { View } from '../peer/view.ts'
import type { StoredJob } from '../peer/stored-job.ts'
import { cidOf } from '../wire/codec.ts'
import { AMPLE, FREE, randomJob, tensorsOf, type Terms, type Wish } from './jobs.ts'
import { handleOf, type SimNode } from './life.ts'
import type { Scenario } from './scenarios.ts'
import type { World } from './world.ts'

export type Asked = {
  readonly node: SimNode
  readonly id: JobId
  readonly askedAt: number
  /** For trusted nodes only, and nobody has earned that trust for certain. */
  readonly hopeless: boolean
  /** Its owner has given it up: any end will do. */
  givenUp: boolean
}

/** All that has been asked for, and how many wishes are not on a disk yet. */
export type Wishes = { readonly asked: Asked[]; pending: number }

/** How soon somebody sees that nothing was kept, and asks again. */
const INSIST_MS = 1_000
/** Between two wishes of one person, besides a random part of the same length. */
const BETWEEN_MS = 12_000
/** Jobs of one person at a time. */
const OPEN_MAX = 3
/** At this trust a node counts as trusted (core/assign.ts). */
const TRUSTED = 0.5
/** Who has earned so many times what a job costs pays for it; a copy of a slow task must not stop it. */
const SAVED = 2

export const phaseOf = ({ node, id }: Asked): StoredJob['phase'] | null =>
  (node.disk.read('jobs', id) as StoredJob | undefined)?.phase ?? null

export const isOver = (asked: Asked): boolean => {
  const phase = phaseOf(asked)
  return phase === 'done' || (asked.givenUp && (phase === 'cancelled' || phase === 'failed'))
}

/** Lets a person ask from now until then. All that was asked for is added to `all`. */
export const keepAsking = (
  w: World,
  node: SimNode,
  untilMs: number,
  wishes: Wishes,
  { jobs, paysPermille }: Pick<Scenario, 'jobs' | 'paysPermille'>,
): void => {
  const random = prng(w.random.u32())
  const all = wishes.asked

  const next = (): void => {
    const delay = BETWEEN_MS + random.below(BETWEEN_MS)
    if (w.time.now() + delay >= untilMs) return
    w.time.after(delay, ask)
  }

  /** Who lends spends what it earned; the others have money, and mostly use it. */
  const terms = (view: View, cost: number): Terms => {
    if (node.person.lends) {
      const { balance } = view.wallet
      return balance < SAVED * cost ? FREE : { ...FREE, budget: balance }
    }
    if (random.below(1000) >= paysPermille) return FREE
    const trusts = view.nodes.some(({ trust, self }) => !self && trust >= TRUSTED)
    if (random.below(trusts ? 3 : 20) === 0) return { ...FREE, budget: AMPLE, privacy: 'trusted' }
    return { ...FREE, budget: AMPLE, redundancy: [1, 1, 1, 1, 2, 2, 3][random.below(7)]! }
  }

  const ask = (): void => {
    next()
    const view = handleOf(node)?.view()
    const open = all.filter((each) => each.node === node && !isOver(each)).length
    if (!view || open >= (node.person.lends ? 1 : OPEN_MAX)) return
    const { job, inputs } = randomJob(random, FREE, jobs)
    const planned = plan(job)
    if (!planned.ok) return w.log.violate('plan', `${planned.error.what} of ${job.name}`)
    const wish = { job: { ...job, ...terms(view, planned.value.totals.microCredits) }, inputs }
    wishes.pending += 1
    insist(wish, planned.value)
  }

  const insist = (wish: Wish, planned: Plan): void => {
    const handle = handleOf(node)
    if (!handle) return w.time.after(INSIST_MS, () => insist(wish, planned))
    const { job } = wish
    const id = cidOf(job) as JobId
    w.truths.expect(id, {
      plan: planned,
      tensors: evaluate(planned, tensorsOf(wish)),
      redundancy: job.redundancy,
      trusted: job.privacy === 'trusted',
    })
    handle.submit(job, 'simulated', wish.inputs)
    // Buttons are pressed twice.
    if (random.below(8) === 0) handle.submit(job, 'simulated', wish.inputs)
    w.time.after(INSIST_MS, () => {
      // Gone before the job was on its disk: nothing was acknowledged, so it is asked for again.
      if (node.disk.durable('jobs', id) === undefined) return insist(wish, planned)
      const asked: Asked = {
        node,
        id,
        askedAt: w.time.now(),
        hopeless: job.privacy === 'trusted' && !w.isBefriended(node),
        givenUp: false,
      }
      // What becomes of the jobs of those who keep to no rule is their affair.
      if (node.person.plays === 'fair') all.push(asked)
      wishes.pending -= 1
      if (asked.hopeless && w.time.now() >= untilMs) giveUp(w, asked)
      if (random.below(25) === 0) w.time.after(random.below(20_000), () => giveUp(w, asked))
    })
  }

  w.time.after(4_000 + random.below(BETWEEN_MS), ask)
}

/** Cancels a job, as soon as its owner is there to do it, and again until it is so. */
export const giveUp = (w: World, asked: Asked): void => {
  if (isOver(asked)) return
  asked.givenUp = true
  const handle = handleOf(asked.node)
  if (handle) {
    w.log.saw('job cancelled')
    handle.cancel(asked.id)
  }
  w.time.after(INSIST_MS, () => giveUp(w, asked))
}

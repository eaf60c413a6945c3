/**
 * People who want jobs done: they ask again and again over the whole time, insist until the job is on
 * their disk, sometimes change their mind, and spend what they have earned.
 */
import type { JobId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { microCredits } from '../base/units.ts'
import { evaluate } from '../core/evaluate.ts'
import { plan } from '../core/plan.ts'
import type { StoredJob } from '../peer/stored-job.ts'
import { cidOf } from '../wire/codec.ts'
import { AMPLE, randomJob, tensorsOf, type Terms, type Wish } from './jobs.ts'
import { handleOf, type SimNode, type World } from './world.ts'

export type Asked = {
  readonly node: SimNode
  readonly id: JobId
  readonly askedAt: number
  readonly trusted: boolean
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
/** Micro-credits that pay for any of these jobs three times over: what a lender saves up before it asks. */
const SAVED = 3_000

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
  only: 'matmul' | 'any',
): void => {
  const random = prng(w.random.u32())
  const all = wishes.asked

  const next = (): void => {
    const delay = BETWEEN_MS + random.below(BETWEEN_MS)
    if (w.time.now() + delay >= untilMs) return
    w.time.after(delay, ask)
  }

  const terms = (): Terms => {
    const free = { budget: microCredits(0), redundancy: 1, privacy: 'public' as const }
    if (node.person.lends) {
      const balance = handleOf(node)?.view().wallet.balance ?? 0
      return balance < SAVED ? free : { ...free, budget: microCredits(SAVED) }
    }
    if (random.below(6) === 0) return free
    const redundancy = [1, 1, 1, 1, 2, 2, 3][random.below(7)]!
    const experienced =
      all.filter((each) => each.node === node && phaseOf(each) === 'done').length > 1
    const privacy = experienced && random.below(8) === 0 ? 'trusted' : 'public'
    return { budget: AMPLE, redundancy: privacy === 'trusted' ? 1 : redundancy, privacy }
  }

  const ask = (): void => {
    const open = all.filter((each) => each.node === node && !isOver(each)).length
    if (open < (node.person.lends ? 1 : OPEN_MAX)) {
      wishes.pending += 1
      insist(randomJob(random, terms(), only))
    }
    next()
  }

  const insist = (wish: Wish): void => {
    const handle = handleOf(node)
    if (!handle) return w.time.after(INSIST_MS, () => insist(wish))
    const { job } = wish
    const planned = plan(job)
    if (!planned.ok) return w.log.violate('plan', `${planned.error.what} of ${job.name}`)
    const id = cidOf(job) as JobId
    w.truths.expect(id, {
      plan: planned.value,
      tensors: evaluate(planned.value, tensorsOf(wish)),
      redundancy: job.redundancy,
      trusted: job.privacy === 'trusted',
    })
    handle.submit(job, 'simulated', wish.inputs)
    // Buttons are pressed twice.
    if (random.below(8) === 0) handle.submit(job, 'simulated', wish.inputs)
    w.time.after(INSIST_MS, () => {
      // Gone before the job was on its disk: nothing was acknowledged, so it is asked for again.
      if (node.disk.durable('jobs', id) === undefined) return insist(wish)
      const asked: Asked = {
        node,
        id,
        askedAt: w.time.now(),
        trusted: job.privacy === 'trusted',
        givenUp: false,
      }
      all.push(asked)
      wishes.pending -= 1
      // Nobody has earned that trust in the last moment either.
      if (asked.trusted && w.time.now() >= untilMs) giveUp(w, asked)
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

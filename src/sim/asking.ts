/**
 * People who want jobs done: they ask again and again over the whole time, insist until the job is on
 * their disk, sometimes change their mind, spend what they have earned, and clear their desk.
 */
import type { JobId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { evaluate } from '../core/evaluate.ts'
import { plan, type Plan } from '../core/plan.ts'
import type { View } from '../peer/view.ts'
import { pieceKey, type StoredJob } from '../peer/stored-job.ts'
import { cidOf } from '../wire/codec.ts'
import { AMPLE, FREE, randomJob, tensorsOf, type Terms, type Wish } from './jobs.ts'
import { handleOf, type SimNode } from './life.ts'
import type { Scenario } from './scenarios.ts'
import type { World } from './world.ts'

export type Asked = {
  readonly node: SimNode
  readonly id: JobId
  readonly askedAt: number
  /** Nobody may ever do it: it is for trusted nodes only, or its owner's clock is wrong. */
  readonly hopeless: boolean
  /** Its owner has given it up: any end will do. */
  givenUp: boolean
  /** How it ended, as it stands on the disk; null while it has not. */
  end: 'done' | 'given-up' | null
  endedAt: number
}

/** All that has been asked for, and how many wishes are not on a disk yet. */
export type Wishes = {
  readonly asked: Asked[]
  readonly byJob: Map<JobId, Asked>
  pending: number
  open: number
}

/** How soon somebody sees that nothing was kept, and asks again. */
const INSIST_MS = 1_000
/** Between two wishes of one person, besides a random part of the same length ... */
const BETWEEN_MS = 12_000
/** ... and longer in a long run: after so many jobs of one person the next one shows nothing new. */
const WISHES_MAX = 40
/** Jobs of one person at a time. */
const OPEN_MAX = 3
/** At this trust a node counts as trusted (core/assign.ts). */
const TRUSTED = 0.5
/** Who has earned so many times what a job costs pays for it; a copy of a slow task must not stop it. */
const SAVED = 2
/** What is done is looked at for a while and then thrown away; one job in so many is kept. */
const LOOKED_AT_MS = 20_000
const KEPT = 10

export const noWishes = (): Wishes => ({ asked: [], byJob: new Map(), pending: 0, open: 0 })

/** Call when a job's record has reached its owner's disk. */
export const noteEnd = (w: World, wishes: Wishes, id: JobId): void => {
  const asked = wishes.byJob.get(id)
  if (!asked || asked.end !== null) return
  const phase = phaseOf(asked)
  if (phase !== 'done' && !(asked.givenUp && (phase === 'cancelled' || phase === 'failed'))) return
  asked.end = phase === 'done' ? 'done' : 'given-up'
  asked.endedAt = w.time.now()
  wishes.open -= 1
  if (asked.end === 'done') wholeOnDisk(w, asked)
  if (w.random.below(KEPT) > 0)
    w.time.after(LOOKED_AT_MS + w.random.below(LOOKED_AT_MS), () => forget(w, asked))
}

/** Jobs that were kept on one disk only are lost with it: nobody has promised anything else. */
export const loseJobs = (w: World, wishes: Wishes, node: SimNode): void => {
  for (const asked of wishes.asked) {
    if (asked.node !== node || asked.end !== null) continue
    asked.end = 'given-up'
    asked.endedAt = w.time.now()
    wishes.open -= 1
  }
}

const phaseOf = ({ node, id }: Asked): StoredJob['phase'] | null =>
  (node.disk.durable('jobs', id) as StoredJob | undefined)?.phase ?? null

/** What is called done must survive a crash: every piece of it is on the disk by then (I1). */
const wholeOnDisk = (w: World, { node, id }: Asked): void => {
  const pieces = w.truths.of(id)?.plan.tasks ?? []
  const missing = pieces.filter(
    ({ index }) => !node.disk.durable('job-outputs', pieceKey(id, index)),
  )
  if (missing.length > 0)
    w.log.violate(
      'I1-not-durable',
      `${node.name}: ${id} is done, ${missing.length} pieces are not kept`,
    )
}

const forget = (w: World, asked: Asked): void => {
  const { node, id } = asked
  const handle = handleOf(node)
  // What a crash has brought back is thrown away again.
  if (handle) handle.forgetJob(id)
  if (handle && node.disk.read('jobs', id) === undefined) {
    w.log.saw('job forgotten')
    return w.truths.forget(id)
  }
  w.time.after(LOOKED_AT_MS, () => forget(w, asked))
}

type Habits = Pick<Scenario, 'jobs' | 'paysPermille'>

/** Lets a person ask from now until then. All that was asked for is added to `wishes`. */
export const keepAsking = (
  w: World,
  node: SimNode,
  untilMs: number,
  wishes: Wishes,
  { jobs, paysPermille }: Habits,
): void => {
  const random = prng(w.random.u32())
  const mine: Asked[] = []
  /** Wishes of this person that are not on the disk yet. */
  let pending = 0
  const between = Math.max(BETWEEN_MS, Math.round((untilMs - w.time.now()) / WISHES_MAX))

  const next = (): void => {
    const delay = between + random.below(between)
    if (w.time.now() + delay < untilMs) w.time.after(delay, ask)
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
    const redundancy = Math.min([1, 1, 1, 1, 2, 2, 3][random.below(7)]!, reliable(w))
    return { ...FREE, budget: AMPLE, redundancy }
  }

  const ask = (): void => {
    next()
    const open = pending + mine.filter(({ end }) => end === null).length
    if (open >= (node.person.lends ? 1 : OPEN_MAX)) return
    pending += 1
    wishes.pending += 1
    decide()
  }

  /** Whoever is away thinks of it again when they are back. */
  const decide = (): void => {
    const view = handleOf(node)?.view()
    if (!view) return w.time.after(INSIST_MS, decide)
    const { job, inputs } = randomJob(random, FREE, jobs)
    const planned = plan(job)
    if (!planned.ok) return w.log.violate('plan', `${planned.error.what} of ${job.name}`)
    const wish = { job: { ...job, ...terms(view, planned.value.totals.microCredits) }, inputs }
    insist(wish, planned.value)
  }

  const insist = (wish: Wish, planned: Plan, since = w.time.now()): void => {
    const handle = handleOf(node)
    if (!handle) return w.time.after(INSIST_MS, () => insist(wish, planned, since))
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
      if (node.disk.durable('jobs', id) === undefined) return insist(wish, planned, since)
      pending -= 1
      wishes.pending -= 1
      // What becomes of the jobs of those who keep to no rule is their affair.
      if (node.person.plays !== 'fair') return
      const nobody = job.privacy === 'trusted' && !w.isBefriended(node)
      kept(id, since, nobody || node.person.clock !== undefined)
    })
  }

  const kept = (id: JobId, askedAt: number, hopeless: boolean): void => {
    const asked: Asked = {
      node,
      id,
      askedAt,
      hopeless,
      givenUp: false,
      end: null,
      endedAt: 0,
    }
    mine.push(asked)
    wishes.asked.push(asked)
    wishes.byJob.set(id, asked)
    wishes.open += 1
    noteEnd(w, wishes, id)
    if (hopeless && w.time.now() >= untilMs) giveUp(w, wishes, asked)
    if (random.below(25) === 0) w.time.after(random.below(20_000), () => giveUp(w, wishes, asked))
  }

  // A run that ends before people come to ask has them ask at once.
  w.time.after(random.below(Math.min(4_000 + BETWEEN_MS, untilMs - w.time.now())), ask)
}

/** How many will lend, tell the truth and be believed: nobody can ask for more opinions than that. */
const reliable = ({ nodes }: World): number => {
  let count = 0
  for (const { person } of nodes.values())
    if (person.lends && person.lie === null && person.clock === undefined) count += 1
  return Math.max(1, count)
}

/** Cancels a job, as soon as its owner is there to do it, and again until it is so. */
export const giveUp = (w: World, wishes: Wishes, asked: Asked): void => {
  if (asked.end !== null) return
  asked.givenUp = true
  const handle = handleOf(asked.node)
  if (handle) {
    w.log.saw('job cancelled')
    handle.cancel(asked.id)
  }
  noteEnd(w, wishes, asked.id)
  w.time.after(INSIST_MS, () => giveUp(w, wishes, asked))
}

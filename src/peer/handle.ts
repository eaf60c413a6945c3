/** What the interface, the SDK and the command line may ask of a running node. */
import type { JobId } from '../base/ids.ts'
import type { Job } from '../core/job.ts'
import type { Swarm } from '../core/ledger/genesis.ts'
import { plan } from '../core/plan.ts'
import type { Reachability } from '../ports.ts'
import { cidOf } from '../wire/codec.ts'
import type { Desk } from './desk.ts'
import type { Donor } from './donor.ts'
import type { JobDesk } from './job-desk.ts'
import { planProblem } from './stored-job.ts'
import type { Links } from './links.ts'
import type { Sessions } from './models/sessions.ts'
import type { PeerOptions } from './options.ts'
import type { Presence } from './presence.ts'
import type { Requester } from './requester.ts'
import { viewOf } from './selectors.ts'
import type { Opinion } from './standing.ts'
import type { Troubles } from './troubles.ts'
import type { Limits, NodeHandle, PauseReason, View } from './view.ts'
import type { Wallet } from './wallet.ts'
import type { Worker } from './worker.ts'

export type Parts = {
  readonly desk: Desk
  readonly swarm: Swarm
  readonly options: PeerOptions
  readonly lender: Donor
  readonly work: Worker
  readonly jobs: Requester
  readonly talks: Sessions
  readonly purse: Wallet
  readonly here: Presence
  readonly net: Links
  readonly opinion: Opinion
  readonly shelf: JobDesk
  readonly watchers: Set<() => void>
  readonly troubles: Troubles
  changed(): void
  reachability(): Reachability
}

export const nodeHandle = (from: Parts): NodeHandle => {
  const { desk, swarm, options, lender, work, jobs, talks, purse, here, net, opinion, shelf } = from
  const { watchers, troubles, changed } = from
  return {
    view: (): View =>
      viewOf({
        desk,
        swarm,
        reachability: from.reachability(),
        lender,
        measuredShare: options.measuredShare(),
        work,
        jobs,
        talks,
        purse,
        adverts: here.known(),
        linked: net.all(),
        opinion,
        problems: troubles.list(),
        stored: shelf.stored(),
        isOpening: shelf.isOpening,
        backedUp: options.backedUp(),
      }),
    watch(then) {
      watchers.add(then)
      return () => void watchers.delete(then)
    },
    start: () => lender.start(),
    pause: () => lender.pause(),
    resume: () => lender.resume(),
    finish: () => lender.finish(),
    stop: () => lender.stop(),
    limits: () => lender.limits(),
    setLimits(limits: Limits) {
      lender.setLimits(limits)
      desk.write([{ table: 'settings', key: 'limits', value: limits }], 'relaxed', () => changed())
    },
    condition(reason: PauseReason, present: boolean) {
      lender.condition(reason, present)
    },
    submit(job: Job, title: string, inputs) {
      const id = cidOf(job) as JobId
      const planned = plan(job)
      if (!planned.ok) {
        troubles.note(planProblem(planned.error))
        changed()
        return id
      }
      shelf.submit(job, id, title, planned.value, inputs)
      return id
    },
    cancel: (job) => jobs.feed({ kind: 'cancel', job }),
    resumeJob: (job) => shelf.resume(job),
    forgetJob: (job) => shelf.forget(job),
    output: (job, name) => shelf.output(job, name),
    talk: (asked) => talks.begin(asked),
    stopTalk: (id) => talks.stop(id),
    async close() {
      lender.stop()
      for (const who of net.all()) net.drop(who.peer, 'closing')
      await options.closed()
    },
  }
}

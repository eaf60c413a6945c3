/**
 * What a set of runs must have met (I18): a promise that was kept where nothing ever happened says
 * nothing. Each state names the scenarios that are there to reach it; a set in which they run and it is
 * not reached is a set whose generator is broken.
 */
import type { SimReport } from './simulate.ts'

type Seen = Pick<SimReport, 'scenario' | 'seen' | 'measures'>

export type Sometimes = {
  readonly name: string
  /** Where it has to be met; null = in any scenario. */
  readonly within: readonly string[] | null
  holds(run: Seen): boolean
}

/** `what` is how the journal's entry begins. */
const saw = (name: string, what: string, ...within: readonly string[]): Sometimes => ({
  name,
  within: within.length > 0 ? within : null,
  holds: ({ seen }) => Object.keys(seen).some((each) => each.startsWith(what)),
})

const measured = (name: string, what: string, ...within: readonly string[]): Sometimes => ({
  name,
  within: within.length > 0 ? within : null,
  holds: ({ measures }) => (measures[what] ?? 0) > 0,
})

const LYING = ['lying-nodes', 'lying-nodes-10', 'lying-nodes-49']

export const SOMETIMES: readonly Sometimes[] = [
  measured('a job is done', 'jobsDone'),
  measured('money moves', 'creditsMoved'),
  saw('earned credit is spent again', 'earned credit spent'),
  saw('a job is cancelled', 'job cancelled'),
  saw('a job is thrown away', 'job forgotten'),
  saw('work goes to trusted nodes only', 'trusted task offered'),
  saw('a lease comes to nothing and its task is done again', 'task retried'),
  saw('a slow task is given to a second node', 'straggler copied'),
  measured('a worker dies and another takes its task', 'failovers', 'churn', 'crashing-workers'),
  saw('a job goes on after its owner has crashed', 'job resumed', 'crashing-requesters', 'churn'),
  saw('a write is lost in a crash', 'write lost in a crash', 'crashing-requesters'),
  saw('a settlement is answered a second time', 'settlement answered again', 'crashing-requesters'),
  saw('a node crashes between two steps', 'crash after: wrote', 'crashing-workers'),
  saw('a link breaks', 'link broken', 'storm'),
  saw('a dial hangs', 'dial hung', 'storm'),
  saw('the swarm is cut in halves', 'cut in halves', 'partition'),
  saw('one node is cut off', 'one cut off', 'partition'),
  saw('a partition heals', 'partition healed', 'partition'),
  saw('the relay goes', 'relay lost', 'relay-down'),
  saw('the relay comes back', 'relay back', 'relay-down'),
  saw('a dial fails for want of a relay', 'dial failed', 'relay-down'),
  saw('a node freezes', 'node frozen', 'freezing-tabs'),
  saw('a disk is full', 'disk full', 'full-disks'),
  saw('a lost chain is got back from others', 'own block got back', 'lost-disks'),
  saw('a device is lost under a task', 'device lost under a task', 'lost-devices'),
  saw('an owner hands work back', 'failed: handed-back', 'moody-donors'),
  saw('a node is dialled that is gone', 'dialled a node that is gone', 'exodus', 'churn'),
  saw('a stranger is turned away by its clock', 'bye: delegation-', 'wrong-clocks'),
  saw('the free tier is used up', 'refused: free-tier-used-up', 'beggars'),
  saw('a bad payer gets no more', 'refused: no-credit', 'defaulter'),
  saw('a node takes no offers for nothing', 'refused: price-too-low'),
  saw('a twisted message is refused', 'faulty: bad-shape', 'meddlers'),
  saw('a forged signature is found out', 'bye: bad-signature', 'meddlers'),
  measured('a lie is told', 'liesTold', ...LYING),
  measured('a lie is refused', 'liesRefused', ...LYING),
  saw('a liar is caught', 'liar caught', ...LYING),
]

/** What these runs should have met and have not; states of scenarios that did not run are not asked for. */
export const neverMet = (runs: readonly Seen[], all = SOMETIMES): readonly string[] =>
  all
    .filter(({ within, holds }) => {
      const there = runs.filter(({ scenario }) => within === null || within.includes(scenario))
      return there.length > 0 && !there.some(holds)
    })
    .map(({ name, within }) => (within ? `${name} (${within.join(', ')})` : name))

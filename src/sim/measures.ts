/** What a run comes to, in numbers. */
import type { Asked } from './asking.ts'
import type { World } from './world.ts'

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length

const thousandths = (n: number): number => Math.round(n * 1000) / 1000

/** The value that so many in a hundred are not above; 0 of nothing. */
const percentile = (values: readonly number[], of: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.max(0, Math.ceil((sorted.length * of) / 100) - 1)] ?? 0)
}

/** The mean trust in liars and in honest nodes, over all who have an opinion of them. */
const trustIn = (w: World, liars: boolean): number => {
  const found: number[] = []
  for (const node of w.nodes.values()) {
    if (!node.life || node.person.lends) continue
    for (const other of node.life.peer.handle.view().nodes) {
      const person = w.byAccount.get(other.account)?.person
      if (other.accepted + other.rejected > 0 && person && (person.lie !== null) === liars)
        found.push(other.trust)
    }
  }
  return thousandths(mean(found))
}

export const measuresOf = (w: World, asked: readonly Asked[]): Record<string, number> => {
  const { executions, outputs, wrong, failovers, workers } = w.work.facts()
  const done = asked.filter(({ end }) => end === 'done')
  const durations = done.map(({ askedAt, endedAt }) => endedAt - askedAt)
  const payments = w.ledger.payments()
  return {
    jobs: asked.length,
    jobsDone: done.length,
    jobsGivenUp: asked.filter(({ end }) => end === 'given-up').length,
    /** From the moment the job is on its owner's disk until its end is. */
    jobP50Ms: percentile(durations, 50),
    jobP95Ms: percentile(durations, 95),
    nodesThatWorked: workers,
    tasksAccepted: outputs,
    executions,
    resultsPaid: payments,
    /** Executions for each result that was accepted and signed for; 1 is nothing wasted. */
    workPerResult: thousandths(payments === 0 ? 0 : executions / payments),
    creditsMoved: w.ledger.credited(),
    inFlight: w.ledger.inFlight(),
    /** Who lost the disk and wrote over blocks that others know, and credit that is there twice by it. */
    disksLost: w.log.count('disk lost'),
    secondHistories: w.ledger.secondHistories(),
    creditsForged: w.ledger.forged(),
    /** From the death of a worker until another one was offered what it held. */
    failovers: failovers.length,
    failoverP50Ms: percentile(failovers, 50),
    failoverP95Ms: percentile(failovers, 95),
    liesTold: w.log.count('lie told'),
    liesRefused: w.log.count('lie refused'),
    wrongAccepted: wrong,
    liesPaid: w.log.count('lie paid'),
    trustInHonest: trustIn(w, false),
    trustInLiars: trustIn(w, true),
    largestHead: w.network.largestHead(),
  }
}

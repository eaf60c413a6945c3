/** What a run comes to, in numbers. */
import { isOver, phaseOf, type Asked } from './asking.ts'
import type { World } from './world.ts'

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length

const thousandths = (n: number): number => Math.round(n * 1000) / 1000

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
  const { executions, outputs, wrong } = w.work.facts()
  const done = asked.filter((each) => phaseOf(each) === 'done').length
  const payments = w.ledger.payments()
  return {
    jobs: asked.length,
    jobsDone: done,
    jobsGivenUp: asked.filter((each) => isOver(each)).length - done,
    tasksAccepted: outputs,
    executions,
    resultsPaid: payments,
    /** Executions for each result that was accepted and signed for; 1 is nothing wasted. */
    workPerResult: thousandths(payments === 0 ? 0 : executions / payments),
    creditsMoved: w.ledger.credited(),
    inFlight: w.ledger.inFlight(),
    liesTold: w.log.count('lie told'),
    liesRefused: w.log.count('lie refused'),
    wrongAccepted: wrong,
    liesPaid: w.log.count('lie paid'),
    trustInHonest: trustIn(w, false),
    trustInLiars: trustIn(w, true),
    largestHead: w.network.largestHead(),
  }
}

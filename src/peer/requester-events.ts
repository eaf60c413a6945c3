/** What the requester tells the rest of the peer. */
import type { Cid, Did, PeerId } from '../base/ids.ts'
import type { Passed, TaskRun } from '../core/dispatch.ts'
import type { Outcome } from '../core/trust.ts'
import type { DoneBy, RunningJob } from './running-job.ts'

export type RequesterEvents = {
  peerOf(node: Did): PeerId | null
  /** What a linked node is, to be remembered with its results. */
  doneBy(node: Did): DoneBy | null
  /** Sends our chain as far as the node lacks it, so that it can see the money. */
  showChain(peer: PeerId): void
  judged(node: Did, skill: string, outcome: Outcome, microCredits: number, elapsedMs: number): void
  /** A result was accepted: write the receipt, pay, and keep the bytes, all at once. */
  settle(
    job: RunningJob,
    task: TaskRun,
    passed: Passed,
    inputs: readonly Cid[],
    bytes: Uint8Array<ArrayBuffer>,
    primary: boolean,
  ): void
  /** A job wants nodes. */
  began(): void
  ended(job: RunningJob): void
  changed(): void
}

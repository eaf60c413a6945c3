/** What the parts of a session share, and what they ask of the node around them. */
import type { Cid, Did, PeerId } from '../../base/ids.ts'
import type { MicroCredits, Ms } from '../../base/units.ts'
import type { Pipeline } from '../../core/pipeline.ts'
import type { ModelSize } from '../../core/plan/stages.ts'
import type { StageAnswers, StageFeed, StageWork } from '../../core/stage-cost.ts'
import type { Outcome } from '../../core/trust.ts'
import type { LlamaConfig } from '../../models/llama/config.ts'
import type { SignedManifest } from '../../wire/manifest.ts'
import type { Bill } from './bills.ts'
import type { Greeted } from '../links.ts'
import type { LeafExchange } from './leaf-exchange.ts'
import type { Post } from './post.ts'
import type { Recovering } from './recovering.ts'
import type { SessionId, SessionProblem, SessionView, Talk } from './session-view.ts'

export type SessionState = {
  readonly id: SessionId
  readonly talk: Talk
  readonly config: LlamaConfig
  readonly size: ModelSize
  /** What the last stage is asked for. */
  readonly answers: StageAnswers
  readonly model: Cid
  readonly manifest: SignedManifest
  readonly beganAt: Ms
  phase: SessionView['state']
  problem: SessionProblem | null
  /** Both are empty until nodes have been found. */
  posts: readonly Post[]
  flow: Pipeline | null
  readonly recoveries: Recovering
  /** That were found right. */
  bills: number
}

export type SessionPorts = {
  leaves(): LeafExchange
  linked(): readonly Greeted[]
  peerOf(account: Did): PeerId | null
  /** The relay by which a node can be called. */
  relayOf(account: Did): string | null
  /** Nodes that advertise and are not linked yet. */
  moreToCome(): boolean
  judged(node: Did, outcome: Outcome, microCredits: MicroCredits, elapsedMs: number): void
  /** Pays a bill that was found right. */
  pay(session: SessionState, bill: Bill, worker: Did): void
  funds(): number
  /** The chain behind our money goes to a node, as far as that is new to it. */
  showChain(peer: PeerId): void
  changed(): void
}

export const isOver = ({ phase }: SessionState): boolean =>
  phase === 'done' || phase === 'failed' || phase === 'stopped'

/** What answers of a stage are worth, at the price of this session. */
export type Metering = {
  work(post: Pick<Post, 'from' | 'to'>, feed: StageFeed): StageWork
  /** Of an answer that is no replay. */
  bytes(post: Pick<Post, 'from' | 'to'>, feed: Pick<StageFeed, 'at' | 'count'>): number
  cost(work: StageWork): MicroCredits
}

/** A language model that goes on with a text over several nodes: what is asked, and what can be seen of it. */
import type { Cid, Did, JobId } from '../../base/ids.ts'
import type { MicroCredits } from '../../base/units.ts'
import type { Sampling } from '../../models/sampling.ts'
import type { NoRoom } from '../../core/plan/stages.ts'
import type { Manifest } from '../../wire/manifest.ts'
import type { Answer } from '../desk.ts'

export type SessionId = string

export type SessionProblem = {
  readonly code: string
  readonly text: string
  /** Where a model is too large for the nodes that are there. */
  readonly missing?: NoRoom
}

/** A model on this device: what it is, and its leaves. */
export type ModelSource = {
  /** Without a publisher: whoever asks signs it. */
  readonly manifest: Omit<Manifest, 'publisher'>
  /** Bytes of a leaf, read from the model's files. */
  read(leaf: Cid, then: Answer<Uint8Array<ArrayBuffer>>): void
}

export type Talk = {
  readonly source: ModelSource
  /** Names what is asked, as a job's CID does: its receipts carry it. */
  readonly job: JobId
  readonly title: string
  readonly promptIds: readonly number[]
  /** New tokens at most. */
  readonly tokens: number
  readonly sampling: Sampling
  readonly seed: number
  /** Tokens of the prompt that were drawn from this seed before: chance goes on behind them; 0 if absent. */
  readonly drawn?: number
  /** Nodes to spread over at most; as many as there are, and make it faster, if absent. */
  readonly stages?: number
  /** Thousandths of the metered cost to pay; 0 asks for the free tier. */
  readonly price: number
  /** Micro-credits that it may cost in all; then it ends with `over-budget`. */
  readonly budget?: MicroCredits
  /** The logits after the prompt, before the first token. */
  prompted(logits: Float32Array): void
  /** Each token once it is drawn. */
  token(id: number): void
  /** A stage had lied: of the tokens told so far only the first `kept` stand, and the rest is drawn anew. */
  rewound(kept: number): void
  /** Null when all is well: all tokens are there, or the model has ended its answer. */
  ended(problem: SessionProblem | null): void
}

export type StageView = {
  readonly index: number
  /** Layers [from, to). */
  readonly from: number
  readonly to: number
  readonly node: Did | null
  readonly state: 'calling' | 'fetching' | 'loading' | 'ready' | 'replaying' | 'lost'
  readonly permille: number
  /** Bytes of its weights: that were there, that we gave, that others gave. */
  readonly here: number
  readonly given: number
  readonly others: number
  /** Medians over the last tokens. */
  readonly computeMs: number | null
  /** Audits passed, and tokens they covered. */
  readonly audited: number
  readonly microCredits: MicroCredits
  readonly paid: MicroCredits
}

export type SessionView = {
  readonly id: SessionId
  readonly job: JobId
  readonly title: string
  readonly model: { readonly name: string; readonly id: Cid | null; readonly layers: number }
  readonly state:
    | 'calling'
    | 'loading'
    | 'prompt'
    | 'tokens'
    | 'settling'
    | 'done'
    | 'failed'
    | 'stopped'
  readonly problem: SessionProblem | null
  readonly stages: readonly StageView[]
  readonly promptTokens: number
  readonly tokens: number
  /** Since the first token, over what is there now; null before the second token. */
  readonly tokensPerSecond: number | null
  /** Where the time of the last tokens went, milliseconds each: medians. */
  readonly time: {
    readonly compute: number
    /** Between nodes, and waiting for other work there. */
    readonly between: number
    readonly here: number
  } | null
  readonly recoveries: readonly {
    readonly stage: number
    readonly code: string
    readonly lost: Did
    /** From the last word of the lost node to the next token; 0 until that has come. */
    readonly ms: number
    /** Of these: until it was given up, until another was asked, until that one had the weights, and the rest. */
    readonly parts: {
      readonly noticed: number
      readonly found: number
      readonly loaded: number
      readonly replayed: number
    } | null
    readonly replayed: number
  }[]
  readonly spent: MicroCredits
  /** Bills that were found right: each becomes a receipt, also where nothing is paid. */
  readonly bills: number
}

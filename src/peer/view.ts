/**
 * What a person can see of a running node, as plain data. The interface renders this and nothing else,
 * so whatever is on the screen has happened.
 */
import type { Cid, Did, JobId, PeerId, TaskId } from '../base/ids.ts'
import type { EpochMs, MicroCredits, Ms } from '../base/units.ts'
import type { Job } from '../core/job.ts'
import type { Capability, Reachability } from '../ports.ts'
import type { Refusal } from '../wire/messages.ts'
import type { SessionId, SessionView, Talk } from './models/session-view.ts'
import type { DoneBy } from './running-job.ts'
import type { SignedBlock, SignedReceipt } from '../wire/signed.ts'

/** Why a node that was started does not take work at the moment; null = it does. */
export type PauseReason =
  | 'paused-by-you'
  | 'finishing'
  | 'hidden'
  | 'on-battery'
  | 'metered'
  | 'too-warm'
  | 'device-lost'
  | 'offline'
  | 'update-waiting'

export type DonateView = {
  /** `idle`: nothing computes, no consent yet. `measuring`: the 3-second benchmark. */
  readonly state: 'idle' | 'measuring' | 'ready' | 'working' | 'paused' | 'finishing'
  readonly pause: PauseReason | null
  readonly measuringPermille: number
  readonly capability: Capability | null
  /** The part of the device the owner allows, and the part measured over the last ten seconds, 0..1. */
  readonly share: number
  readonly measuredShare: number
  readonly now: {
    readonly lease: string
    readonly job: JobId
    readonly title: string
    readonly kernel: string
    readonly requester: Did
    readonly permille: number
    readonly startedAt: Ms
    readonly microCredits: MicroCredits
  } | null
  readonly queued: number
  readonly doneTasks: number
  readonly handedBack: number
  readonly refused: Partial<Record<Refusal, number>>
  readonly earned: MicroCredits
  /** When it stops by itself (`Limits.stopAfterMinutes`); null while idle or where it never does. */
  readonly stopsAt: EpochMs | null
}

export type TaskState =
  | 'waiting' // reads what others have not finished
  | 'queued'
  | 'leased' // a node has it and is fetching inputs
  | 'computing'
  | 'returned' // being checked
  | 'verified'
  | 'rejected' // a wrong result came; it will be tried elsewhere

export type TaskView = {
  readonly id: TaskId
  readonly index: number
  readonly kernel: string
  readonly state: TaskState
  readonly permille: number
  readonly node: Did | null
  readonly attempt: number
  readonly verdict: 'accepted' | 'rejected' | null
  readonly check: string | null
  readonly why: string | null
  readonly receipt: Cid | null
  readonly flop: number
  readonly bytes: number
  readonly microCredits: MicroCredits
  readonly queuedMs: number
  readonly computeMs: number
  /** What the node was that did it, and its link; null before, and where that was not noted. */
  readonly by: DoneBy | null
  /** The tensor it writes: an output, or one between stages. */
  readonly tensor: string
  /** Where its output lies in that tensor, for showing partial results in place. */
  readonly rect: {
    readonly row: number
    readonly rows: number
    readonly col: number
    readonly cols: number
  }
}

/** A tensor the person gets. A picture is u8 with a shape of [height, width, 4]. */
export type OutputView = {
  readonly name: string
  readonly dtype: 'f32' | 'i32' | 'u32' | 'i8' | 'u8'
  readonly shape: readonly number[]
}

export type JobState =
  | 'planning'
  | 'running'
  | 'waiting-for-nodes'
  | 'paused'
  | 'done'
  | 'failed'
  | 'cancelled'

export type JobView = {
  readonly id: JobId
  readonly job: Job
  readonly title: string
  readonly state: JobState
  /** A code and a sentence when it failed or waits. */
  readonly problem: { readonly code: string; readonly text: string } | null
  readonly tasks: readonly TaskView[]
  readonly outputs: readonly OutputView[]
  readonly verified: number
  readonly spent: MicroCredits
  readonly submittedAt: EpochMs
  readonly elapsedMs: Ms
  readonly firstResultMs: Ms | null
}

export type NodeView = {
  readonly account: Did
  readonly peer: PeerId
  readonly adapter: 'gpu' | 'software' | 'cpu'
  /** Throughput class, log2 of MFLOP/s in f32. */
  readonly f32: number
  readonly state: 'ready' | 'busy' | 'paused'
  readonly link: 'direct' | 'relayed' | 'none'
  readonly rttMs: number | null
  readonly queued: number
  /** Its owner lets shaders of others run there. */
  readonly wgsl: boolean
  /** My own view of it, 0..1. */
  readonly trust: number
  readonly accepted: number
  readonly rejected: number
  readonly self: boolean
}

export type WalletView = {
  readonly account: Did
  readonly balance: MicroCredits
  /** Debits I signed that the payee has not answered yet. */
  readonly inFlight: MicroCredits
  /** Balance after each block, oldest first, at most 500 points. */
  readonly history: readonly {
    readonly hour: number
    readonly seq: number
    readonly balance: MicroCredits
  }[]
  readonly receipts: readonly {
    readonly cid: Cid
    readonly signed: SignedReceipt
    readonly role: 'worker' | 'requester'
    /** Our half-block of the payment, and the one that answers it; null in the free tier. */
    readonly block: SignedBlock | null
    readonly answer: SignedBlock | null
  }[]
  readonly blocks: readonly SignedBlock[]
  readonly backedUp: boolean
}

export type Problem = { readonly code: string; readonly text: string }

export type View = {
  readonly swarm: { readonly cid: Cid; readonly name: string }
  readonly account: Did
  readonly peer: PeerId
  readonly reachability: Reachability
  readonly donate: DonateView
  readonly jobs: readonly JobView[]
  /** Language models that we ask. */
  readonly sessions: readonly SessionView[]
  readonly nodes: readonly NodeView[]
  readonly wallet: WalletView
  /** What is wrong right now, in words; empty when all is well. */
  readonly problems: readonly Problem[]
}

export type Limits = {
  /** 0.05..1: the part of the device's time that others may use. */
  readonly share: number
  readonly pauseWhenHidden: boolean
  readonly pauseOnBattery: boolean
  readonly pauseOnMetered: boolean
  readonly allowWgsl: boolean
  /** Kernels this owner does not run, by name without version: `mandelbrot`. */
  readonly refuses: readonly string[]
  readonly freeTier: boolean
  /** Free work has no bound here: for nodes of a swarm that is all its owner's. */
  readonly givesAll: boolean
  /** Bytes one task may take. */
  readonly memoryBytes: number
  /** Stops by itself after this many minutes; 0 = never. */
  readonly stopAfterMinutes: number
}

/** All that the interface, the SDK and the command line can ask of a running node. */
export type NodeHandle = {
  view(): View
  /** Calls back after each change, at most once per turn; returns how to stop. */
  watch(then: () => void): () => void
  start(): void
  pause(): void
  resume(): void
  finish(): void
  stop(): void
  setLimits(limits: Limits): void
  limits(): Limits
  /** Conditions the page sees: hidden, battery, metered, warm. A reason stays until taken back. */
  condition(reason: PauseReason, present: boolean): void
  submit(job: Job, title: string, inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): JobId
  cancel(job: JobId): void
  resumeJob(job: JobId): void
  forgetJob(job: JobId): void
  /** The bytes of an output tensor as far as it is filled; whole when the job is done. */
  output(job: JobId, name: string): Uint8Array<ArrayBuffer> | null
  /** Lets a language model go on with a prompt, over nodes that are there. */
  talk(asked: Talk): SessionId
  stopTalk(id: SessionId): void
  close(): Promise<void>
}

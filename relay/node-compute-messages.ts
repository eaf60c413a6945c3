/** What a Node process and its computing thread say to each other. */
import type { Result } from '../src/base/result.ts'
import type { Verdict } from '../src/core/verify.ts'
import type { Cid } from '../src/base/ids.ts'
import type {
  Capability,
  CheckTask,
  ComputeDone,
  ComputeTask,
  PortError,
  StageAnswer,
  StageSpec,
  StageStep,
} from '../src/ports.ts'
import type { ComputeError } from '../workers/errors.ts'

/** `ask` numbers the question; `id` is the task's name, by which it can be cancelled. */
export type Ask = { readonly ask: number; readonly id: string; readonly memoryBytes: number } & (
  | { readonly kind: 'run'; readonly task: ComputeTask }
  | { readonly kind: 'check'; readonly task: CheckTask }
  | { readonly kind: 'benchmark' }
  | { readonly kind: 'open-stage'; readonly stage: StageSpec }
  | { readonly kind: 'step'; readonly step: StageStep }
)
export type Question = Ask extends infer A ? (A extends Ask ? Omit<A, 'ask'> : never) : never

export type Reply = ComputeDone | Verdict | Capability | StageAnswer | null
/** What is said to the thread without an answer. */
export type Word =
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'share'; readonly value: number }
  | { readonly kind: 'forget-stage'; readonly stage: string; readonly session: string }
  | { readonly kind: 'close-stage'; readonly stage: string }
  | {
      readonly kind: 'leaf'
      readonly ask: number
      readonly name: Cid
      readonly found: Result<Uint8Array<ArrayBuffer>, PortError>
    }

export type Answer =
  /** Of a stage that is being opened. */
  | { readonly ask: number; readonly wants: Cid; readonly busyMs: number }
  | { readonly ask: number; readonly progress: number; readonly busyMs: number }
  | { readonly ask: number; readonly reply: Result<Reply, ComputeError>; readonly busyMs: number }

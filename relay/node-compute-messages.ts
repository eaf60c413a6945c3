/** What a Node process and its computing thread say to each other. */
import type { Result } from '../src/base/result.ts'
import type { Verdict } from '../src/core/verify.ts'
import type { Capability, CheckTask, ComputeDone, ComputeTask } from '../src/ports.ts'
import type { ComputeError } from '../workers/errors.ts'

/** `ask` numbers the question; `id` is the task's name, by which it can be cancelled. */
export type Ask = { readonly ask: number; readonly id: string; readonly memoryBytes: number } & (
  | { readonly kind: 'run'; readonly task: ComputeTask }
  | { readonly kind: 'check'; readonly task: CheckTask }
  | { readonly kind: 'benchmark' }
)
export type Question = Ask extends infer A ? (A extends Ask ? Omit<A, 'ask'> : never) : never

export type Reply = ComputeDone | Verdict | Capability
export type Answer =
  | { readonly ask: number; readonly progress: number; readonly busyMs: number }
  | { readonly ask: number; readonly reply: Result<Reply, ComputeError>; readonly busyMs: number }

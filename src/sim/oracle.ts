/** Knows what every job truly comes to, as nobody in the swarm does before it is done. */
import { kernelById } from '../../kernels/index.ts'
import { viewAs, type TensorData } from '../../kernels/kernel.ts'
import type { Cid, JobId } from '../base/ids.ts'
import { cutReads, type Tensors } from '../core/evaluate.ts'
import type { Plan, PlannedTask } from '../core/plan.ts'
import { cut } from '../core/rect.ts'
import { cidOfBytes } from '../wire/codec.ts'

export type Truth = {
  readonly plan: Plan
  readonly tensors: Tensors
  readonly redundancy: number
  readonly trusted: boolean
}

/**
 * `bent`: not what it should be to the last bit, but within what the kernel allows an honest device.
 * `unknown`: it was made from something bent.
 */
export type Finding = 'true' | 'bent' | 'wrong' | 'unknown'

export type Oracle = ReturnType<typeof oracle>

export const oracle = () => {
  const truths = new Map<JobId, Truth & { readonly names: Map<string, Cid> }>()
  const bent = new Set<JobId>()

  const judge = ({ plan, tensors }: Truth, task: PlannedTask, bytes: Uint8Array): Finding => {
    const { tensor, rect } = task.writes
    const type = plan.tensors[tensor]!
    const want = viewAs(type.dtype, cut(tensors[tensor]!, type, rect))
    const got = viewAs(type.dtype, bytes)
    if (got.length === want.length && got.every((value, i) => Object.is(value, want[i])))
      return 'true'
    if (got.length !== want.length || type.dtype !== 'f32') return 'wrong'
    return allowed(plan, task, tensors, got, want) ? 'bent' : 'wrong'
  }

  return {
    expect: (job: JobId, truth: Truth): void =>
      void (truths.has(job) || truths.set(job, { ...truth, names: new Map() })),
    /** Nobody will ask about this job again. */
    forget: (job: JobId): void => void truths.delete(job),
    of: (job: JobId): Truth | undefined => truths.get(job),
    /** The name of what a task truly reads; null where that depends on something bent. */
    read(job: JobId, index: number, slot: number): Cid | null {
      const truth = truths.get(job)
      if (!truth || bent.has(job)) return null
      const key = `${index}/${slot}`
      const known = truth.names.get(key)
      if (known) return known
      const { tensor, rect } = truth.plan.tasks[index]!.reads[slot]!
      const name = cidOfBytes(cut(truth.tensors[tensor]!, truth.plan.tensors[tensor]!, rect))
      truth.names.set(key, name)
      return name
    },
    /** What a result that somebody accepted is worth. */
    accepted(job: JobId, task: PlannedTask, bytes: Uint8Array): Finding {
      const found = judge(truths.get(job)!, task, bytes)
      if (found === 'true') return found
      const first = !bent.has(job)
      bent.add(job)
      return first || isFirstStage(truths.get(job)!, task) ? found : 'unknown'
    },
  }
}

/** Reads nothing but what its owner gave. */
const isFirstStage = ({ plan }: Truth, task: PlannedTask): boolean =>
  task.reads.every(({ tensor }) => plan.tasks.every(({ writes }) => writes.tensor !== tensor))

/** Within the kernel's own range where it has one, else within what float rounding comes to. */
const allowed = (
  plan: Plan,
  task: PlannedTask,
  tensors: Tensors,
  got: TensorData,
  want: TensorData,
): boolean => {
  const kernel = kernelById(task.kernel)!
  const parsed = kernel.parse(task.params)
  if (!parsed.ok) return false
  const { range } = kernel
  if (!range) {
    return got.every((value, i) => Math.abs(value - want[i]!) <= 1e-4 + 1e-4 * Math.abs(want[i]!))
  }
  const inputs = cutReads(plan, task, tensors).map((bytes, i) =>
    viewAs(task.reads[i]!.type.dtype, bytes),
  )
  return got.every((value, item) => {
    const { low, high, nan } = range(parsed.value, inputs, item)
    return Number.isNaN(value) ? nan : value >= low && value <= high
  })
}

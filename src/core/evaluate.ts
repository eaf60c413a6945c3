/** Runs a plan on the kernels' CPU references: the slow, plain truth that results are compared with. */
import { kernelById } from '../../kernels/index.ts'
import { allocate, elements, viewAs, type TensorData } from '../../kernels/kernel.ts'
import { assert } from '../base/assert.ts'
import type { Plan, PlannedTask } from './plan.ts'
import { cut, paste } from './rect.ts'
import { openTensors } from './tensors.ts'

export type Tensors = Readonly<Record<string, TensorData>>

/** Every tensor of the plan, from its inputs. */
export const evaluate = (plan: Plan, inputs: Tensors): Tensors => {
  const tensors = Object.fromEntries(openTensors(plan, inputs))
  for (const task of plan.tasks) {
    const { tensor, rect } = task.writes
    const output = evaluateTask(task, cutReads(plan, task, tensors))
    paste(tensors[tensor]!, plan.tensors[tensor]!, rect, bytesOf(output))
  }
  return tensors
}

/** What a task is sent: its pieces of the tensors it reads. */
export const cutReads = (
  plan: Plan,
  task: PlannedTask,
  tensors: Tensors,
): Uint8Array<ArrayBuffer>[] =>
  task.reads.map(({ tensor, rect }) => {
    const data = tensors[tensor]
    assert(data, `task ${task.index} reads a tensor that is there`)
    return cut(data, plan.tensors[tensor]!, rect)
  })

export const evaluateTask = (task: PlannedTask, inputs: readonly Uint8Array[]): TensorData => {
  const kernel = kernelById(task.kernel)
  assert(kernel, `the kernel ${task.kernel} is one of ours`)
  const parsed = kernel.parse(task.params)
  assert(parsed.ok, `a planned task's parameters are accepted`)
  const type = kernel.output(parsed.value)
  const output = allocate(type.dtype, elements(type.shape))
  const data = task.reads.map((read, i) => viewAs(read.type.dtype, inputs[i]!))
  kernel.reference(parsed.value, data, 0, kernel.items(parsed.value), output)
  return output
}

const bytesOf = (data: TensorData): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

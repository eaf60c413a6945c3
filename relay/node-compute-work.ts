/** What the computing thread of a Node process does: run a task, check a result, measure itself. */
import { createHash } from 'node:crypto'
import { GRAPH, graphKernel } from '../kernels/graph.ts'
import { shaderById } from '../kernels/index.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import { rawCidFromDigest } from '../src/wire/codec.ts'
import { checkingOf, inSlices } from '../workers/check.ts'
import { runOnCpu } from '../workers/cpu.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'
import { runGraph } from '../workers/graph.ts'
import { prepare } from '../workers/prepare.ts'
import { StageKeeper, type LeafReader } from '../workers/stages.ts'
import { TensorEngine } from '../workers/tensor/engine.ts'
import type { ComputeTask, StageAnswer, StageStep } from '../src/ports.ts'
import type { Control, Finished } from '../workers/runnable.ts'
import type { Shared } from '../workers/turns.ts'
import type { Ask, Reply } from './node-compute-messages.ts'
import { measureCpu } from './node-measure.ts'

/** Null until one is opened. */
export let stages: StageKeeper | null = null

export const openStage = (
  { stage, memoryBytes }: Ask & { kind: 'open-stage' },
  read: LeafReader,
  progress: (permille: number) => void,
): Promise<Result<null, ComputeError>> => {
  stages ??= new StageKeeper(
    async () => tensors(memoryBytes),
    () => memoryBytes,
  )
  return stages.open(stage, read, progress)
}

export const askStage = (step: StageStep, control: Control): Shared<StageAnswer> =>
  stages?.ask(step, control) ?? {
    answer: Promise.resolve(err(computeError('no-stage', 'none was opened'))),
    run: async () => undefined,
  }

export const perform = async (
  asked: Exclude<Ask, { kind: 'open-stage' | 'step' }>,
  controls: Control,
): Promise<Result<Reply, ComputeError>> => {
  if (asked.kind === 'benchmark') return measureCpu(asked.memoryBytes, controls)
  if (asked.kind === 'run') {
    const done = await run(asked.task, controls, asked.memoryBytes)
    if (!done.ok) return done
    const { output, computeMs } = done.value
    return ok({
      output,
      computeMs,
      cid: rawCidFromDigest(createHash('sha256').update(output).digest()),
    })
  }
  const steps = checkingOf(asked.task)
  return steps.ok ? inSlices(steps.value, controls.cancelled) : steps
}

let engine: TensorEngine | null = null

/** One thread: who lends a process says how much of it by the time that it may take. */
const tensors = (memoryBytes: number): TensorEngine =>
  (engine ??= new TensorEngine({ memoryBytes, threads: 1 }))

const run = async (
  task: ComputeTask,
  controls: Control,
  memoryBytes: number,
): Promise<Result<Finished, ComputeError>> => {
  if (task.kernel === GRAPH) {
    const work = prepare(graphKernel, task)
    return work.ok ? runGraph(tensors(memoryBytes), work.value, controls) : work
  }
  const kernel = shaderById(task.kernel)
  if (kernel === undefined) return err(computeError('unknown-kernel', task.kernel))
  const work = prepare(kernel, task)
  return work.ok ? runOnCpu(work.value, controls, memoryBytes) : work
}

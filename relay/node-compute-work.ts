/** What the computing thread of a Node process does: run a task, check a result, measure itself. */
import { createHash } from 'node:crypto'
import { words } from '../src/base/bytes.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import { checking, type Verdict } from '../src/core/verify.ts'
import { rawCidFromDigest } from '../src/wire/codec.ts'
import { runOnCpu } from '../workers/cpu.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'
import { breathe } from '../workers/pace.ts'
import type { Control } from '../workers/runnable.ts'
import type { Ask, Reply } from './node-compute-messages.ts'
import { measureCpu, prepare } from './node-measure.ts'

/** Between two breaths of a check. */
const CHECK_SLICE_MS = 10

export const perform = async (
  asked: Ask,
  controls: Control,
): Promise<Result<Reply, ComputeError>> => {
  if (asked.kind === 'benchmark') return measureCpu(asked.memoryBytes, controls)
  const work = prepare(asked.task)
  if (!work.ok) return work
  if (asked.kind === 'run') {
    const done = await runOnCpu(work.value, controls, asked.memoryBytes)
    if (!done.ok) return done
    const { output, computeMs } = done.value
    return ok({
      output,
      computeMs,
      cid: rawCidFromDigest(createHash('sha256').update(output).digest()),
    })
  }
  const { params, output, rate } = asked.task
  const seed = words(crypto.getRandomValues(new Uint8Array(32)))
  const steps = checking({
    kernel: work.value.kernel,
    params,
    inputs: work.value.views,
    output,
    seed,
    rate,
  })
  return breathing(steps, controls)
}

const breathing = async (
  steps: ReturnType<typeof checking>,
  controls: Control,
): Promise<Result<Verdict, ComputeError>> => {
  for (let rested = performance.now(); ;) {
    const step = steps.next()
    if (step.done === true) return ok(step.value)
    if (performance.now() - rested < CHECK_SLICE_MS) continue
    await breathe()
    rested = performance.now()
    if (controls.cancelled()) return err(computeError('cancelled', 'check'))
  }
}

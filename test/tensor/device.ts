/** The device of this process's tests, opened once; null, with a reason said aloud, where there is none. */
import { openNodeGpu } from '../../relay/node-gpu.ts'
import { lower, type LowerOptions } from '../../kernels/tensor/lower.ts'
import { TensorRunner } from '../../workers/tensor/runner.ts'
import { targetOf } from '../../workers/tensor/target.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Gpu } from '../../workers/gpu/device.ts'

const BUDGET_BYTES = 2 ** 28
/** A software adapter on a busy machine. */
export const COMPILE_MS = 150_000

type Options = LowerOptions & Partial<Target>

export type Engine = {
  readonly runner: TensorRunner
  readonly target: Target
  run(bound: Bound, inputs: readonly Tensor[], options?: Options): Promise<readonly Tensor[]>
}

const opened = await openNodeGpu(BUDGET_BYTES)
if (!opened.ok) process.stderr.write(`skipped without an adapter: ${opened.error.detail}\n`)

const engineOf = (gpu: Gpu): Engine => {
  const runner = new TensorRunner(gpu)
  const target = targetOf(gpu.device)
  return {
    runner,
    target,
    async run(bound, inputs, { family, subgroup, tiles, ...options } = {}) {
      const asked = {
        family: family ?? target.family,
        subgroup: subgroup === undefined ? target.subgroup : subgroup,
        ...(tiles === undefined ? {} : { tiles }),
      }
      const program = lower(bound, asked, options)
      // A GPU's kernels take a software adapter long, and here nobody answers in its place.
      const prepared = await runner.prepare(program, COMPILE_MS)
      if (!prepared.ok) throw new Error(`${prepared.error.code}: ${prepared.error.detail}`)
      const ran = await prepared.value.run(inputs)
      prepared.value.close()
      if (!ran.ok) throw new Error(`${ran.error.code}: ${ran.error.detail}`)
      return ran.value.outputs
    },
  }
}

export const engine: Engine | null = opened.ok ? engineOf(opened.value) : null

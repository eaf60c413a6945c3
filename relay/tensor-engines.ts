/** The engines that operator cases can be run on in Node. */
import { lower } from '../kernels/tensor/lower.ts'
import { TensorRunner } from '../workers/tensor/runner.ts'
import { targetOf } from '../workers/tensor/target.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import { openCpuEngine } from './cpu-engine.ts'
import { openNodeGpu } from './node-gpu.ts'
import type { ComputeError } from '../workers/errors.ts'
import type { Engine } from './onnx-cases.ts'

/** Far more than an operator's case needs, far less than a machine has. */
const BUDGET_BYTES = 2 ** 30

export const ENGINES = ['webgpu', 'cpu'] as const
export type EngineName = (typeof ENGINES)[number]

export const openEngine = async (name: EngineName): Promise<Result<Engine, ComputeError>> =>
  name === 'cpu' ? openCpuEngine(1) : openWebGpu()

const openWebGpu = async (): Promise<Result<Engine, ComputeError>> => {
  const gpu = await openNodeGpu(BUDGET_BYTES)
  if (!gpu.ok) return gpu
  const { device, adapter } = gpu.value
  const runner = new TensorRunner(device, BUDGET_BYTES)
  const target = targetOf(device)
  return ok({
    name: `webgpu, ${adapter.label}`,
    close: () => runner.close(),
    async run(bound, inputs) {
      const prepared = await runner.prepare(lower(bound, target))
      if (!prepared.ok) return err(`${prepared.error.code}: ${prepared.error.detail}`)
      const ran = await prepared.value.run(inputs)
      prepared.value.close()
      return ran.ok ? ran : err(`${ran.error.code}: ${ran.error.detail}`)
    },
  })
}

/** The engines that operator cases can be run on in Node. */
import { TensorEngine } from '../workers/tensor/engine.ts'
import { graphEngine } from '../workers/tensor/graph-engine.ts'
import { FREE } from '../workers/runnable.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import { openNodeGpu } from './node-gpu.ts'
import type { ComputeError } from '../workers/errors.ts'
import type { GraphEngine } from '../src/models/graph-engine.ts'
import type { Engine } from './onnx-cases.ts'

/** Far more than an operator's case needs, far less than a machine has. */
const BUDGET_BYTES = 2 ** 30
/** Cases have a limit of their own, which ends the process. */
const COMPILE_MS = 3_600_000

/** Where nothing else could answer, a software adapter may take its time to compile. */
const PATIENT_MS = 10 * 60_000

export const ENGINES = ['webgpu', 'cpu'] as const
export type EngineName = (typeof ENGINES)[number]
/** `reference` is slow and always right. */
export const GRAPH_ENGINES = [...ENGINES, 'reference'] as const
export type GraphEngineName = (typeof GRAPH_ENGINES)[number]

export const openEngine = async (name: EngineName): Promise<Result<Engine, ComputeError>> => {
  const options = { memoryBytes: BUDGET_BYTES, threads: 1 }
  if (name === 'cpu')
    return ok(engineOf('cpu, WebAssembly', new TensorEngine({ ...options, force: 'cpu' })))
  const gpu = await openNodeGpu(BUDGET_BYTES)
  if (!gpu.ok) return gpu
  const forced = { force: 'webgpu', compileMs: COMPILE_MS } as const
  const engine = new TensorEngine({ ...options, ...forced, gpu: async () => gpu })
  return ok(engineOf(`webgpu, ${gpu.value.adapter.label}`, engine))
}

/** The same engines for whoever runs a graph again and again. */
export const openGraphEngine = async (
  name: GraphEngineName,
): Promise<Result<GraphEngine & { close(): void }, ComputeError>> => {
  const options = { memoryBytes: BUDGET_BYTES, threads: 1 }
  if (name !== 'webgpu') return ok(graphEngine(new TensorEngine({ ...options, force: name }), true))
  const gpu = await openNodeGpu(BUDGET_BYTES)
  if (!gpu.ok) return gpu
  const forced = { gpu: async () => gpu, force: 'webgpu', compileMs: PATIENT_MS } as const
  const answersInMemory = gpu.value.adapter.kind === 'software'
  return ok(graphEngine(new TensorEngine({ ...options, ...forced }), answersInMemory))
}

const engineOf = (name: string, engine: TensorEngine): Engine => ({
  name,
  close: () => engine.close(),
  async run(bound, inputs) {
    const prepared = await engine.prepare(bound)
    if (!prepared.ok) return err(`${prepared.error.code}: ${prepared.error.detail}`)
    const ran = await prepared.value.run(inputs, FREE)
    prepared.value.close()
    return ran.ok ? ok(ran.value.outputs) : err(`${ran.error.code}: ${ran.error.detail}`)
  },
})

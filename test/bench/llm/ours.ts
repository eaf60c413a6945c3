/** A stage of ours through the tensor engine: on WebGPU, or on what the engine chooses here by itself. */
import { openStage } from '../../../src/models/stage.ts'
import { DeviceKeeper } from '../../../workers/gpu/device.ts'
import { TensorEngine } from '../../../workers/tensor/engine.ts'
import { graphEngine } from '../../../workers/tensor/graph-engine.ts'
import { CONFIG, type BenchModel } from './model.ts'
import type { StageSession } from '../../../src/models/stage-session.ts'
import type { LlmContender } from './contender.ts'

const BUDGET_BYTES = 2 ** 31
/** As ONNX Runtime's beside it. */
const THREADS = 2
/** Nobody answers in its place, and a software adapter takes long to compile. */
const COMPILE_MS = 300_000

export const openOurs = async (
  { model }: BenchModel,
  force: 'webgpu' | null,
): Promise<LlmContender & { readonly kind: string; readonly adapter: string }> => {
  const keeper = new DeviceKeeper(navigator.gpu, BUDGET_BYTES)
  const engine = new TensorEngine({
    memoryBytes: BUDGET_BYTES,
    threads: THREADS,
    gpu: () => keeper.get(),
    compileMs: COMPILE_MS,
    ...(force === null ? {} : { force }),
  })
  const chosen = await engine.chosen()
  if (!chosen.ok) throw new Error(chosen.error.detail)
  const stage = await openStage(model, { from: 0, to: CONFIG.layers }, graphEngine(engine))
  if (!stage.ok) throw new Error(stage.error.detail)
  const step = async (
    session: StageSession,
    input: readonly number[],
    past: number,
  ): Promise<Float32Array> => {
    const made = await session.step({ input, past })
    if (!made.ok) throw new Error(made.error.detail)
    return made.value.data as Float32Array
  }
  const [fresh, talk] = [stage.value.session(), stage.value.session()]
  let said = 0
  const { kind } = chosen.value
  const opened = await keeper.get()
  return {
    name: force === null ? `ours, as chosen (${kind})` : 'ours, WebGPU',
    kind,
    adapter: opened.ok ? opened.value.adapter.label : 'no adapter',
    gpu: kind === 'gpu' || kind === 'software',
    prefill: (tokens) => step(fresh, tokens, 0),
    async say(tokens) {
      await step(talk, tokens, 0)
      said = tokens.length
    },
    decode: (token) => step(talk, [token], said),
    asked: () => engine.counts(),
  }
}

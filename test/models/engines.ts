/** What models are run on in tests, opened once in a process, and what they then say. */
import { openModelFiles, type ModelFiles } from '../../relay/model-files.ts'
import { openGraphEngine, type EngineName } from '../../relay/tensor-engines.ts'
import { generate, type Generation } from '../../src/models/generate.ts'
import { openModel, type Model } from '../../src/models/open-model.ts'
import { splitLayers } from '../../src/models/split-layers.ts'
import { openStage } from '../../src/models/stage.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'
import type { StageSession } from '../../src/models/stage-session.ts'
import type { Result } from '../../src/base/result.ts'
import type { ModelError } from '../../src/models/model-error.ts'

const cpu = await openGraphEngine('cpu')
const webgpu = await openGraphEngine('webgpu')
if (!webgpu.ok) process.stderr.write(`skipped without an adapter: ${webgpu.error.detail}\n`)

export const engines: readonly (readonly [EngineName, GraphEngine])[] = [
  ...(cpu.ok ? ([['cpu', cpu.value]] as const) : []),
  ...(webgpu.ok ? ([['webgpu', webgpu.value]] as const) : []),
]

/** The value, where a test has no use for an error. */
export const given = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

/** Weights are read whenever a stage is opened, so files stay open until the process ends. */
const opened = new Map<string, ModelFiles>()

export const modelAt = async (path: string): Promise<Model> => {
  const known = opened.get(path) ?? given(await openModelFiles(path))
  opened.set(path, known)
  return given(await openModel(known.files, known.folder))
}

export const stagesOf = async (
  model: Model,
  count: number,
  engine: GraphEngine,
): Promise<readonly StageSession[]> => {
  const ranges = splitLayers(model.config.layers, count)
  return Promise.all(
    ranges.map(async (range) => {
      const stage = given(await openStage(model, range, engine))
      const session = stage.session()
      // Here nobody else uses the stage.
      return {
        step: (asked) => session.step(asked),
        choose: (asked, top) => session.choose(asked, top),
        close: () => stage.close(),
      }
    }),
  )
}

export type Told = {
  promptIds: readonly number[]
  readonly ids: number[]
  text: string
  /** After the prompt. */
  logits: readonly number[]
  error: ModelError | null
}

/** All that is generated, with the stages closed. */
export const tell = async (asked: Generation): Promise<Told> => {
  const told: Told = { promptIds: [], ids: [], text: '', logits: [], error: null }
  for await (const piece of generate(asked)) {
    if (!piece.ok) {
      told.error = piece.error
      continue
    }
    const { id, text, promptIds, logits } = piece.value
    if (id === null) Object.assign(told, { promptIds, logits: [...logits!] })
    else told.ids.push(id)
    told.text += text
  }
  for (const stage of asked.stages) stage.close()
  return told
}

/** The largest distance of any two of them in their places. */
export const distance = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0) : NaN

/** The language model that is measured: small enough for a software adapter, with weights from a seed. */
import { floats } from '../../../kernels/noise.ts'
import { elements } from '../../../kernels/kernel.ts'
import { findParts } from '../../../src/models/llama/parts.ts'
import { weightShapes } from '../../../src/models/llama/weight-shapes.ts'
import { bytesFile } from '../../../src/models/model-file.ts'
import type { LlamaConfig } from '../../../src/models/llama/config.ts'
import type { StageModel } from '../../../src/models/stage.ts'
import type { Weight } from '../../../src/models/weight.ts'

export const CONFIG: LlamaConfig = {
  layers: 4,
  width: 256,
  heads: 8,
  keyHeads: 4,
  headSize: 32,
  inner: 768,
  vocabulary: 4096,
  context: 512,
  epsilon: 1e-5,
  rope: { base: 10_000, turned: 32, interleaved: false, scaling: { kind: 'none' } },
  tied: false,
  bos: null,
  eos: [],
}

/** Tokens that are there before the one that is measured, and those of a prompt. */
export const CACHED = 127
export const PROMPT = 64

export type Numbers = { readonly shape: readonly number[]; readonly data: Float32Array }

export type BenchModel = {
  readonly model: StageModel
  /** By the names of Hugging Face's layout. */
  readonly weights: ReadonlyMap<string, Numbers>
  /** CACHED of them, and one more. */
  readonly tokens: readonly number[]
}

export const makeModel = (): BenchModel => {
  const weights = new Map<string, Numbers>()
  for (const [seed, [name, ...shape]] of weightShapes(CONFIG).entries()) {
    // Rows stay about as long as they are, so that logits are some units large.
    const scale = shape.length === 1 ? 0.5 : Math.sqrt(3 / shape[1]!)
    const data = floats(elements(shape), seed + 1, name.includes('embed') ? 1 : scale)
    if (shape.length === 1) for (let i = 0; i < data.length; i++) data[i]! += 1
    weights.set(name, { shape, data })
  }
  const lying = new Map<string, Weight>()
  for (const [name, { shape, data }] of weights) {
    const file = bytesFile(name, new Uint8Array(data.buffer as ArrayBuffer))
    lying.set(name, { name, type: 'F32', shape, file, from: 0, to: data.byteLength })
  }
  const parts = findParts(CONFIG, lying, 'hf')
  if (!parts.ok) throw new Error(parts.error.detail)
  const tokens = Array.from({ length: CACHED + 1 }, (_, i) => (i * 1315423911 + 17) % 4093)
  return { model: { config: CONFIG, parts: parts.value }, weights, tokens }
}

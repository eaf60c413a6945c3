/**
 * A model of any size whose weights are noise: each number follows from its place, so no file is needed and nothing
 * is in memory before it is asked for. For measurements; what it says means nothing.
 */
import { ok } from '../base/result.ts'
import { modelError } from './model-error.ts'
import { findParts } from './llama/parts.ts'
import { weightShapes } from './llama/weight-shapes.ts'
import { weightBytes } from './weight.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LlamaParts } from './llama/parts.ts'
import type { ModelFile } from './model-file.ts'
import type { Weight } from './weight.ts'

export type RandomSizes = Pick<
  LlamaConfig,
  'layers' | 'width' | 'heads' | 'keyHeads' | 'headSize' | 'inner' | 'vocabulary' | 'context'
>

export type RandomModel = {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly config: LlamaConfig
  readonly parts: LlamaParts
}

export const randomModel = (sizes: RandomSizes, seed: number): RandomModel => {
  const config: LlamaConfig = {
    ...sizes,
    epsilon: 1e-5,
    rope: { base: 10_000, turned: sizes.headSize, interleaved: false, scaling: { kind: 'none' } },
    tied: false,
    bos: null,
    eos: [],
  }
  const weights = new Map(
    weightShapes(config).map(([name, ...shape], i) => [name, noiseWeight(name, shape, seed + i)]),
  )
  const parts = findParts(config, weights, 'hf')
  if (!parts.ok) throw new Error(parts.error.detail)
  const name = `noise of ${sizes.layers} layers`
  return { name, version: String(seed), license: 'cc0-1.0', config, parts: parts.value }
}

const noiseWeight = (name: string, shape: readonly number[], seed: number): Weight => {
  const bytes = weightBytes('F32', shape)!
  const isNorm = shape.length === 1
  // A row times numbers of size one comes out about one large.
  const scale = isNorm ? 0 : Math.sqrt(3 / shape[1]!)
  const file = noiseFile(name, bytes, { seed, scale, offset: isNorm ? 1 : 0 })
  return { name, type: 'F32', shape, file, from: 0, to: bytes }
}

type Noise = { readonly seed: number; readonly scale: number; readonly offset: number }

const noiseFile = (name: string, size: number, noise: Noise): ModelFile => ({
  name,
  size,
  async read(from, to) {
    if (to > size) return modelError('truncated', `${name} ends at ${size}, ${to} was asked`)
    const first = Math.floor(from / 4)
    const numbers = new Float32Array(Math.ceil(to / 4) - first)
    for (let i = 0; i < numbers.length; i++) numbers[i] = numberAt(first + i, noise)
    return ok(new Uint8Array(numbers.buffer, from - 4 * first, to - from))
  },
})

/** Between offset - scale and offset + scale; a mix of the place's bits (murmur3's last steps). */
const numberAt = (place: number, { seed, scale, offset }: Noise): number => {
  let bits = Math.imul(place ^ Math.imul(seed, 0x9e37_79b1), 0x85eb_ca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35)
  bits ^= bits >>> 16
  return offset + scale * (bits / 2 ** 31)
}

/** What weights are said to take, against what is there once they are loaded. */
import { describe, expect, it } from 'vitest'
import { loadRange, type RangeTensors } from '../../src/models/llama/range-tensors.ts'
import { openModel } from '../../src/models/open-model.ts'
import { deviceBytes, type Laid } from '../../src/models/device-bytes.ts'
import { rangeBytes } from '../../src/models/stage-memory.ts'
import { BLOCKS, type WeightType } from '../../src/models/weight.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Matrix } from '../../src/models/quantised-matrix.ts'
import { given } from './engines.ts'
import { MADE, madeModel } from './made-model.ts'

const bytesOf = (loaded: Matrix): number => {
  if (!('words' in loaded)) return loaded.data.byteLength
  const { words, scales, offsets } = loaded
  return [words, scales, offsets].reduce((sum, tensor) => sum + (tensor?.data.byteLength ?? 0), 0)
}

/** Each tensor once. */
const taken = ({ embedding, output, layers }: RangeTensors): number => {
  const all = new Set<Matrix | Tensor | null>([
    embedding,
    output?.norm ?? null,
    output?.weight ?? null,
    ...layers.flatMap(({ qkv, ...others }) => [
      ...qkv.flatMap(({ weight, bias }) => [weight, bias]),
      ...Object.values(others),
    ]),
  ])
  return [...all].reduce((sum, loaded) => sum + (loaded === null ? 0 : bytesOf(loaded)), 0)
}

/** So large that matrices stay quantised. */
const WIDE = { num_hidden_layers: 2, hidden_size: 512, intermediate_size: 768, head_dim: 64 }

describe.each([true, false])('a model with weights of every type, tied: %s', (tied) => {
  it('takes on a device what was said before it was read', async () => {
    const types = Object.keys(BLOCKS) as WeightType[]
    const config = { ...MADE, ...WIDE, tie_word_embeddings: tied }
    const made = madeModel(
      { ...config, model_type: tied ? 'qwen2' : 'llama', eos_token_id: 256 },
      { layout: 'gguf', types, seed: 3 },
    )
    const model = given(await openModel(made.files))
    for (const range of [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 0, to: 2 },
    ]) {
      const loaded = given(await loadRange(model.parts, range))
      expect(rangeBytes(model, range, false)).toBe(taken(loaded))
      // There nothing stays quantised, and all of it is small enough to be there for each size of run.
      const numbers = taken(given(await loadRange(model.parts, range, true)))
      expect(rangeBytes(model, range, true)).toBeGreaterThan(3 * numbers)
      expect(rangeBytes(model, range, true)).toBeLessThan(7 * numbers)
    }
  })
})

describe('large weights on a processor', () => {
  const laid = (part: string, rows: number): Laid => ({ part, type: 'F16', shape: [rows, 4_096] })
  const layer = [laid('q', 4_096), laid('o', 4_096), laid('gate', 8_192)]

  it('are there once, as numbers, whatever the sizes of runs', () => {
    const weights = Array.from({ length: 8 }, () => layer).flat()
    const numbers = 8 * 4 * 4_096 * 16_384
    const bytes = deviceBytes(weights, true)
    expect(bytes).toBeGreaterThan(numbers)
    expect(bytes).toBeLessThan(1.25 * numbers)
  })

  it('are there twice for as long as the largest of them is put there', () => {
    const more = deviceBytes([...layer, laid('output', 32_768)], true) - deviceBytes(layer, true)
    expect(more).toBeGreaterThan(3 * (4 * 4_096 * 32_768) - 2 * (4 * 4_096 * 8_192))
  })
})

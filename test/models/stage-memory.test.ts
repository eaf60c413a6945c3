/** What weights are said to take, against what is there once they are loaded. */
import { describe, expect, it } from 'vitest'
import { loadRange, type RangeTensors } from '../../src/models/llama/range-tensors.ts'
import { openModel } from '../../src/models/open-model.ts'
import { numberBytes, runSizes } from '../../src/models/device-bytes.ts'
import { rangeBytes, weightsOf } from '../../src/models/stage-memory.ts'
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
      // Once more for each size of run, and while it is handed over.
      const numbers = numberBytes(weightsOf(model, range))
      const { fresh, talks } = runSizes(numbers, true)
      const sizes = fresh.length + talks.length
      expect(rangeBytes(model, range, true)).toBe(taken(loaded) + (1 + sizes) * numbers)
    }
  })
})

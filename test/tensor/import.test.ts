/** ONNX files as bytes: every operator reads back as it was written, and mallory's are refused by a code. */
import { describe, expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { Draw } from '../../kernels/tensor/draw.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { OPS } from '../../kernels/tensor/ops.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { elements } from '../../kernels/kernel.ts'
import { readModel } from '../../src/models/onnx/read-model.ts'
import { fuzz } from '../fuzz.ts'
import { bindTrial, trialOf } from './one-node.ts'
import { randomGraph } from './random-graph.ts'
import { writeModel } from '../../src/models/onnx/write-model.ts'
import type { Trial } from './one-node.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'

/** Attributes are f32 in a file, and float64 in a trial. */
const ROUNDED = { abs: 1e-5, rel: 1e-5, scale: 'tensor' } as const

const bytesOf = ({ graph, inputs }: Trial): Uint8Array => {
  const written = writeModel(graph, new Map(graph.inputs.map((id, i) => [id, inputs[i]!])))
  if (!written.ok) throw new Error(written.error.detail)
  return written.value
}

const trials = OPS.flatMap((op) =>
  Object.entries(op.cases).map(([name, draw]) => ({
    title: `${op.name}, ${name}`,
    trial: trialOf(op.name, draw(new Draw(1))),
  })),
)

/** Larger ones are not what a fuzzer finds something in. */
const MAX_BYTES = 3_000
/** A frame is read, bound and lowered in microseconds; nothing in it may ask for more than this. */
const SLOWEST_MS = 100

describe('an ONNX file', () => {
  it.each(trials)('reads back as it was written: $title', ({ trial }) => {
    const read = readModel(bytesOf(trial))
    if (!read.ok) throw new Error(read.error.detail)
    const [bound, again] = [
      bindTrial(trial),
      bindTrial({ graph: read.value.graph, inputs: trial.inputs }),
    ]
    if (!bound.ok || !again.ok) throw new Error(JSON.stringify([bound, again]))
    const want = runReference(bound.value, trial.inputs)
    for (const [i, tensor] of runReference(again.value, trial.inputs).entries())
      expect(compareTensors(tensor, want[i]!, ROUNDED).why).toBe('')
  })

  it('is read, bound and lowered, or refused, whatever 100,000 of them say', () => {
    const graphs = [1, 2, 3, 4, 5, 6].map((seed) => bytesOf(randomGraph(seed)))
    const valid = [...trials.map(({ trial }) => bytesOf(trial)), ...graphs]
    const report = fuzz({
      seed: 5,
      count: 100_000,
      valid: valid.filter(({ length }) => length <= MAX_BYTES),
      read(bytes) {
        const model = readModel(bytes)
        if (!model.ok) return model
        const types = model.value.inputs.map(({ element, dimensions }): TensorType => {
          return { element, shape: dimensions.map((size) => (typeof size === 'number' ? size : 2)) }
        })
        const known = new Map(model.value.graph.inputs.flatMap((id, i) => tensorsOf(id, types[i]!)))
        const bound = bind(model.value.graph, types, known)
        if (!bound.ok) return bound
        lower(bound.value, { family: 'gpu', subgroup: null })
        return bound
      },
    })
    expect(report.frames).toBe(100_000)
    expect(report.ok).toBeGreaterThan(1_000)
    for (const code of ['bad-graph', 'bad-shape', 'unknown-op', 'unknown-attribute', 'unsupported'])
      expect(report.codes.get(code)).toBeGreaterThan(10)
    expect(report.slowestMs).toBeLessThan(SLOWEST_MS)
  }, 300_000)
})

/** Small whole numbers as values of inputs that decide shapes. */
const tensorsOf = (id: number, type: TensorType): readonly [number, Tensor][] => {
  const size = elements(type.shape)
  const small = type.element === 'i64' && size < 100
  return small ? [[id, { ...type, data: new Float64Array(size).fill(1) }]] : []
}

/** Tensors without elements: every operator refuses them by a code or answers what its reference does. */
import { describe, expect, it } from 'vitest'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { Draw } from '../../kernels/tensor/draw.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { DEFAULT_TOLERANCE } from '../../kernels/tensor/op.ts'
import { OPS } from '../../kernels/tensor/ops.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import { engine } from './device.ts'
import { bindTrial, trialOf } from './one-node.ts'
import type { Sample } from '../../kernels/tensor/op.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

const TARGET = { family: 'software', subgroup: null } as const

const emptied = (tensor: Tensor | null, axis: number): Tensor | null => {
  if (tensor === null || axis >= tensor.shape.length) return tensor
  const shape = tensor.shape.with(-1 - axis, 0)
  return { ...tensor, shape, data: new Float64Array() }
}

/** An axis, counted from the end, emptied in one input, and in all that have it. */
const withNothing = (sample: Sample): readonly Sample[] => {
  const rank = Math.max(0, ...sample.inputs.map((input) => input?.shape.length ?? 0))
  const axes = Array.from({ length: rank }, (_, i) => i)
  return axes.flatMap((axis) => [
    { ...sample, inputs: sample.inputs.map((input) => emptied(input, axis)) },
    ...sample.inputs.map((_, i) => {
      const inputs = sample.inputs.map((input, j) => (i === j ? emptied(input, axis) : input))
      return { ...sample, inputs }
    }),
  ])
}

const unwanted = async (op: string, sample: Sample, run: boolean): Promise<string> => {
  const trial = trialOf(op, sample)
  const bound = bindTrial(trial)
  if (!bound.ok) return ''
  const want = runReference(bound.value, trial.inputs)
  for (const [i, { shape, data }] of want.entries())
    if (data.length !== sizeOf({ shape })) return `output ${i} has ${data.length} numbers`
  const { steps } = lower(bound.value, TARGET)
  if (engine === null || !run || steps.length === 0) return ''
  const got = await engine.run(bound.value, trial.inputs)
  return want.map((each, i) => compareTensors(got[i]!, each, DEFAULT_TOLERANCE).why).join('')
}

describe('a tensor without elements', () => {
  it.each(OPS.map((op) => ({ op, name: op.name })))('is no trouble for $name', async ({ op }) => {
    for (const [i, [name, draw]] of Object.entries(op.cases).entries())
      for (const sample of withNothing(draw(new Draw(1)))) {
        const shapes = sample.inputs.map((input) => input?.shape.join())
        // Compiling takes most of the time: of each operator one case is run.
        const why = await unwanted(op.name, sample, i === 0)
        expect(why === '' ? '' : `${name}, ${JSON.stringify(shapes)}: ${why}`).toBe('')
      }
  })
})

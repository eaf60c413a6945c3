/** What ONNX's text says, worked out by hand: held against every operator's reference and against WebGPU. */
import { describe, expect, it } from 'vitest'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { DEFAULT_TOLERANCE } from '../../kernels/tensor/op.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { engine } from './device.ts'
import { bindTrial, trialOf } from './one-node.ts'
import { ATTENTION } from './spec/attention.ts'
import { ELEMENTWISE } from './spec/elementwise.ts'
import { NORMS } from './spec/norms.ts'
import { PICTURES } from './spec/pictures.ts'
import { QUANTISED } from './spec/quantised.ts'
import { REDUCTIONS } from './spec/reductions.ts'
import { SEQUENCES } from './spec/sequences.ts'
import { SHAPES } from './spec/shapes.ts'
import { SPECTRA } from './spec/spectra.ts'
import { WINDOWS } from './spec/windows.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

const EXAMPLES = [
  ...ATTENTION,
  ...ELEMENTWISE,
  ...NORMS,
  ...PICTURES,
  ...QUANTISED,
  ...REDUCTIONS,
  ...SEQUENCES,
  ...SHAPES,
  ...SPECTRA,
  ...WINDOWS,
]

const wrong = (got: readonly Tensor[], wanted: readonly (Tensor | null)[]): readonly string[] =>
  wanted.flatMap((want, i) => {
    if (want === null) return []
    const { why } = compareTensors(got[i]!, want, DEFAULT_TOLERANCE)
    return why === '' ? [] : [`output ${i}: ${why}`]
  })

describe('an example of the specification', () => {
  it.each(EXAMPLES)('$op: $title', async ({ op, outputs, ...sample }) => {
    const trial = trialOf(op, { ...sample, outputs: outputs.length })
    const bound = bindTrial(trial)
    if (!bound.ok) throw new Error(bound.error.detail)
    expect(wrong(runReference(bound.value, trial.inputs), outputs)).toEqual([])
    if (engine !== null)
      expect(wrong(await engine.run(bound.value, trial.inputs), outputs)).toEqual([])
  })
})

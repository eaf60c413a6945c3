/** Every operator and case on WebGPU, held to the operator's own reference. */
import { describe, expect, it } from 'vitest'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { Draw } from '../../kernels/tensor/draw.ts'
import { DEFAULT_TOLERANCE } from '../../kernels/tensor/op.ts'
import { OPS } from '../../kernels/tensor/ops.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { engine } from './device.ts'
import { bindTrial, trialOf } from './one-node.ts'

/** All families of kernels on whatever adapter there is: a GPU's run on a software adapter, only slowly. */
const TRIALS = [
  { seed: 1, family: 'software' },
  { seed: 2, family: 'software', subgroup: null },
  { seed: 3, family: 'gpu' },
] as const

for (const op of OPS) {
  describe.skipIf(engine === null)(`${op.name} on WebGPU`, () => {
    for (const [name, draw] of Object.entries(op.cases)) {
      it(`agrees with its reference: ${name}`, async () => {
        for (const { seed, ...target } of TRIALS) {
          const trial = trialOf(op.name, draw(new Draw(seed)))
          const bound = bindTrial(trial)
          if (!bound.ok) throw new Error(`seed ${seed}: ${bound.error.detail}`)
          const want = runReference(bound.value, trial.inputs)
          const got = await engine!.run(bound.value, trial.inputs, target)
          for (const [i, tensor] of want.entries()) {
            const { agrees, why } = compareTensors(
              got[i]!,
              tensor,
              op.tolerance ?? DEFAULT_TOLERANCE,
            )
            expect(agrees ? '' : `seed ${seed}, output ${i}: ${why}`).toBe('')
          }
        }
      })
    }
  })
}

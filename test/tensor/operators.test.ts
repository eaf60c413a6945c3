/** Every operator and case on WebGPU, held to the operator's own reference. */
import { describe, expect, it } from 'vitest'
import { OPS } from '../../kernels/tensor/ops.ts'
import { engine } from './device.ts'
import { opTrouble } from './op-trouble.ts'

/**
 * All families of kernels on whatever adapter there is: a GPU's run on a software adapter, only slowly. Most
 * of the time goes into compiling, so more seeds are for `npm run soak`.
 */
const TRIALS = [
  { seed: 1, family: 'software' },
  { seed: 2, family: 'gpu' },
  { seed: 3, family: 'software', subgroup: null },
] as const

for (const op of OPS) {
  describe.skipIf(engine === null)(`${op.name} on WebGPU`, () => {
    it.each(Object.keys(op.cases))('agrees with its reference: %s', async (name) => {
      for (const trial of TRIALS) expect(await opTrouble(engine!, op, { name, ...trial })).toBe('')
    })
  })
}

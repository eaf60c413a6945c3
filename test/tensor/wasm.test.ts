/** Every operator and case on the CPU engine, held to the operator's own reference. */
import { describe, expect, it } from 'vitest'
import { OPS } from '../../kernels/tensor/ops.ts'
import { openEngine } from '../../relay/tensor-engines.ts'
import { opTrouble } from './op-trouble.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

const opened = await openEngine('cpu')
if (!opened.ok) throw new Error(opened.error.detail)
const engine = {
  async run(bound: Bound, inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
    const ran = await opened.value.run(bound, inputs)
    if (!ran.ok) throw new Error(ran.error)
    return ran.value
  },
}

/** More of them is what the differences that are kept from this engine were found with. */
const SEEDS = [1, 2, 3, 4, 5, 6]
/** Its norms take the variance of few numbers by a difference of squares. */
const tolerance = { abs: 1e-6, rel: 1e-4, scale: 'tensor' } as const

for (const op of OPS) {
  describe(`${op.name} on the CPU`, () => {
    it.each(Object.keys(op.cases))('agrees with its reference: %s', async (name) => {
      for (const seed of SEEDS)
        expect(await opTrouble(engine, op, { name, seed, family: 'software', tolerance })).toBe('')
    })
  })
}

/** Whether one trial of an operator on an engine answers what the operator's reference does. */
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { Draw } from '../../kernels/tensor/draw.ts'
import { DEFAULT_TOLERANCE } from '../../kernels/tensor/op.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { bindTrial, trialOf } from './one-node.ts'
import type { Tolerance } from '../../kernels/kernel.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Op } from '../../kernels/tensor/op.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

type Runs = {
  run(bound: Bound, inputs: readonly Tensor[], options: Partial<Target>): Promise<readonly Tensor[]>
}

type Asked = Partial<Target> & {
  readonly name: string
  readonly seed: number
  readonly family: Target['family']
  /** In place of the operator's own. */
  readonly tolerance?: Tolerance
}

/** What is wrong with it, in words; empty if nothing is. */
export const opTrouble = async (
  engine: Runs,
  op: Op,
  { name, seed, tolerance = op.tolerance ?? DEFAULT_TOLERANCE, ...target }: Asked,
): Promise<string> => {
  const trial = trialOf(op.name, op.cases[name]!(new Draw(seed)))
  const where = `${op.name}, ${name}, seed ${seed}, ${target.family}`
  const bound = bindTrial(trial)
  if (!bound.ok) return `${where}: ${bound.error.detail}`
  const want = runReference(bound.value, trial.inputs)
  const got = await engine.run(bound.value, trial.inputs, target)
  for (const [i, tensor] of want.entries()) {
    const { why } = compareTensors(got[i]!, tensor, tolerance)
    if (why !== '') return `${where}, output ${i}: ${why}`
  }
  return ''
}

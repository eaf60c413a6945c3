/** Every operator with every case of its own, as a task of one node: honest results pass, wrong ones do not. */
import { describe, expect, it } from 'vitest'
import { graphKernel } from '../../kernels/graph.ts'
import { Draw } from '../../kernels/tensor/draw.ts'
import { shapeInputsOf } from '../../kernels/tensor/bind.ts'
import { OPS } from '../../kernels/tensor/ops.ts'
import { isFloat, sizeOf, type Tensor } from '../../kernels/tensor/tensor.ts'
import { cutReads } from '../../src/core/evaluate.ts'
import { plan } from '../../src/core/plan.ts'
import { check } from '../../src/core/verify.ts'
import { viewAs } from '../../kernels/kernel.ts'
import { graphJob } from './graph-job.ts'
import { trialOf, type Trial } from './one-node.ts'
import { onRoughDevice, taskOf } from './rough-device.ts'

const SEEDS = [1, 2, 3]
const DEEP = 2 ** 15

/** With what shapes follow from as constants, as a compiled spec has it. */
const known = ({ graph, inputs }: Trial): Trial => {
  const decisive = shapeInputsOf(graph)
  const given = graph.inputs.map((id, i) => [id, inputs[i]!] as const)
  return {
    graph: {
      ...graph,
      inputs: graph.inputs.filter((id) => !decisive.has(id)),
      constants: new Map(given.filter(([id]) => decisive.has(id))),
    },
    inputs: given.filter(([id]) => !decisive.has(id)).map(([, tensor]) => tensor),
  }
}

/** By more than any rounding, whatever its size; NaN and infinities become numbers. */
const wrong = (tensor: Tensor, at: number, part: number): Tensor => {
  const finite = [...tensor.data].filter((x) => Number.isFinite(Math.fround(x)))
  const peak = finite.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const by = isFloat(tensor.element) ? part * peak + 0.01 : 1
  const lie = (x: number): number => (Number.isFinite(Math.fround(x + by)) ? x + by : 7)
  return { ...tensor, data: Float64Array.from(tensor.data, (x, i) => (i === at ? lie(x) : x)) }
}

const all = OPS.flatMap((op) => Object.keys(op.cases).map((name) => [op.name, name, op] as const))

describe('a task of one operator', () => {
  it.each(all)('%s, %s: passes if honest, and not if one element is wrong', (_, name, op) => {
    for (const seed of SEEDS) {
      const trial = known(trialOf(op.name, op.cases[name]!(new Draw(seed))))
      const { job, inputs } = graphJob(trial)
      const planned = plan(job)
      // Nothing is left to compute, or more is read than a task may.
      if (!planned.ok) {
        expect(planned.error.expected).toMatch(/follows from inputs|this input|at most 8 tensors/)
        continue
      }
      const [task] = planned.value.tasks
      const reads = cutReads(planned.value, task!, inputs).map((bytes, i) =>
        viewAs(task!.reads[i]!.type.dtype, bytes),
      )
      const { bound } = taskOf(task!.params)
      // Rounding may do much to sums of so many terms.
      const deep = Math.max(...reads.map(({ length }) => length)) > DEEP
      const verdictOf = (output: Uint8Array) =>
        check(graphKernel, task!.params, reads, output, [seed, 2, 3, 4])
      const honest = onRoughDevice(taskOf(task!.params), reads, seed)
      expect(verdictOf(honest)).toEqual({ kind: 'accepted', check: 'op-by-op' })
      for (const id of bound.graph.outputs) {
        const size = sizeOf(bound.types.get(id)!)
        if (size === 0) continue
        const output = onRoughDevice(taskOf(task!.params), reads, seed, (made, of) =>
          of === id ? wrong(made, (seed * 7919) % size, deep ? 10 : 0.01) : made,
        )
        expect(verdictOf(output).kind).toBe('rejected')
      }
    }
  })
})

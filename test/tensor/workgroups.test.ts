/**
 * A dispatch that runs cannot be stopped, and no slice is less than a workgroup: so a workgroup's operations
 * are bounded, for every operator and for shapes larger than a tab will ever meet.
 */
import { describe, expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { Draw } from '../../kernels/tensor/draw.ts'
import { OPS } from '../../kernels/tensor/ops.ts'
import { cut, START } from '../../workers/tensor/slices.ts'
import { bindTrial, trialOf } from './one-node.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Attribute, Graph, ValueId } from '../../kernels/tensor/graph.ts'
import type { Step } from '../../kernels/tensor/program.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

const TARGETS: readonly Target[] = [
  { family: 'software', subgroup: 4 },
  { family: 'software', subgroup: null },
  { family: 'gpu', subgroup: null },
]
/**
 * A thread of a software adapter does some 1e9 operations a second; a GPU's unit that runs a workgroup does
 * 4e10 even where the GPU is a small one. Both stay below 50 ms.
 */
const MOST = { software: 5e7, gpu: 6e8 } as const
const SEEDS = [1, 2, 3]

const groupsOf = ({ grid: [x, y, z] }: Step): number => x * y * z

/** Steps with workgroups that are too large, in words. */
const tooLarge = (bound: Bound, target: Target): string[] =>
  lower(bound, target).steps.flatMap((step) => {
    const each = step.flop / groupsOf(step)
    return each <= MOST[target.family] ? [] : [`${target.family} ${step.template}: ${each}`]
  })

const whole = (...numbers: number[]): Tensor => {
  return { element: 'i64', shape: [numbers.length], data: Float64Array.from(numbers) }
}

type Large = {
  readonly op: string
  readonly shapes: readonly (readonly number[])[]
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly known?: readonly (readonly [ValueId, Tensor])[]
}

const LARGE: readonly Large[] = [
  {
    op: 'MatMul',
    shapes: [
      [8192, 8192],
      [8192, 8192],
    ],
  },
  {
    op: 'MatMul',
    shapes: [
      [1, 65_536],
      [65_536, 4096],
    ],
  },
  {
    op: 'MatMul',
    shapes: [
      [64, 2 ** 20],
      [2 ** 20, 64],
    ],
  },
  {
    op: 'MatMul',
    shapes: [
      [16, 2 ** 24 + 7],
      [2 ** 24 + 7, 1],
    ],
  },
  {
    op: 'Gemm',
    shapes: [
      [2 ** 20, 64],
      [2 ** 20, 64],
    ],
    attributes: { transA: 1 },
  },
  {
    op: 'Conv',
    shapes: [
      [1, 512, 56, 56],
      [512, 512, 3, 3],
    ],
  },
  {
    op: 'Conv',
    shapes: [
      [1, 2048, 56, 56],
      [512, 2048, 5, 5],
    ],
  },
  { op: 'Softmax', shapes: [[4096, 65_536]] },
  { op: 'Softmax', shapes: [[1, 2 ** 28]] },
  { op: 'LayerNormalization', shapes: [[4096, 4096], [4096], [4096]] },
  { op: 'LayerNormalization', shapes: [[16, 2 ** 20], [2 ** 20], [2 ** 20]] },
  { op: 'ReduceSum', shapes: [[2 ** 28]] },
  { op: 'ReduceMean', shapes: [[8192, 8192], [1]], known: [[1, whole(0)]] },
  { op: 'InstanceNormalization', shapes: [[1, 64, 1024, 1024], [64], [64]] },
  {
    op: 'Attention',
    shapes: [
      [1, 8, 4096, 64],
      [1, 8, 4096, 64],
      [1, 8, 4096, 64],
    ],
  },
  { op: 'MaxPool', shapes: [[1, 64, 1024, 1024]], attributes: { kernel_shape: [32, 32] } },
  { op: 'Add', shapes: [[2 ** 28], [2 ** 28]] },
  { op: 'Transpose', shapes: [[16_384, 16_384]] },
]

const largeBound = ({ op, shapes, attributes = {}, known = [] }: Large): Bound => {
  const inputs = shapes.map((_, i) => i)
  const node = { op, domain: '', name: '', inputs, outputs: [shapes.length] }
  const graph: Graph = {
    opset: 21,
    values: [...shapes, []].map((_, i) => `v${i}`),
    nodes: [{ ...node, attributes: new Map(Object.entries(attributes)) }],
    inputs,
    outputs: [shapes.length],
    constants: new Map(),
  }
  const given = new Map(known)
  const types = shapes.map((shape, i) => given.get(i) ?? ({ element: 'f32', shape } as const))
  const bound = bind(graph, types, given)
  if (!bound.ok) throw new Error(`${op}: ${bound.error.detail}`)
  return bound.value
}

describe('a workgroup is small', () => {
  it.each(OPS.map((op) => ({ op, name: op.name })))('in every case of $name', ({ op }) => {
    for (const name of Object.keys(op.cases))
      for (const seed of SEEDS) {
        const bound = bindTrial(trialOf(op.name, op.cases[name]!(new Draw(seed))))
        if (!bound.ok) throw new Error(bound.error.detail)
        for (const target of TARGETS) expect(tooLarge(bound.value, target)).toEqual([])
      }
  })

  it.each(
    LARGE.map((large) => ({ large, name: `${large.op} of ${JSON.stringify(large.shapes)}` })),
  )('in $name', ({ large }) => {
    const bound = largeBound(large)
    for (const target of TARGETS) expect(tooLarge(bound, target)).toEqual([])
  })

  it('so that no slice is more than what was asked for, or one workgroup', () => {
    const flop = 1e8
    for (const large of LARGE.slice(0, 8)) {
      const { steps } = lower(largeBound(large), TARGETS[0]!)
      for (
        let from: typeof START | null = START, turns = 0;
        from !== null && turns < 200;
        turns++
      ) {
        const { pieces, next } = cut(steps, from, { flop, pieces: 256 })
        const cost = pieces.reduce((sum, { step, grid: [x, y, z] }) => {
          return sum + (x * y * z * steps[step]!.flop) / groupsOf(steps[step]!)
        }, 0)
        const single = pieces.length === 1 && pieces[0]!.grid.every((size) => size === 1)
        expect(single || cost <= flop * 1.000001).toBe(true)
        from = next
      }
    }
  })
})

/** One operator with numbers in it, and how long it takes. */
import { bind } from '../../kernels/tensor/bind.ts'
import { assert } from '../../src/base/assert.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Attribute, Graph } from '../../kernels/tensor/graph.ts'
import type { Shape, Tensor } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Control } from '../runnable.ts'

export type Trial = { readonly bound: Bound; readonly inputs: readonly Tensor[] }

/** Of two inputs that fit. */
export const trialOf = (
  op: string,
  shapes: readonly [Shape, Shape],
  attributes: Readonly<Record<string, Attribute>> = {},
): Trial => {
  const node = { op, domain: '', name: '', inputs: [0, 1], outputs: [2] }
  const graph: Graph = {
    opset: 21,
    values: ['a', 'b', 'c'],
    nodes: [{ ...node, attributes: new Map(Object.entries(attributes)) }],
    inputs: [0, 1],
    outputs: [2],
    constants: new Map(),
  }
  const inputs = shapes.map((shape): Tensor => {
    const data = new Float32Array(shape.reduce((size, side) => size * side, 1)).fill(0.5)
    return { element: 'f32', shape, data }
  })
  const bound = bind(graph, inputs)
  assert(bound.ok, `${op} of these shapes can be computed`)
  return { bound: bound.value, inputs }
}

export type Runs = {
  run(inputs: readonly Tensor[], control: Control): Promise<Result<unknown, ComputeError>>
}

/** Of each the shortest of some runs in turn, in ms; NaN where one failed. */
export const shortestRuns = async (
  all: readonly Runs[],
  inputs: readonly Tensor[],
  control: Control,
  rounds: number,
): Promise<readonly number[]> => {
  const times = all.map(() => Infinity)
  for (let round = 0; round < rounds; round++)
    for (const [i, one] of all.entries()) {
      const began = performance.now()
      const ran = await one.run(inputs, control)
      times[i] = ran.ok ? Math.min(times[i]!, performance.now() - began) : NaN
    }
  return times
}

/** What strangers call the nodes of their graphs is nothing to go by. */
import { expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { FREE } from '../../workers/runnable.ts'
import { CpuRunner } from '../../workers/tensor/cpu-runner.ts'
import type { Graph } from '../../kernels/tensor/graph.ts'

const node = (op: string, input: number, output: number): Graph['nodes'][number] => ({
  op,
  domain: '',
  name: 'mallory',
  inputs: [input],
  outputs: [output],
  attributes: new Map(),
})

it('computes nodes of one name together on WebAssembly', async () => {
  const graph: Graph = {
    opset: 21,
    values: ['x', 'y', 'z'],
    nodes: [node('Neg', 0, 1), node('Abs', 1, 2)],
    inputs: [0],
    outputs: [2],
    constants: new Map(),
  }
  const x = { element: 'f32', shape: [3], data: Float32Array.of(1, -2, 3) } as const
  const bound = bind(graph, [x])
  const runner = await CpuRunner.open({ memoryBytes: 2 ** 24, threads: 1 })
  expect(runner.kind).toBe('wasm')
  const prepared = bound.ok ? await runner.prepare(bound.value) : bound
  const ran = prepared.ok ? await prepared.value.run([x], FREE) : prepared
  if (!ran.ok) throw new Error(ran.error.detail)
  expect([...ran.value.outputs[0]!.data]).toEqual([1, 2, 3])
  // In as many pieces as nobody could compute in one go.
  expect(ran.value.slices).toBe(1)
})

/** A drawn graph as a job of the program `graph`, with what it reads. */
import { viewAs } from '../../kernels/kernel.ts'
import { lift } from '../../kernels/tensor/lift.ts'
import { writeGraphText, type TextInput } from '../../kernels/tensor/graph-text.ts'
import { toGpu } from '../../kernels/tensor/tensor.ts'
import { cutReads, evaluate } from '../../src/core/evaluate.ts'
import { plan } from '../../src/core/plan.ts'
import { computedOf, randomGraph } from './random-graph.ts'
import { cidOf } from '../../src/wire/codec.ts'
import { microCredits, ms } from '../../src/base/units.ts'
import type { Params, TensorData } from '../../kernels/kernel.ts'
import type { Job, Program } from '../../src/core/job.ts'
import type { Trial } from './one-node.ts'

type GraphProgram = Extract<Program, { kind: 'graph' }>
export type GraphJob = { readonly job: Job; readonly inputs: Readonly<Record<string, TensorData>> }

export const graphJob = (
  { graph, inputs }: Trial,
  how: Partial<Pick<GraphProgram, 'parts' | 'cut'>> = {},
): GraphJob => {
  const names = graph.values
  const { graph: left, lifted, lines } = lift(graph, names)
  const own = graph.inputs.map((id, i): TextInput => {
    const { element, shape } = inputs[i]!
    return { name: names[id]!, element, shape, source: null }
  })
  const data: Record<string, TensorData> = { ...lines }
  for (const [i, { name }] of own.entries()) data[name] = toGpu(inputs[i]!)
  const text = writeGraphText(left, names, [...own, ...lifted])
  const shapes = new Map(own.map(({ name, shape }) => [name, shape!]))
  const job: Job = {
    v: 1,
    spec: cidOf(text),
    name: 'a-graph',
    program: { kind: 'graph', graph: text, parts: 0, cut: [], ...how },
    inputs: Object.entries(data).map(([name, numbers]) => ({
      name,
      cid: cidOf(name),
      dtype: numbers instanceof Float32Array ? 'f32' : 'i32',
      shape: shapes.get(name) ?? [numbers.length],
    })),
    needs: { adapter: 'any', memoryBytes: 2 ** 26 },
    redundancy: 1,
    deadlineMs: ms(60_000),
    budget: microCredits(0),
    privacy: 'public',
    tile: 0,
  }
  return { job, inputs: data }
}

/** A task, and what it reads when all before it were exact. */
export type Asked = { readonly params: Params; readonly reads: readonly TensorData[] }

/** The tasks of a graph drawn by chance, in so many parts. */
export const askedOf = (seed: number, parts: number): readonly Asked[] => {
  const trial = computedOf(randomGraph(seed))
  if (trial.graph.outputs.length === 0) return []
  const { job, inputs } = graphJob(trial, { parts })
  const planned = plan(job)
  if (!planned.ok) throw new Error(JSON.stringify(planned.error))
  const tensors = evaluate(planned.value, inputs)
  return planned.value.tasks.map((task) => ({
    params: task.params,
    reads: cutReads(planned.value, task, tensors).map((bytes, i) =>
      viewAs(task.reads[i]!.type.dtype, bytes),
    ),
  }))
}

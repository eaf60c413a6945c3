import { describe, expect, it } from 'vitest'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { evaluate } from '../../src/core/evaluate.ts'
import { plan, type Plan } from '../../src/core/plan.ts'
import { graphJob } from './graph-job.ts'
import { boundOf, computedOf, randomGraph } from './random-graph.ts'
import type { RandomTrial } from './sketch.ts'

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed)

const planned = (of: ReturnType<typeof graphJob>): Plan => {
  const made = plan(of.job)
  if (!made.ok) throw new Error(JSON.stringify(made.error))
  return made.value
}

/** Between parts numbers are f32, within them float64 here: that is all there may be between the results. */
const expectSame = (trial: RandomTrial, of: ReturnType<typeof graphJob>, made: Plan): void => {
  const tensors = evaluate(made, of.inputs)
  const want = runReference(boundOf(trial), trial.inputs)
  for (const [i, name] of made.outputs.entries()) {
    const got = { ...want[i]!, data: tensors[name]! as Float32Array }
    const tolerance = { abs: 1e-6 + trial.errors[i]!, rel: 1e-6, scale: 'tensor' } as const
    expect(compareTensors(got, want[i]!, tolerance).why).toBe('')
  }
}

describe.each(SEEDS)('graph %i, cut into tasks', (seed) => {
  const trial = computedOf(randomGraph(seed))
  const runs = trial.graph.outputs.length > 0

  it.runIf(runs)('answers as a whole, cut behind any one value or behind all of them', () => {
    const { graph } = trial
    const made = boundOf(trial).nodes.flatMap(({ node }) => node.outputs)
    const names = made.filter((id) => id !== null).map((id) => graph.values[id]!)
    for (const cut of [...names.map((name) => [name]), names]) {
      const of = graphJob(trial, { cut })
      const cutUp = planned(of)
      expect(cutUp.tasks.length).toBeLessThanOrEqual(cut.length + 1)
      expectSame(trial, of, cutUp)
    }
  })

  it.runIf(runs)('answers as a whole, cut into any number of parts', () => {
    const { nodes } = boundOf(trial)
    const flops = [1, 2, 3, 100].map((parts) => {
      const of = graphJob(trial, { parts })
      const cutUp = planned(of)
      expect(cutUp.tasks.length).toBeLessThanOrEqual(Math.min(parts, nodes.length))
      expectSame(trial, of, cutUp)
      return cutUp.totals.flop
    })
    // What is metered is the graph, not how it was cut.
    expect(new Set(flops).size).toBe(1)
  })
})

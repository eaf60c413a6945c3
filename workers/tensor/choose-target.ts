/**
 * Which family of kernels is the fastest on an adapter: told by a product that is short for any of them, each
 * in turn, some times over. An adapter's name says less: drivers differ, and new ones come.
 */
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { assert } from '../../src/base/assert.ts'
import { ok } from '../../src/base/result.ts'
import { labelOf } from '../gpu/device.ts'
import { targetOf } from './target.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Graph } from '../../kernels/tensor/graph.ts'
import type { TensorType } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { PreparedProgram, TensorRunner } from './runner.ts'

/** What was found, for people and for whoever keeps it. Plain data. */
export type Choice = {
  readonly target: Target
  /** Milliseconds of the trial in each family, by its name; empty where there was nothing to choose. */
  readonly measured: Readonly<Record<string, number>>
}

/** Keeps choices by adapter: in memory, or in a page's storage. */
export type Choices = {
  get(adapter: string): Promise<Choice | undefined>
  set(adapter: string, choice: Choice): Promise<void>
}

/** Changes with kernels that change which of them is the fastest. */
const VERSION = 1
/** Long enough to tell families apart, and some ms on the slowest adapter. */
const SIDE = 256
const ROUNDS = 5

export const familyName = ({ family, subgroup }: Target): string =>
  family === 'gpu' ? 'gpu' : subgroup === null ? 'software' : `software, subgroups of ${subgroup}`

/** What the choice is kept under. */
export const adapterKey = ({ adapterInfo }: GPUDevice): string => {
  const { vendor, architecture, device, description } = adapterInfo
  return [VERSION, labelOf(adapterInfo).kind, vendor, architecture, device, description].join('/')
}

/** All that run on it. What barriers cost a software adapter is known, and they take it seconds to compile. */
const candidatesOf = (device: GPUDevice): readonly Target[] => {
  const found = targetOf(device)
  const registers: Target = { family: 'software', subgroup: null }
  if (found.family === 'gpu') return [found, registers]
  return found.subgroup === null ? [registers] : [found, registers]
}

/** Looks it up, or measures it and keeps it. @error what preparing or running the trial says */
export const chooseTarget = async (
  runner: TensorRunner,
  choices: Choices,
): Promise<Result<Choice, ComputeError>> => {
  const key = adapterKey(runner.device)
  const known = await choices.get(key)
  if (known !== undefined) return ok(known)
  const candidates = candidatesOf(runner.device)
  const measured = candidates.length === 1 ? ok([]) : await measure(runner, candidates)
  if (!measured.ok) return measured
  const best = measured.value.indexOf(Math.min(...measured.value))
  const choice: Choice = {
    target: candidates[Math.max(0, best)]!,
    measured: Object.fromEntries(
      measured.value.map((ms, i) => [familyName(candidates[i]!), ms] as const),
    ),
  }
  await choices.set(key, choice)
  return ok(choice)
}

/** The shortest of some runs of each. */
const measure = async (
  runner: TensorRunner,
  candidates: readonly Target[],
): Promise<Result<number[], ComputeError>> => {
  const prepared: PreparedProgram[] = []
  try {
    for (const target of candidates) {
      const made = await runner.prepare(lower(trial(), target))
      if (!made.ok) return made
      prepared.push(made.value)
    }
    const times = prepared.map(() => Infinity)
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, program] of prepared.entries()) {
        const began = performance.now()
        await program.compute()
        await runner.device.queue.onSubmittedWorkDone()
        times[i] = Math.min(times[i]!, performance.now() - began)
      }
    }
    return ok(times)
  } finally {
    for (const program of prepared) program.close()
  }
}

/** A product of two squares, whatever is in them. */
const trial = (): Bound => {
  const type: TensorType = { element: 'f32', shape: [SIDE, SIDE] }
  const node = { op: 'MatMul', domain: '', name: '', inputs: [0, 1], outputs: [2] }
  const graph: Graph = {
    opset: 21,
    values: ['a', 'b', 'c'],
    nodes: [{ ...node, attributes: new Map() }],
    inputs: [0, 1],
    outputs: [2],
    constants: new Map(),
  }
  const bound = bind(graph, [type, type])
  assert(bound.ok, 'a product of two squares can be computed')
  return bound.value
}

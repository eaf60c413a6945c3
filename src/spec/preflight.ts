/** Runs a spec's own tests through the very plan its job will have, on the kernels' CPU references. */
import { kernelById } from '../../kernels/index.ts'
import {
  allocate,
  elements,
  type DType,
  type TensorData,
  type Tolerance,
} from '../../kernels/kernel.ts'
import { evaluate } from '../core/evaluate.ts'
import type { Job, JobInput } from '../core/job.ts'
import { plan, type Plan } from '../core/plan.ts'
import { withShapes } from './program.ts'
import type { Numbers, SpecTest } from './spec-test.ts'
import { specError, type SpecError } from './spec-error.ts'
import type { Spec } from './spec.ts'

export type PreflightResult =
  | { readonly id: string; readonly ok: true }
  | {
      readonly id: string
      readonly ok: false
      readonly problem: SpecError
      /** The problem in one sentence, without its place. */
      readonly detail: string
    }

/** A second or so of a slow CPU: a test is tiny. */
const FLOP_MAX = 2_000_000_000
/** What a float32 rounds away of a number written in decimals. */
const F32_REL = 1e-6

export const runPreflight = (spec: Spec): readonly PreflightResult[] =>
  spec.tests.map((test) => {
    const problem = run(spec, test)
    return problem
      ? { id: test.id, ok: false, problem, detail: problem.text }
      : { id: test.id, ok: true }
  })

const run = (spec: Spec, test: SpecTest): SpecError | null => {
  const place = { file: spec.file, line: test.line }
  const fail = (field: string, expected: string, found: string): SpecError =>
    specError('bad-test', place, `fence #${test.id}${field}`, expected, found)
  if (spec.program.kind === 'wgsl') {
    return fail('', 'no test, for nothing but a GPU can run a shader', 'one')
  }
  const inputs: JobInput[] = []
  const data: Record<string, TensorData> = {}
  for (const [name, { dtype }] of Object.entries(spec.inputs)) {
    const numbers = Object.hasOwn(test.input, name) ? test.input[name] : undefined
    if (!numbers) return fail(`.input.${name}`, 'this input', 'nothing')
    const tensor = toTensor(numbers, dtype)
    if (tensor === null) return fail(`.input.${name}`, `numbers that are ${dtype}`, 'others')
    inputs.push({ name, cid: spec.cid, dtype, shape: numbers.shape })
    data[name] = tensor
  }
  const stray = Object.keys(test.input).find((name) => !Object.hasOwn(spec.inputs, name))
  if (stray !== undefined)
    return fail('.input', `only ${Object.keys(spec.inputs).join(', ')}`, stray.slice(0, 40))
  const shapes = Object.fromEntries(inputs.map(({ name, shape }) => [name, shape]))
  const planned = plan(jobOf(spec, test, inputs, shapes))
  if (!planned.ok) {
    const { what, expected, found } = planned.error
    return fail(`, ${what}`, expected, found)
  }
  if (planned.value.totals.flop > FLOP_MAX) {
    return fail('', `at most ${FLOP_MAX} operations`, String(planned.value.totals.flop))
  }
  const tensors = evaluate(planned.value, data)
  for (const [name, expected] of Object.entries(test.expect)) {
    const difference = compare(planned.value, name, tensors[name]!, expected)
    if (difference)
      return fail(`.expect.${name}${difference.at}`, difference.expected, difference.found)
  }
  return null
}

const jobOf = (
  spec: Spec,
  test: SpecTest,
  inputs: readonly JobInput[],
  shapes: Readonly<Record<string, readonly number[]>>,
): Job => ({
  v: 1,
  spec: spec.cid,
  name: spec.name,
  program: withShapes(test.program, shapes),
  inputs,
  needs: spec.needs,
  redundancy: spec.redundancy,
  deadlineMs: spec.deadlineMs,
  budget: spec.budget,
  privacy: spec.privacy,
  tile: 0,
})

/** Null when a number does not survive the type: 0.5 as i8, 300 as u8. */
const toTensor = ({ shape, values }: Numbers, dtype: DType): TensorData | null => {
  const data = allocate(dtype, elements(shape))
  data.set(values)
  return dtype === 'f32' || values.every((value, i) => data[i] === value) ? data : null
}

type Difference = { readonly at: string; readonly expected: string; readonly found: string }

const compare = (of: Plan, name: string, got: TensorData, want: Numbers): Difference | null => {
  const type = of.tensors[name]!
  if (want.values.length !== got.length) {
    return {
      at: '',
      expected: `${got.length} numbers, as the program makes`,
      found: String(want.values.length),
    }
  }
  const writer = of.tasks.find((task) => task.writes.tensor === name)
  const tolerance = (writer && kernelById(writer.kernel)?.tolerance) ?? NONE
  const largest = want.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const rel = Math.max(tolerance.rel, type.dtype === 'f32' ? F32_REL : 0)
  for (const [i, expected] of want.values.entries()) {
    const scale = tolerance.scale === 'tensor' ? largest : Math.abs(expected)
    if (Math.abs(got[i]! - expected) <= tolerance.abs + rel * scale) continue
    const shown = type.dtype === 'f32' ? Number(got[i]!.toPrecision(8)) : got[i]!
    return { at: `[${i}]`, expected: String(expected), found: String(shown) }
  }
  return null
}

const NONE: Tolerance = { abs: 0, rel: 0, scale: 'element' }

/**
 * A model in parts: each task computes one segment of the graph, and writes what later ones read of it, with what
 * has to be shown of the way, as one line of words. Outputs lie in those lines.
 */
import {
  GRAPH,
  SEGMENT_HELD_MAX,
  SEGMENT_READS_MAX,
  SEGMENT_TEXT_MAX,
} from '../../../kernels/graph.ts'
import { elements, type TensorType as Line } from '../../../kernels/kernel.ts'
import { bind } from '../../../kernels/tensor/bind.ts'
import { cutBehind, cutEvenly, inBranches, type Segment } from '../../../kernels/tensor/cut.ts'
import { nodeLabel } from '../../../kernels/tensor/graph.ts'
import { dtypeOf, packingOf } from '../../../kernels/tensor/packing.ts'
import { readGraphText } from '../../../kernels/tensor/read-graph-text.ts'
import { segmentText } from '../../../kernels/tensor/segment-text.ts'
import { sizeOf } from '../../../kernels/tensor/tensor.ts'
import { ok, type Result } from '../../base/result.ts'
import { JOB_LIMITS, type Job, type Program } from '../job.ts'
import { refuse, takeInputs, TASK_BYTES_MAX } from './draft.ts'
import { readsOf, type Location } from './graph-reads.ts'
import type { Bound } from '../../../kernels/tensor/bound.ts'
import type { Graph, ValueId } from '../../../kernels/tensor/graph.ts'
import type { GraphText } from '../../../kernels/tensor/graph-text.ts'
import type { TensorType } from '../../../kernels/tensor/tensor.ts'
import type { Drafted, DraftTask, PlanError, View } from './draft.ts'

/** A thousand layers and their names; weights are inputs. */
const TEXT_MAX = 2 ** 20
const MEMBERS_MAX = 4_096

type GraphProgram = Extract<Program, { kind: 'graph' }>
type Refused = { readonly ok: false; readonly error: PlanError }

export const draftGraph = (job: Job, program: GraphProgram): Drafted => {
  const given = boundTo(job, program)
  if (!given.ok) return given
  const { bound, lines, locations } = given.value
  const outputs = bound.graph.outputs.map((id) => bound.graph.values[id]!)
  const taken = outputs.find((name) => Object.hasOwn(lines, name))
  if (taken !== undefined) return refuse('bad-input', `inputs.${taken}`, 'another name', taken)
  const segments = cut(bound, program)
  if (!segments.ok) return segments
  const tensors: Record<string, Line> = { ...lines }
  const tasks: DraftTask[] = []
  for (const [index, segment] of segments.value.entries()) {
    const task = taskOf(segment, index, bound, locations, tensors)
    if (!task.ok) return task
    tasks.push(task.value)
  }
  const views: Record<string, View> = {}
  for (const id of bound.graph.outputs) {
    const type = bound.types.get(id)!
    const name = bound.graph.values[id]!
    tensors[name] = { dtype: dtypeOf(type), shape: type.shape }
    views[name] = locations.get(id)!
  }
  const task = (at: number): DraftTask => tasks[at]!
  return ok({ tensors, views, stages: [{ count: tasks.length, task }], outputs })
}

type Given = {
  readonly bound: Bound
  /** Job inputs as lines. */
  readonly lines: Readonly<Record<string, Line>>
  /** Of what is there before the first task. */
  readonly locations: Map<ValueId, Location>
}

/** The graph with the inputs of the job. */
const boundTo = (job: Job, program: GraphProgram): Result<Given, PlanError> => {
  if (program.graph.length > TEXT_MAX)
    return refuse(
      'too-large',
      'program.graph',
      `at most ${TEXT_MAX} characters`,
      program.graph.length,
    )
  const read = readGraphText(program.graph)
  if (!read.ok) {
    const { line, expected, found } = read.error
    return refuse('bad-param', `program.graph, line ${line}`, expected, found)
  }
  const inputs = takeInputs(job, wantedBy(job, read.value))
  if (!inputs.ok) return inputs
  const wrong = misplaced(read.value, inputs.value)
  if (wrong !== null) return wrong
  const types = read.value.inputs.map(({ name, element, shape }): TensorType => ({
    element,
    shape: shape ?? inputs.value[name]!.shape,
  }))
  const bound = bind(read.value.graph, types)
  if (!bound.ok) {
    const { code, detail, node = '' } = bound.error
    const what = ['program.graph', node].filter((word) => word !== '').join(', ')
    return refuse('bad-param', what, `what can be computed (${code})`, detail)
  }
  const locations = new Map(
    read.value.inputs.map(({ name, source }, i): [ValueId, Location] => [
      read.value.graph.inputs[i]!,
      source ?? { tensor: name, at: 0 },
    ]),
  )
  const lines = Object.entries(inputs.value).map(([name, { dtype, shape }]) => {
    return [name, { dtype, shape: [elements(shape)] }] as const
  })
  return ready({ bound: inBranches(bound.value), lines: Object.fromEntries(lines), locations })
}

/** There has to be something to compute, and every output has to come of it. */
const ready = (given: Given): Result<Given, PlanError> => {
  const { graph, nodes } = given.bound
  const made = new Set(nodes.flatMap(({ node }) => node.outputs))
  const idle = graph.outputs.find((id) => !made.has(id))
  if (idle === undefined) return ok(given)
  const name = graph.values[idle]!
  return refuse('bad-param', `program.graph, ${name}`, 'an output that follows from inputs', name)
}

/** A model's inputs are f32, or i32 where they are whole numbers or truth values. */
const wantedBy = (job: Job, { inputs }: GraphText): Parameters<typeof takeInputs>[1] =>
  Object.fromEntries(
    inputs.map(({ name, element, shape, source }) => {
      const dtype = dtypeOf({ element, shape: [] })
      if (source !== null) return [source.tensor, { dtype, shape: [null] }] as const
      const open = job.inputs.find((input) => input.name === name)?.shape.map(() => null) ?? []
      return [name, { dtype, shape: shape ?? open }] as const
    }),
  )

/** An input that does not lie in the line that it names. */
const misplaced = (
  { inputs }: GraphText,
  lines: Readonly<Record<string, Line>>,
): Refused | null => {
  for (const { name, element, shape, source } of inputs) {
    if (source === null || shape === null) continue
    const line = lines[source.tensor]!
    const end = source.at + sizeOf({ shape })
    if (line.dtype === dtypeOf({ element, shape }) && end <= line.shape[0]!) continue
    const found = `${line.dtype}[${line.shape[0]}]`
    const expected = `${name} in ${source.tensor}, up to word ${end}`
    return refuse('bad-input', `inputs.${source.tensor}`, expected, found)
  }
  return null
}

/** Of an operator that is no product: its check computes it again, in seconds, and nobody can interrupt it. */
const RECOMPUTED_MAX = 2 ** 30
const PRODUCTS: readonly string[] = ['MatMul', 'Gemm', 'Conv']

const BOUNDS = { moved: TASK_BYTES_MAX / 4, held: SEGMENT_HELD_MAX }

const cut = (
  bound: Bound,
  { parts, cut: names }: GraphProgram,
): Result<readonly Segment[], PlanError> => {
  if (!Number.isSafeInteger(parts) || parts < 0 || parts > JOB_LIMITS.tasks)
    return refuse('bad-job', 'program.parts', `from 0 to ${JOB_LIMITS.tasks}`, parts)
  if (names.length === 0) return ok(cutEvenly(bound, Math.max(1, parts), BOUNDS))
  if (parts !== 0) return refuse('bad-job', 'program.parts', 'nothing beside `cut`', parts)
  if (names.length > MEMBERS_MAX)
    return refuse('bad-job', 'program.cut', `at most ${MEMBERS_MAX} names`, names.length)
  const ids = names.map((name) => bound.graph.values.indexOf(name))
  const made = new Set(bound.nodes.flatMap(({ node }) => node.outputs))
  const lost = names.find((_, i) => !made.has(ids[i]!))
  if (lost === undefined) return ok(cutBehind(bound, new Set(ids)))
  return refuse('bad-job', 'program.cut', 'names of values that are computed', lost)
}

/** Adds the line that it writes to the tensors, and where its values are to the locations. */
const taskOf = (
  segment: Segment,
  index: number,
  { types }: Bound,
  locations: Map<ValueId, Location>,
  tensors: Record<string, Line>,
): Result<DraftTask, PlanError> => {
  const { graph, shown, nodes } = segment
  const reads = readsOf(graph.inputs, locations, types, SEGMENT_READS_MAX)
  const label = `task ${index}, ${labelsOf(graph)}`
  const dear = nodes.find(
    ({ op, call }) => !PRODUCTS.includes(op.name) && (op.flop?.(call) ?? 0) > RECOMPUTED_MAX,
  )
  if (dear !== undefined) {
    const expected = `at most ${RECOMPUTED_MAX} operations in one operator that is no product`
    return refuse('too-much-work', nodeLabel(dear.node), expected, dear.op.flop?.(dear.call))
  }
  if (reads === null)
    return refuse('too-large', label, `values of at most ${SEGMENT_READS_MAX} tensors`, 'more')
  const text = segmentText(graph, types, reads.placeOf)
  if (text.length > SEGMENT_TEXT_MAX)
    return refuse(
      'too-large',
      label,
      `a part of at most ${SEGMENT_TEXT_MAX} characters`,
      text.length,
    )
  const words = packingOf(shown.map((id) => types.get(id)!))
  const name = partName(index)
  tensors[name] = { dtype: words.dtype, shape: [words.length] }
  for (const [i, id] of shown.entries()) locations.set(id, { tensor: name, at: words.starts[i]! })
  const moved = reads.pieces.reduce((sum, { from, to }) => sum + to - from, words.length)
  if (moved > BOUNDS.moved)
    return refuse('too-large', label, `at most ${TASK_BYTES_MAX} bytes in one task`, 4 * moved)
  return ok({
    kernel: GRAPH,
    params: {
      graph: text,
      reads: reads.pieces.map(({ tensor }) => tensors[tensor]!.dtype).join(' '),
      lengths: reads.pieces.map(({ from, to }) => to - from),
    },
    reads: reads.pieces.map(({ tensor, from, to }) => ({
      tensor,
      rect: { row: 0, rows: 1, col: from, cols: to - from },
    })),
    writes: { tensor: name, rect: { row: 0, rows: 1, col: 0, cols: words.length } },
  })
}

/** No value can be called so. */
const partName = (index: number): string => `part ${index}`

const labelsOf = ({ nodes }: Graph): string => nodes.slice(0, 3).map(nodeLabel).join(', ')

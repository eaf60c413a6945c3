/**
 * `graph@1`: a part of a model, as operators of ONNX joined by values.
 *
 * `graph` is its text (`kernels/tensor/graph-text.ts`); its inputs lie in the tensors that the task reads, which
 * are lines of words named r0, r1, ...: `reads` says of what type each is, `lengths` how many words.
 * What can be computed beforehand has been: nothing is folded here. The result is a line of words: the
 * outputs, then what is shown of the way to them (`kernels/tensor/certainty.ts`).
 *
 * @unit operations as each operator counts them, from shapes
 * @error as each operator's tolerance says, see docs/numerics.md; `src/core/verify/graph.ts` holds to it
 */
import { text as textField, readParams, refuse } from './params.ts'
import { MAX_TENSOR_BYTES, type Kernel, type Params, type Parsed } from './kernel.ts'
import { bind } from './tensor/bind.ts'
import { flopOf, madeOf } from './tensor/bound.ts'
import { jumps, witnessesOf } from './tensor/certainty.ts'
import { nodeLabel } from './tensor/graph.ts'
import { DEFAULT_TOLERANCE } from './tensor/op.ts'
import { pack, packingOf, unpack, type Packing } from './tensor/packing.ts'
import { readGraphText } from './tensor/read-graph-text.ts'
import { runReference } from './tensor/reference.ts'
import { isFloat, sizeOf } from './tensor/tensor.ts'
import type { TensorData, TensorType as Line } from './kernel.ts'
import type { Field } from './params.ts'
import type { Bound, BoundNode } from './tensor/bound.ts'
import type { TextInput } from './tensor/graph-text.ts'
import type { Tensor } from './tensor/tensor.ts'

export const GRAPH = 'graph@1'

/** Of one segment; a message head has 64 KiB. */
export const SEGMENT_TEXT_MAX = 32 * 1024
/** Numbers that all values of a segment have together: 256 MiB as f32. */
export const SEGMENT_HELD_MAX = 2 ** 26
/** A worker may lack each of so many, and says so by their numbers. */
export const SEGMENT_READS_MAX = 8
/** Operations of one node that is no product: its check computes it again, in seconds, and nobody can interrupt it. */
const RECOMPUTED_MAX = 2 ** 30
/** And of one that is: twice what fits a task as a product of matrices. Windows over a line could be far more. */
const PRODUCT_MAX = 2 ** 33
const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'Conv'])
const WORDS_MAX = MAX_TENSOR_BYTES / 4

export type GraphTask = {
  /** Its outputs are all that the task shows, in their order. */
  readonly bound: Bound
  readonly packing: Packing
  readonly reads: readonly Line[]
  /** Of each input of the graph: which of `reads`, and from which word on. */
  readonly places: readonly { readonly slot: number; readonly at: number }[]
}

/** A graph's inputs out of what was read. */
export const inputsOf = ({ bound, places }: GraphTask, reads: readonly TensorData[]): Tensor[] =>
  places.map(({ slot, at }, i) => {
    const type = bound.types.get(bound.graph.inputs[i]!)!
    return unpack(reads[slot]!, at, type)
  })

export const graphKernel: Kernel<GraphTask> = {
  id: GRAPH,
  title: 'Part of a model',
  parse(params: Params): Parsed<GraphTask> {
    const read = readParams(params, {
      graph: textField(SEGMENT_TEXT_MAX),
      reads: WORD_TYPES,
      lengths: LENGTHS,
    })
    if (!read.ok) return read
    const { graph, reads, lengths } = read.value
    if (reads.length !== lengths.length)
      return refuse('lengths', `${reads.length} lengths`, lengths)
    return parseGraph(
      graph,
      reads.map((dtype, i) => ({ dtype, shape: [lengths[i]!] })),
    )
  },
  inputs: ({ reads }) => reads,
  output: ({ packing: { dtype, length } }) => ({ dtype, shape: [length] }),
  costFlop: ({ bound }) => bound.nodes.reduce((sum, made) => sum + flopOf(made), 0),
  // Every value is written once, and what is read is read once.
  costBytes: ({ bound, reads }) =>
    4 * (reads.reduce((sum, { shape }) => sum + shape[0]!, 0) + madeBy(bound)),
  items: () => 1,
  itemLength: ({ packing }) => packing.length,
  reference(task, reads, _from, _to, out) {
    const made = pack(runReference(task.bound, inputsOf(task, reads)), task.packing)
    out.set(made as Float32Array)
  },
  check: 'op-by-op',
  tolerance: DEFAULT_TOLERANCE,
}

const parseGraph = (text: string, reads: readonly Line[]): Parsed<GraphTask> => {
  const read = readGraphText(text)
  if (!read.ok) {
    const { line, expected, found } = read.error
    return refuse(`graph, line ${line}`, expected, found)
  }
  const { graph, inputs } = read.value
  const places: GraphTask['places'][number][] = []
  for (const input of inputs) {
    const place = placeOf(input, reads)
    if (place === null) return refuse(`graph, ${input.name}`, 'a place in what is read', input.name)
    places.push(place)
  }
  const types = inputs.map(({ element, shape }) => ({ element, shape: shape! }))
  const bound = bind(graph, types, new Map(), { fold: false })
  if (!bound.ok) {
    const { node = '', code, detail } = bound.error
    return refuse(`graph, ${node}`, `a graph that can run (${code})`, detail)
  }
  return withinBounds(bound.value, places, reads)
}

const withinBounds = (
  bound: Bound,
  places: GraphTask['places'],
  reads: readonly Line[],
): Parsed<GraphTask> => {
  const { graph, nodes, types } = bound
  const jumping = nodes.find(jumps)
  if (jumping !== undefined)
    return refuse('graph', 'operators that can be checked', nodeLabel(jumping.node))
  const made = new Set(nodes.flatMap(({ node }) => node.outputs))
  const idle = graph.outputs.find((id) => !made.has(id))
  if (idle !== undefined) return refuse('graph', 'outputs that a node makes', graph.values[idle])
  const held = madeBy(bound) + graph.inputs.reduce((sum, id) => sum + sizeOf(types.get(id)!), 0)
  if (held > SEGMENT_HELD_MAX)
    return refuse('graph', `at most ${SEGMENT_HELD_MAX} numbers at once`, held)
  const dear = tooDear(nodes)
  if (dear !== null) return refuse(`graph, ${nodeLabel(dear.made.node)}`, dear.expected, dear.flop)
  const flop = nodes.reduce((sum, made) => sum + flopOf(made), 0)
  if (!Number.isSafeInteger(flop)) return refuse('graph', 'at most 9.0e15 operations', flop)
  const shown = [...graph.outputs, ...witnessesOf(bound)]
  const packing = packingOf(shown.map((id) => types.get(id)!))
  if (packing.length < 1 || packing.length > WORDS_MAX)
    return refuse('graph', `results of 1 to ${WORDS_MAX} words`, packing.length)
  const value = { bound: { ...bound, graph: { ...graph, outputs: shown } }, packing, reads, places }
  return { ok: true, value }
}

type Dear = { readonly made: BoundNode; readonly expected: string; readonly flop: number }

/** A node that keeps whoever computes or checks it for too long. */
export const tooDear = (nodes: readonly BoundNode[]): Dear | null => {
  for (const made of nodes) {
    const isProduct = PRODUCTS.has(made.op.name)
    const [flop, most] = [flopOf(made), isProduct ? PRODUCT_MAX : RECOMPUTED_MAX]
    const kind = isProduct ? 'product' : 'operator that is no product'
    if (!(flop <= most))
      return { made, expected: `at most ${most} operations in one ${kind}`, flop }
  }
  return null
}

/** Numbers of all values that nodes make. */
const madeBy = ({ nodes }: Bound): number => nodes.reduce((sum, made) => sum + madeOf(made), 0)

const placeOf = (
  { element, shape, source }: TextInput,
  reads: readonly Line[],
): GraphTask['places'][number] | null => {
  const slot = source === null ? -1 : reads.findIndex((_, i) => source.tensor === `r${i}`)
  if (shape === null || source === null || slot < 0) return null
  const { dtype, shape: line } = reads[slot]!
  const fits = dtype === 'u32' || (dtype === 'f32') === isFloat(element)
  const size = sizeOf({ shape })
  return fits && size <= WORDS_MAX && source.at + size <= line[0]! ? { slot, at: source.at } : null
}

/** Words are looked at as floats or as whole numbers, as values need them. */
const WORDS = ['f32', 'i32', 'u32'] as const

const WORD_TYPES: Field<readonly (typeof WORDS)[number][]> = {
  expected: `at most ${SEGMENT_READS_MAX} of ${WORDS.join(', ')}`,
  read(value) {
    if (typeof value !== 'string' || value.length > 4 * SEGMENT_READS_MAX) return undefined
    const words = value === '' ? [] : value.split(' ')
    const found = words.map((word) => WORDS.find((each) => each === word))
    return found.length <= SEGMENT_READS_MAX && found.every((word) => word !== undefined)
      ? found
      : undefined
  },
}

const LENGTHS: Field<readonly number[]> = {
  expected: `a list of at most ${SEGMENT_READS_MAX} lengths`,
  read: (value) =>
    Array.isArray(value) &&
    value.length <= SEGMENT_READS_MAX &&
    value.every((each) => Number.isInteger(each) && each >= 1 && each <= WORDS_MAX)
      ? value
      : undefined,
}

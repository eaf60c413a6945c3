/**
 * A graph with its weights taken out: constants that are more than a few numbers become inputs that lie side by side
 * in one line of floats and one of whole numbers, in the order in which nodes read them. What shapes follow
 * from stays where it is.
 */
import { allocate, type TensorData } from '../kernel.ts'
import { shapeInputsOf } from './bind.ts'
import { isKind } from './op.ts'
import { opByName } from './ops.ts'
import { compute } from './reference.ts'
import { isFloat, sizeOf, toGpu } from './tensor.ts'
import type { Graph, Node, ValueId } from './graph.ts'
import type { TextInput } from './graph-text.ts'
import type { Tensor } from './tensor.ts'

export const LINES = ['weights', 'tables'] as const
export type LineName = (typeof LINES)[number]

export type Lifted = {
  /** Its inputs are the graph's own, then what was taken out. */
  readonly graph: Graph
  readonly lifted: readonly TextInput[]
  /** Those that there are. */
  readonly lines: Readonly<Partial<Record<LineName, TensorData>>>
}

/** Fewer are shorter as text than as an input. */
const INLINE_MAX = 16

/** The graph with nodes that are nothing but a constant as constants. */
export const withoutConstantNodes = (graph: Graph): Graph => {
  const constants = new Map(graph.constants)
  const nodes = graph.nodes.filter((node) => {
    const made = node.op === 'Constant' ? constantOf(node, graph.opset) : null
    const [id] = node.outputs
    if (made !== null && id !== null && id !== undefined) constants.set(id, made)
    return made === null
  })
  return { ...graph, nodes, constants }
}

/** null where the node is not as it should be: the binder says how. */
const constantOf = (node: Node, opset: number): Tensor | null => {
  const op = opByName(node.domain, node.op)
  const { attributes } = node
  const call = { opset, attributes, inputs: [], known: [], outputCount: 1, outputs: [] }
  const isFit = [...attributes].every(([name, value]) => {
    const kind = op?.attributes[name]
    return kind !== undefined && isKind(kind, value)
  })
  const outputs = isFit ? op?.infer(call) : undefined
  if (op === undefined || outputs === undefined || 'code' in outputs) return null
  return compute({ op, call: { ...call, outputs } }, [])[0] ?? null
}

/** @param names of the values, as they stand in the text */
export const lift = (graph: Graph, names: readonly string[]): Lifted => {
  const { constants, nodes } = graph
  const shapes = shapeInputsOf({ ...graph, inputs: [...constants.keys()] })
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs])
  const taken = [...read].filter((id): id is ValueId => {
    const tensor = id === null ? undefined : constants.get(id)
    return tensor !== undefined && sizeOf(tensor) > INLINE_MAX && !shapes.has(id!)
  })
  const ends: Record<LineName, number> = { weights: 0, tables: 0 }
  const lifted = taken.map((id): TextInput => {
    const { element, shape } = constants.get(id)!
    const tensor = lineOf(element)
    const at = ends[tensor]
    ends[tensor] += sizeOf({ shape })
    return { name: names[id]!, element, shape, source: { tensor, at } }
  })
  const lines: Partial<Record<LineName, TensorData>> = {}
  for (const [i, { source }] of lifted.entries()) {
    const line = source!.tensor as LineName
    lines[line] ??= allocate(line === 'weights' ? 'f32' : 'i32', ends[line])
    lines[line].set(toGpu(constants.get(taken[i]!)!), source!.at)
  }
  const gone = new Set(taken)
  const left = [...constants].filter(([id]) => read.has(id) && !gone.has(id))
  const inputs = [...graph.inputs, ...taken]
  return { graph: { ...graph, inputs, constants: new Map(left) }, lifted, lines }
}

const lineOf = (element: TextInput['element']): LineName =>
  isFloat(element) ? 'weights' : 'tables'

/**
 * Nodes that make each row of what they answer of the same row of what they are given, and of constants. Neighbours
 * among them are one model for WebAssembly whatever the number of rows: so programs for runs of several sizes share
 * their weights, and many rows can be computed some at a time.
 */
import { axesIn, intOf, knownInts } from '../../kernels/tensor/op.ts'
import { sameShape, sizeOf } from '../../kernels/tensor/tensor.ts'
import type { Bound, BoundNode } from '../../kernels/tensor/bound.ts'
import type { Call } from '../../kernels/tensor/op.ts'

/**
 * Numbers of the constants of neighbours that are worth a model of their own: with fewer, being asked one time more
 * is a part of what they take that one would see.
 */
const WORTH = 2 ** 18

/** By node the rows that it makes, where it and its neighbours have weights that are worth it. */
export const rowChains = (
  { nodes, known }: Bound,
  isApart: (node: BoundNode) => boolean,
): ReadonlyMap<BoundNode, number> => {
  const chains = new Map<BoundNode, number>()
  let chain: BoundNode[] = []
  let rows: number | null = null
  const end = (): void => {
    const read = new Set(chain.flatMap(({ node }) => node.inputs))
    const weights = [...read]
      .map((id) => (id !== null && known.has(id) ? sizeOf(known.get(id)!) : 0))
      .reduce((sum, size) => sum + size, 0)
    if (rows !== null && weights >= WORTH) for (const node of chain) chains.set(node, rows)
    chain = []
  }
  for (const node of nodes) {
    const own = isApart(node) ? null : rowsOf(node)
    if (own !== rows) end()
    rows = own
    if (own !== null) chain.push(node)
  }
  end()
  return chains
}

const rowsOf = ({ op, call }: BoundNode): number | null => {
  const [made, ...others] = call.outputs
  if (made?.shape.length !== 2 || others.length > 0) return null
  return BY_ROW[op.name]?.(call) === true ? made.shape[0]! : null
}

const isKnown = (call: Call, i: number): boolean => (call.known[i] ?? null) !== null

/** Whether an input has the rows that the output has. */
const hasRows = (call: Call, i: number): boolean => {
  const shape = call.inputs[i]?.shape ?? []
  return !isKnown(call, i) && shape.length === 2 && shape[0] === call.outputs[0]!.shape[0]
}

/** Whether an input is there for every row, or left out. */
const isForAll = (call: Call, i: number): boolean => {
  const type = call.inputs[i] ?? null
  return type === null || (isKnown(call, i) && (type.shape.length < 2 || type.shape[0] === 1))
}

const eachNumber = (call: Call): boolean =>
  call.inputs.every((type, i) => {
    const isWhole = type !== null && sameShape(type.shape, call.outputs[0]!.shape)
    return (isWhole && hasRows(call, i)) || isForAll(call, i)
  })

const BY_ROW: Readonly<Record<string, (call: Call) => boolean>> = {
  Add: eachNumber,
  Mul: eachNumber,
  Swish: eachNumber,
  Gemm: (call) =>
    intOf(call, 'transA', 0) === 0 && hasRows(call, 0) && isKnown(call, 1) && isForAll(call, 2),
  RMSNormalization: (call) =>
    [-1, 1].includes(intOf(call, 'axis', -1)) && hasRows(call, 0) && isForAll(call, 1),
  Slice: (call) =>
    hasRows(call, 0) && axesIn(knownInts(call, 3) ?? [0], 2)?.every((axis) => axis === 1) === true,
  // Rows of a table, by their places in it.
  Gather: (call) =>
    intOf(call, 'axis', 0) === 0 && isKnown(call, 0) && call.inputs[1]?.shape.length === 1,
}

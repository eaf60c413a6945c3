/**
 * A bound graph cut into segments that run one after another, or side by side where none reads of the
 * other. Every edge may be cut: a segment is a run of the nodes in an order that keeps branches together.
 */
import { costOf } from './bound.ts'
import { witnessesOf } from './certainty.ts'
import { partOf } from './part.ts'
import { sizeOf } from './tensor.ts'
import type { Bound, BoundNode } from './bound.ts'
import type { Graph, ValueId } from './graph.ts'

export type Segment = {
  /** Its inputs are made by earlier segments or given; its outputs are read by later ones or asked for. */
  readonly graph: Graph
  /** Its outputs, then what it shows beside them. */
  readonly shown: readonly ValueId[]
  readonly nodes: readonly BoundNode[]
}

/** What a segment may come to. */
export type Bounds = {
  /** Numbers of all its inputs and all that it shows. */
  readonly moved: number
  /** Numbers of all its values. */
  readonly held: number
}

/** The nodes in an order in which each follows what it reads, and a branch is gone through to its end. */
export const inBranches = (bound: Bound): Bound => {
  const makers = new Map<ValueId, BoundNode>()
  for (const made of bound.nodes)
    for (const id of made.node.outputs) if (id !== null) makers.set(id, made)
  const nodes = new Set<BoundNode>()
  const open: BoundNode[] = []
  const visit = (id: ValueId | null): void => {
    const maker = id === null ? undefined : makers.get(id)
    if (maker !== undefined && !nodes.has(maker)) open.push(maker)
  }
  for (const output of bound.graph.outputs) {
    visit(output)
    while (open.length > 0) {
      const made = open.at(-1)!
      const before = open.length
      if (!nodes.has(made)) made.node.inputs.toReversed().forEach(visit)
      if (open.length > before) continue
      nodes.add(made)
      open.pop()
    }
  }
  return { ...bound, nodes: [...nodes] }
}

/** Cut behind the nodes that make these values, and behind the last node. */
export const cutBehind = (bound: Bound, values: ReadonlySet<ValueId>): readonly Segment[] => {
  const ends = bound.nodes.flatMap(({ node }, i) =>
    node.outputs.some((id) => id !== null && values.has(id)) || i === bound.nodes.length - 1
      ? [i + 1]
      : [],
  )
  return ends.map((end, i) => segmentOf(bound, ends[i - 1] ?? 0, end))
}

/** So many parts of about the same cost, or more where one would be out of bounds. */
export const cutEvenly = (bound: Bound, parts: number, within: Bounds): readonly Segment[] => {
  const costs = bound.nodes.map(costOf)
  const ends = evenEnds(costs, parts)
  return ends.flatMap((end, i) => halved(bound, costs, [ends[i - 1] ?? 0, end], within))
}

/** Where each part ends: as near to its share of the cost as nodes allow, each with one node at least. */
const evenEnds = (costs: readonly number[], parts: number): readonly number[] => {
  const all = costs.reduce((sum, cost) => sum + cost, 0)
  const ends: number[] = []
  let done = 0
  for (const [i, cost] of costs.entries()) {
    const aim = (all * (ends.length + 1)) / parts
    if (done + cost / 2 > aim && i > (ends.at(-1) ?? 0) && ends.length < parts - 1) ends.push(i)
    done += cost
  }
  return [...ends, costs.length]
}

/** One segment, or its halves if it is out of bounds and has more than one node. */
const halved = (
  bound: Bound,
  costs: readonly number[],
  [from, to]: readonly [number, number],
  within: Bounds,
): readonly Segment[] => {
  const whole = segmentOf(bound, from, to)
  if (to - from <= 1 || isInside(bound, whole, within)) return [whole]
  const own = costs.slice(from, to)
  const middle = from + Math.max(1, evenEnds(own, 2)[0]! % own.length)
  return [[from, middle] as const, [middle, to] as const].flatMap((range) =>
    halved(bound, costs, range, within),
  )
}

const segmentOf = (bound: Bound, from: number, to: number): Segment => {
  const graph = partOf(bound, from, to)
  const nodes = bound.nodes.slice(from, to)
  const shown = [...graph.outputs, ...witnessesOf({ ...bound, graph, nodes })]
  return { graph, shown, nodes }
}

const isInside = ({ types }: Bound, segment: Segment, { moved, held }: Bounds): boolean => {
  const { graph, shown } = segment
  const count = (ids: readonly (ValueId | null)[]): number =>
    ids.reduce<number>((sum, id) => sum + (id === null ? 0 : sizeOf(types.get(id)!)), 0)
  const made = graph.nodes.flatMap(({ outputs }) => outputs)
  const given = count(graph.inputs)
  return given + count(shown) <= moved && given + count(made) <= held
}

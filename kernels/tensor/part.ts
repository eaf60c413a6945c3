/** A run of a bound graph's nodes as a graph of its own: what is known of it goes in as constants. */
import type { Bound } from './bound.ts'
import type { Graph, ValueId } from './graph.ts'

/** Nodes from one place up to another. `inputs` and `outputs` are what it reads and what is read of it. */
export const partOf = ({ graph, known, nodes }: Bound, from: number, to: number): Graph => {
  const inside = nodes.slice(from, to).map(({ node }) => node)
  const read = idsIn(inside.flatMap(({ inputs }) => inputs))
  const made = idsIn(inside.flatMap(({ outputs }) => outputs))
  const later = idsIn(nodes.slice(to).flatMap(({ node }) => node.inputs))
  const isWanted = (id: ValueId): boolean => later.has(id) || graph.outputs.includes(id)
  return {
    ...graph,
    nodes: inside,
    inputs: [...read].filter((id) => !known.has(id) && !made.has(id)),
    outputs: [...made].filter((id) => isWanted(id) && !known.has(id)),
    constants: new Map([...known].filter(([id]) => read.has(id))),
  }
}

const idsIn = (ids: readonly (ValueId | null)[]): ReadonlySet<ValueId> =>
  new Set(ids.filter((id) => id !== null))

/** What is left to run of a bound graph, as a graph of its own: what is known of it goes in as constants. */
import type { Bound } from './bound.ts'
import type { Graph } from './graph.ts'

/** `inputs` and `outputs` are those of the graph that still have to be given and made, by the same ids. */
export const restOf = ({ graph, known, nodes }: Bound): Graph => {
  const read = new Set(nodes.flatMap(({ node }) => node.inputs.filter((id) => id !== null)))
  const isOpen = (id: number): boolean => !known.has(id)
  return {
    ...graph,
    nodes: nodes.map(({ node }) => node),
    inputs: graph.inputs.filter((id) => read.has(id) && isOpen(id)),
    outputs: [...new Set(graph.outputs)].filter((id) => isOpen(id) && !graph.inputs.includes(id)),
    constants: new Map([...known].filter(([id]) => read.has(id))),
  }
}

/** A segment of a graph as the text of a task: short names, and inputs by their place in what the task reads. */
import { writeGraphText } from './graph-text.ts'
import type { Graph, ValueId } from './graph.ts'
import type { TensorType } from './tensor.ts'

/** Which of the task's reads a value lies in, and from which word on. */
export type Place = { readonly slot: number; readonly at: number }

export const segmentText = (
  segment: Graph,
  types: ReadonlyMap<ValueId, TensorType>,
  placeOf: (id: ValueId) => Place,
): string => {
  const names: string[] = []
  let count = 0
  const name = (ids: Iterable<ValueId | null>): void => {
    for (const id of ids) if (id !== null) names[id] ??= `v${count++}`
  }
  name(segment.inputs)
  name(segment.constants.keys())
  for (const { outputs } of segment.nodes) name(outputs)
  const inputs = segment.inputs.map((id) => {
    const { slot, at } = placeOf(id)
    return { name: names[id]!, ...types.get(id)!, source: { tensor: `r${slot}`, at } }
  })
  return writeGraphText(segment, names, inputs)
}

/**
 * Floats of 16 bits are computed with as f32 here. What a model declares to answer in 16 bits is made a number of
 * that type by a cast of its own, which every engine and every check then sees.
 */
import { dataTypeOf } from '../../../kernels/tensor/ops/cast.ts'
import type { Node, ValueId } from '../../../kernels/tensor/graph.ts'
import type { ElementType } from '../../../kernels/tensor/tensor.ts'

const HALVES: ReadonlySet<ElementType> = new Set(['f16', 'bf16'])

/** @param fresh makes a value that is like this one, but not yet rounded */
export const roundOutputs = (
  nodes: readonly Node[],
  outputs: ReadonlyMap<ValueId, ElementType | null>,
  fresh: (id: ValueId) => ValueId,
): readonly Node[] =>
  nodes.flatMap((node) => {
    const casts: Node[] = []
    const made = node.outputs.map((id) => {
      const element = id === null ? null : (outputs.get(id) ?? null)
      if (id === null || element === null || !HALVES.has(element) || node.op === 'Cast') return id
      const raw = fresh(id)
      const attributes = new Map([['to', dataTypeOf(element)]])
      const cast = { op: 'Cast', domain: '', name: node.name, inputs: [raw], outputs: [id] }
      casts.push({ ...cast, attributes })
      return raw
    })
    return casts.length === 0 ? [node] : [{ ...node, outputs: made }, ...casts]
  })

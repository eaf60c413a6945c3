/** What a graph takes while it runs on a processor. */
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import { endsOf } from './cpu-pieces.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { CpuPiece } from './cpu-pieces.ts'

const WIDE: ReadonlySet<string> = new Set(['f64', 'i64', 'u64'])

/** 8 bytes each where they are wide. */
const bytesOf = (type: TensorType): number => sizeOf(type) * (WIDE.has(type.element) ? 8 : 4)

/**
 * The most that is there at once: constants, inputs, and what is made and still read. Numbers lie here and in the memory
 * of WebAssembly; those that were `given` do so in one of them.
 */
export const peakBytes = (
  { graph, types, known }: Bound,
  pieces: readonly CpuPiece[],
  given: ReadonlySet<Tensor>,
): number => {
  const size = (ids: Iterable<ValueId>): number =>
    [...ids].reduce((sum, id) => {
      const isOnce = known.has(id) && given.has(known.get(id)!)
      return sum + bytesOf(types.get(id)!) * (isOnce ? 1 : 2)
    }, 0)
  const ends = endsOf(pieces, graph.outputs)
  let now = size(new Set([...known.keys(), ...graph.inputs]))
  let most = now
  for (const [i, { nodes, graph: part }] of pieces.entries()) {
    const made = nodes.flatMap(({ node }) => node.outputs.filter((id) => id !== null))
    most = Math.max(most, now + size(made))
    now += size(part.outputs) - size(ends[i]!)
  }
  return most
}

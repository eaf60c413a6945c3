/**
 * Numbers of weights that were given to the engine: once they lie where runs read them, those here are let go of. A
 * tensor without its numbers is known by its shape, which says that there should be some.
 */
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import { isTold } from './shared-models.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { CpuPiece } from './cpu-pieces.ts'

export const isLetGo = (tensor: Tensor): boolean => tensor.data.length === 0 && sizeOf(tensor) > 0

/** To be told after each piece, in turn, whether WebAssembly has it. */
export const lettingGo = (
  pieces: readonly CpuPiece[],
  given: ReadonlySet<Tensor>,
): ((piece: CpuPiece, isPlaced: boolean) => void) => {
  const readers = new Map<Tensor, number>()
  for (const { graph } of pieces)
    for (const tensor of graph.constants.values())
      readers.set(tensor, (readers.get(tensor) ?? 0) + 1)
  return ({ graph, rows }, isPlaced) => {
    // What is no matter of rows is made anew for runs of another size.
    if (!isPlaced || rows === null) return
    for (const tensor of graph.constants.values()) {
      const left = readers.get(tensor)! - 1
      readers.set(tensor, left)
      // What models are known by is kept.
      if (left === 0 && given.has(tensor) && !isLetGo(tensor) && !isTold(tensor)) letGo(tensor)
    }
  }
}

/** At once, and not when garbage is collected. */
const letGo = ({ data }: Tensor): void => {
  const { buffer } = data
  if (buffer instanceof ArrayBuffer && data.byteLength === buffer.byteLength) buffer.transfer(0)
}

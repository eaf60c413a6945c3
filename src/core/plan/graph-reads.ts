/**
 * What a part of a graph reads: pieces of lines of words. Values that lie close together come as one piece,
 * and where there would be too many pieces the closest are joined, with what is between them.
 */
import { sizeOf, type TensorType } from '../../../kernels/tensor/tensor.ts'
import type { ValueId } from '../../../kernels/tensor/graph.ts'
import type { Place } from '../../../kernels/tensor/segment-text.ts'

/** Where a value lies: a line, and its first word there. */
export type Location = { readonly tensor: string; readonly at: number }

export type Piece = { readonly tensor: string; readonly from: number; readonly to: number }

export type GraphReads = {
  readonly pieces: readonly Piece[]
  placeOf(id: ValueId): Place
}

/** Words that may come along for nothing: less than a second piece would cost in messages. */
const GAP_MAX = 1_024

/** null where they lie in more lines than there may be pieces. */
export const readsOf = (
  ids: readonly ValueId[],
  locations: ReadonlyMap<ValueId, Location>,
  types: ReadonlyMap<ValueId, TensorType>,
  most: number,
): GraphReads | null => {
  const wanted = ids.map((id): Piece => {
    const { tensor, at } = locations.get(id)!
    return { tensor, from: at, to: at + sizeOf(types.get(id)!) }
  })
  const tensors = [...new Set(wanted.map(({ tensor }) => tensor))]
  const sorted = tensors.flatMap((tensor) =>
    wanted.filter((each) => each.tensor === tensor).toSorted((a, b) => a.from - b.from),
  )
  let pieces = joined(sorted, GAP_MAX)
  while (pieces.length > most) {
    const gap = Math.min(...pieces.map((piece, i) => gapBefore(piece, pieces[i - 1])))
    if (!Number.isFinite(gap)) return null
    pieces = joined(pieces, gap)
  }
  return {
    pieces,
    placeOf(id) {
      const { tensor, at } = locations.get(id)!
      const slot = pieces.findIndex(
        (piece) => piece.tensor === tensor && piece.from <= at && at <= piece.to,
      )
      return { slot, at: at - pieces[slot]!.from }
    },
  }
}

const gapBefore = (piece: Piece, before: Piece | undefined): number =>
  before?.tensor === piece.tensor ? Math.max(0, piece.from - before.to) : Number.POSITIVE_INFINITY

const joined = (sorted: readonly Piece[], gap: number): Piece[] => {
  const pieces: Piece[] = []
  for (const piece of sorted) {
    const before = pieces.at(-1)
    if (before === undefined || gapBefore(piece, before) > gap) pieces.push(piece)
    else pieces[pieces.length - 1] = { ...before, to: Math.max(before.to, piece.to) }
  }
  return pieces
}

/** RNN, GRU and LSTM in plain loops. */
import type { Tensor } from '../tensor.ts'
import type { Recurrent } from './recurrent.ts'

/** Visits each sequence's moments in order, and says where the walk of a direction is. */
export const eachSequence = (
  { directions, batch, moments, backwards }: Recurrent,
  lengths: Tensor | null | undefined,
  visit: (direction: number, sequence: number, times: readonly number[]) => void,
): void => {
  for (let d = 0; d < directions; d++)
    for (let b = 0; b < batch; b++) {
      const length = Math.max(0, Math.min(moments, lengths?.data[b] ?? moments))
      const times = Array.from({ length }, (_, i) => i)
      visit(d, b, backwards[d] === true ? times.toReversed() : times)
    }
}

/** Places of x, of a state, and of Y in row-major order. */
export const recurrentPlaces = ({
  batchFirst,
  moments,
  batch,
  features,
  directions,
  hidden,
}: Recurrent): {
  x(time: number, b: number, i: number): number
  state(d: number, b: number, j: number): number
  y(time: number, d: number, b: number, j: number): number
} => ({
  x: (time, b, i) => (batchFirst ? b * moments + time : time * batch + b) * features + i,
  state: (d, b, j) => (batchFirst ? b * directions + d : d * batch + b) * hidden + j,
  y: (time, d, b, j) =>
    (batchFirst ? (b * moments + time) * directions + d : (time * directions + d) * batch + b) *
      hidden +
    j,
})

/** What x and the state before add to gate `row`, without the bias. */
export const gateSums = (
  { features, hidden, gates }: Recurrent,
  [x, w, r]: readonly [Tensor, Tensor, Tensor],
  { d, from, row }: { readonly d: number; readonly from: number; readonly row: number },
  before: readonly number[],
): { readonly x: number; readonly h: number } => {
  let [ofX, ofH] = [0, 0]
  const line = d * gates * hidden + row
  for (let i = 0; i < features; i++) ofX += x.data[from + i]! * w.data[line * features + i]!
  for (let i = 0; i < hidden; i++) ofH += before[i]! * r.data[line * hidden + i]!
  return { x: ofX, h: ofH }
}

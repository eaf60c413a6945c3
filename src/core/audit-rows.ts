/**
 * Whether what a stage answered is what its layers make of its input, up to what two devices differ in. Devices
 * add up in other orders, so a number may be off by a part of what its row is made of, never by more.
 */
import { largest } from '../base/largest.ts'

/** Two honest engines were seen to differ by 2e-5 of a row's size; half floats inside a driver are 1e-3. */
const TOLERANCE = 4e-3

/** The largest logits of a place are kept to be checked: what is drawn is among them but for wild temperatures. */
export const SHOWN_LOGITS = 16

/** The first row that is not within tolerance, or null. */
export const firstWrongRow = (
  said: Float32Array,
  truth: Float32Array,
  width: number,
): number | null => {
  if (said.length !== truth.length) return 0
  for (let row = 0; row * width < truth.length; row++) {
    const from = row * width
    const own = truth.subarray(from, from + width)
    if (!agree(said.subarray(from, from + width), own)) return row
  }
  return null
}

export type ShownLogits = { readonly ids: Uint32Array; readonly values: Float32Array }

/** The largest logits, the token that was drawn among them. */
export const shownLogits = (logits: Float32Array, drawn: number): ShownLogits => {
  const best = largest(logits, SHOWN_LOGITS)
  const ids = best.includes(drawn) ? best : Uint32Array.of(drawn, ...best)
  return { ids, values: Float32Array.from(ids, (id) => logits[id]!) }
}

/** What was shown is right, and nothing that was not shown is larger. */
export const logitsAgree = ({ ids, values }: ShownLogits, truth: Float32Array): boolean => {
  const own = Float32Array.from(ids, (id) => truth[id]!)
  const slack = slackOf(truth)
  const least = values.at(-1)!
  const isShown = new Set(ids)
  return (
    close(values, own, slack) &&
    truth.every((value, id) => isShown.has(id) || value <= least + slack)
  )
}

const agree = (said: Float32Array, truth: Float32Array): boolean =>
  close(said, truth, slackOf(truth))

/** By the size of a row: the root of the mean of its squares. */
const slackOf = (row: Float32Array): number => {
  let sum = 0
  for (const x of row) sum += x * x
  return TOLERANCE * Math.max(1e-6, Math.sqrt(sum / Math.max(1, row.length)))
}

/** NaN agrees with NaN alone. */
const close = (said: Float32Array, truth: Float32Array, slack: number): boolean =>
  truth.every((x, i) => {
    const y = said[i]!
    return Math.abs(x - y) <= slack + TOLERANCE * Math.abs(x) || Object.is(x, y)
  })

/**
 * Whether what a stage answered is what its layers make of its input, up to what two devices differ in. Devices
 * add up in other orders, so a number may be off by a part of what its row is made of, never by more.
 */
import type { Candidates } from './candidates.ts'

/** Two honest engines were seen to differ by 2e-5 of a row's size; half floats inside a driver are 1e-3. */
const TOLERANCE = 4e-3

/** Where all logits are answered, so many of the likeliest are kept to be checked: what is drawn is mostly among them. */
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

/** Of what a token was drawn among, what is checked: the first so many, and the token. */
export const shownCandidates = (
  { ids, logits }: Candidates,
  drawn: number,
  most: number,
): Candidates => {
  const best = { ids: ids.slice(0, most), logits: logits.slice(0, most) }
  if (best.ids.includes(drawn)) return best
  return {
    ids: Uint32Array.of(drawn, ...best.ids),
    logits: Float32Array.of(logits[ids.indexOf(drawn)]!, ...best.logits),
  }
}

/** What was answered is right, and nothing that was not is larger by more than devices differ in. */
export const candidatesAgree = ({ ids, logits }: Candidates, truth: Float32Array): boolean => {
  const own = Float32Array.from(ids, (id) => truth[id]!)
  const slack = slackOf(truth)
  const least = logits.at(-1)!
  const isShown = new Set(ids)
  return (
    close(logits, own, slack) &&
    truth.every((value, id) => isShown.has(id) || !(value > least) || isNear(least, value, slack))
  )
}

const agree = (said: Float32Array, truth: Float32Array): boolean =>
  close(said, truth, slackOf(truth))

/** By the size of a row: the root of the mean of its squares, of those that are numbers. */
const slackOf = (row: Float32Array): number => {
  let sum = 0
  for (const x of row) if (Number.isFinite(x)) sum += x * x
  return TOLERANCE * Math.max(1e-6, Math.sqrt(sum / Math.max(1, row.length)))
}

const close = (said: Float32Array, truth: Float32Array, slack: number): boolean =>
  truth.every((x, i) => isNear(said[i]!, x, slack))

/** What is no number, or infinite, agrees with itself alone. */
const isNear = (said: number, truth: number, slack: number): boolean =>
  Math.abs(truth - said) < slack + TOLERANCE * Math.abs(truth) || Object.is(truth, said)

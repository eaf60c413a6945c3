/**
 * The likeliest tokens of a place, which is all that a draw needs of a vocabulary: chosen where logits are, sent as
 * f32 and u32 for each, and looked at by whoever gets them.
 */

/** Likeliest first, of equal ones the smaller number. */
export type Candidates = { readonly ids: Uint32Array; readonly logits: Float32Array }

/** Far above what anybody draws among, and what a GPU chooses in few rounds (kernels/tensor/templates/selection.ts). */
export const CANDIDATES_MAX = 256

export const CANDIDATE_BYTES = 8

/** The first `count`; NaN is less than any. */
export const likeliest = (logits: Float32Array, count: number): Candidates => {
  const most = Math.min(count, logits.length)
  return most > CANDIDATES_MAX ? sorted(logits, most) : chosen(logits, most)
}

const sorted = (logits: Float32Array, most: number): Candidates => {
  const order = Uint32Array.from(logits, (_, id) => id)
  order.sort((a, b) => {
    const [x, y] = [logits[a]!, logits[b]!]
    return isBefore(x, y) ? -1 : isBefore(y, x) ? 1 : a - b
  })
  const ids = order.slice(0, most)
  return { ids, logits: Float32Array.from(ids, (id) => logits[id]!) }
}

const chosen = (logits: Float32Array, most: number): Candidates => {
  const ids = new Uint32Array(most)
  const found = new Float32Array(most)
  let kept = 0
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!
    if (kept === most && !isBefore(logit, found[most - 1]!)) continue
    let at = Math.min(kept, most - 1)
    for (; at > 0 && isBefore(logit, found[at - 1]!); at--) {
      ids[at] = ids[at - 1]!
      found[at] = found[at - 1]!
    }
    ids[at] = id
    found[at] = logit
    kept = Math.min(kept + 1, most)
  }
  return { ids, logits: found }
}

export const candidateBytes = ({ ids, logits }: Candidates): Uint8Array<ArrayBuffer> => {
  const bytes = new DataView(new ArrayBuffer(CANDIDATE_BYTES * ids.length))
  for (const [i, id] of ids.entries()) {
    bytes.setFloat32(CANDIDATE_BYTES * i, logits[i]!, true)
    bytes.setUint32(CANDIDATE_BYTES * i + 4, id, true)
  }
  return new Uint8Array(bytes.buffer)
}

/** What a stranger sent; null where it cannot be the likeliest of so many, each named once and in their order. */
export const readCandidates = (body: Uint8Array, vocabulary: number): Candidates | null => {
  const count = body.byteLength / CANDIDATE_BYTES
  const bytes = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const ids = Uint32Array.from({ length: count }, (_, i) =>
    bytes.getUint32(CANDIDATE_BYTES * i + 4, true),
  )
  const logits = Float32Array.from({ length: count }, (_, i) =>
    bytes.getFloat32(CANDIDATE_BYTES * i, true),
  )
  const isSound = ids.every(
    (id, i) =>
      id < vocabulary &&
      (i === 0 || logits[i]! < logits[i - 1]! || (logits[i] === logits[i - 1] && id > ids[i - 1]!)),
  )
  return isSound && new Set(ids).size === count ? { ids, logits } : null
}

const isBefore = (a: number, b: number): boolean => a > b || (Number.isNaN(b) && !Number.isNaN(a))

/** What a stage answered, as far as that can be told from its bytes: numbers that somebody can go on with. */
import { readCandidates, type Candidates } from '../../core/candidates.ts'

/** Rows or logits, or the likeliest tokens. */
export type StageAnswer = Float32Array<ArrayBuffer> | Candidates

/** @param top how many of the likeliest it was asked for; 0 for rows or logits */
export const answerIn = (body: Uint8Array, top: number, vocabulary: number): StageAnswer | null => {
  if (top > 0) {
    const found = readCandidates(body, vocabulary)
    return found !== null && found.logits.every(isUsable) ? found : null
  }
  // A copy, as a body may begin at any byte of a message.
  const rows = new Float32Array(body.slice().buffer)
  return rows.every(isUsable) ? rows : null
}

/** Squares of a whole row of such numbers can be added up by anybody. */
const isUsable = (x: number): boolean => Math.abs(x) < 1e15

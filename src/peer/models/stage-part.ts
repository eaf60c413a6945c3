/** Parts of the work on a stage, as bills and receipts name them: the same for who computes and who pays. */
import type { Cid, TaskId } from '../../base/ids.ts'
import { cidOf, rawCidFromDigest, sha256 } from '../../wire/codec.ts'
import type { SessionId } from './session-view.ts'

/** The kernel in receipts for stages. */
export const STAGE_KERNEL = 'stage@1'

/** What a receipt for a part calls its task. */
export const taskOfPart = (session: SessionId, index: number, part: number): TaskId =>
  cidOf({ v: 1, kind: 'stage-part', session, index, part }) as TaskId

/** Before the first answer. */
export const NO_ANSWERS: Uint8Array<ArrayBuffer> = new Uint8Array(32)

/** The digest over all answers of a stage, one more among them. What is replayed is no answer. */
export const nextAnswers = (digest: Uint8Array, answer: Uint8Array): Uint8Array<ArrayBuffer> => {
  const both = new Uint8Array(digest.byteLength + answer.byteLength)
  both.set(digest)
  both.set(answer, digest.byteLength)
  return new Uint8Array(sha256(both))
}

/** What a receipt for a part calls its output. */
export const outputOfPart = (answers: Uint8Array): Cid => rawCidFromDigest(answers)

/** What `fed` says it was fed: of rows their bytes, of tokens their numbers as u32, little endian. */
export const inputDigest = (input: readonly number[] | Uint8Array): Uint8Array<ArrayBuffer> => {
  if (input instanceof Uint8Array) return new Uint8Array(sha256(input))
  const bytes = new DataView(new ArrayBuffer(4 * input.length))
  for (const [i, token] of input.entries()) bytes.setUint32(4 * i, token, true)
  return new Uint8Array(sha256(new Uint8Array(bytes.buffer)))
}

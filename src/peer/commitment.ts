/**
 * Commit before reveal. A worker binds itself to a result before it learns how the result will be
 * checked, and its own account is inside, so that nobody can commit to a copy of another's answer.
 */
import { concat, utf8 } from '../base/bytes.ts'
import type { Cid, Did, TaskId } from '../base/ids.ts'
import { sha256 } from '../wire/codec.ts'

export const SALT_BYTES = 16

export const commitment = (
  task: TaskId,
  worker: Did,
  salt: Uint8Array,
  output: Cid,
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(sha256(concat([utf8(`swarm/1/commit\0${task}\0${worker}\0`), salt, utf8(output)])))

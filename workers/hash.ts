/** The name of raw bytes. */
import { rawCidOf } from '../src/base/leaf.ts'
import type { Cid } from '../src/base/ids.ts'

export const rawCid = async (bytes: Uint8Array<ArrayBuffer>): Promise<Cid> =>
  rawCidOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))

/** Fields that many messages and signed bodies have. */
import * as v from 'valibot'
import { isCid, isDid, type Cid, type Did, type PeerId } from '../base/ids.ts'

export const Whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const CidText = v.pipe(
  v.string(),
  v.check(isCid),
  v.transform((text) => text as Cid),
)
export const DidText = v.pipe(
  v.string(),
  v.check(isDid),
  v.transform((text) => text as Did),
)
export const PeerText = v.pipe(
  v.string(),
  v.regex(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/),
  v.transform((text) => text as PeerId),
)
export const Signature = v.pipe(v.instance(Uint8Array), v.length(64))

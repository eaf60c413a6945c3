/** A signed half-block as JSON, for files and for other programs; the signed bytes are dag-cbor. */
import * as v from 'valibot'
import { fromHex, toHex } from '../base/bytes.ts'
import { cidOf } from './codec.ts'
import { Block, type SignedBlock } from './signed.ts'

const File = v.object({
  cid: v.string(),
  body: Block,
  sig: v.pipe(v.string(), v.hexadecimal(), v.length(128)),
})

export const blockJson = ({ body, sig }: SignedBlock) => ({
  cid: cidOf(body),
  body,
  sig: toHex(sig),
})

/** Reads what `blockJson` wrote; null for anything else, and where the name does not fit the body. */
export const readBlockJson = (json: unknown): SignedBlock | null => {
  const parsed = v.safeParse(File, json)
  if (!parsed.success || cidOf(parsed.output.body) !== parsed.output.cid) return null
  const { body, sig } = parsed.output
  return { body, sig: fromHex(sig)! }
}

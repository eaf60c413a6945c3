/** A signed receipt as JSON, for files and for other programs; the signed bytes are dag-cbor. */
import * as v from 'valibot'
import { fromHex, toHex } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'
import { cidOf } from './codec.ts'
import { issueWords } from './issue-words.ts'
import { Receipt, type SignedReceipt } from './signed.ts'

const SIGNATURE_BYTES = 64
const Hex = v.pipe(v.string(), v.hexadecimal(), v.length(2 * SIGNATURE_BYTES))
const File = v.object({
  cid: v.string(),
  body: Receipt,
  requesterSig: Hex,
  workerSig: v.nullable(Hex),
})

export const receiptJson = ({ body, requesterSig, workerSig }: SignedReceipt) => ({
  cid: cidOf(body),
  body,
  requesterSig: toHex(requesterSig),
  workerSig: workerSig && toHex(workerSig),
})

export type ReceiptFileError = { readonly code: 'bad-receipt'; readonly detail: string }

/** Reads what `receiptJson` wrote. The name in it is compared with the one worked out here. */
export const readReceiptJson = (json: unknown): Result<SignedReceipt, ReceiptFileError> => {
  const parsed = v.safeParse(File, json)
  if (!parsed.success) {
    return err({ code: 'bad-receipt', detail: issueWords(parsed.issues[0], 'receipt') })
  }
  const { cid, body, requesterSig, workerSig } = parsed.output
  if (cidOf(body) !== cid)
    return err({ code: 'bad-receipt', detail: `the body is not what ${cid} names` })
  return ok({
    body,
    requesterSig: fromHex(requesterSig)!,
    workerSig: workerSig === null ? null : fromHex(workerSig),
  })
}

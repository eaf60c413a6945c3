/** A signed manifest as bytes, which are at most a leaf and name the model, and back from a stranger's. */
import * as v from 'valibot'
import { equalBytes } from '../base/bytes.ts'
import { DIGEST_BYTES, digestsIn, LEAF_BYTES } from '../base/leaf.ts'
import { err, ok, type Result } from '../base/result.ts'
import { decode, encode, type WireError } from './codec.ts'
import { SignedManifest, type Manifest } from './manifest.ts'
import { merkleRoot } from './merkle.ts'

export type ManifestError = {
  readonly code: WireError['code'] | 'wrong-leaves' | 'wrong-root'
  readonly detail: string
}

/** The canonical bytes. @error too-large, for a model of some 30 GB or more */
export const manifestBytes = (
  signed: SignedManifest,
): Result<Uint8Array<ArrayBuffer>, ManifestError> => {
  const bytes = encode(signed)
  if (bytes.byteLength <= LEAF_BYTES) return ok(bytes)
  const detail = `the names of the model's pieces take ${bytes.byteLength} bytes, ${LEAF_BYTES} at most`
  return err({ code: 'too-large', detail })
}

/** All but the signature is checked. */
export const readManifest = (bytes: Uint8Array): Result<SignedManifest, ManifestError> => {
  const decoded = decode(bytes, LEAF_BYTES)
  if (!decoded.ok) return decoded
  const parsed = v.safeParse(SignedManifest, decoded.value)
  if (!parsed.success)
    return err({ code: 'bad-shape', detail: parsed.issues[0].message.slice(0, 200) })
  const wrong = disagreement(parsed.output.body)
  return wrong === null ? ok(parsed.output) : err(wrong)
}

const disagreement = ({ blocks, root }: Manifest): ManifestError | null => {
  const odd = blocks.findIndex(
    ({ bytes, leaves }) => leaves.byteLength !== Math.ceil(bytes / LEAF_BYTES) * DIGEST_BYTES,
  )
  if (odd !== -1) return { code: 'wrong-leaves', detail: `block ${odd}` }
  const found = merkleRoot(blocks.flatMap(({ leaves }) => digestsIn(leaves)))
  return equalBytes(found, root) ? null : { code: 'wrong-root', detail: 'not that of the leaves' }
}

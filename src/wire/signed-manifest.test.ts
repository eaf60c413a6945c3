import { describe, expect, it } from 'vitest'
import { manifest, sign } from '../../test/vectors/fixtures.ts'
import { exact, fuzz } from '../../test/fuzz.ts'
import { alice } from '../../test/people.ts'
import { digestsIn, LEAF_BYTES, rawCidOf } from '../base/leaf.ts'
import { cidOfBytes, encode, sha256 } from './codec.ts'
import { leafNames, type Manifest } from './manifest.ts'
import { merkleRoot } from './merkle.ts'
import { manifestBytes, readManifest } from './signed-manifest.ts'

const bytesOf = (body: Manifest): Uint8Array<ArrayBuffer> =>
  encode({ body, sig: sign(alice, body) })
const code = (bytes: Uint8Array): string => {
  const read = readManifest(bytes)
  return read.ok ? 'ok' : read.error.code
}

describe('a signed manifest', () => {
  it('comes back as it went, and names its leaves', () => {
    const signed = { body: manifest, sig: sign(alice, manifest) }
    const bytes = manifestBytes(signed)
    expect(bytes.ok && readManifest(bytes.value)).toEqual({ ok: true, value: signed })
    const [first] = digestsIn(manifest.blocks[0]!.leaves)
    expect(leafNames(manifest.blocks[0]!)[0]).toBe(rawCidOf(first!))
    expect(rawCidOf(sha256(Uint8Array.of(7)))).toBe(cidOfBytes(Uint8Array.of(7)))
  })

  it('is refused where the leaves are not those of the root, or not as many as the bytes', () => {
    const [first, ...rest] = manifest.blocks
    const leaves = first!.leaves.slice()
    leaves[3]! ^= 1
    expect(code(bytesOf({ ...manifest, blocks: [{ ...first!, leaves }, ...rest] }))).toBe(
      'wrong-root',
    )
    const swapped = [manifest.blocks[1]!, manifest.blocks[0]!, ...manifest.blocks.slice(2)]
    expect(code(bytesOf({ ...manifest, blocks: swapped }))).toBe('wrong-root')
    const longer = { ...first!, bytes: first!.bytes + LEAF_BYTES }
    expect(code(bytesOf({ ...manifest, blocks: [longer, ...rest] }))).toBe('wrong-leaves')
  })

  it('is at most a leaf', () => {
    const leaves = new Uint8Array(LEAF_BYTES)
    const block = { bytes: (LEAF_BYTES / 32) * LEAF_BYTES, tensors: [], leaves }
    const body = {
      ...manifest,
      blocks: [block, ...manifest.blocks],
      root: merkleRoot(digestsIn(leaves)),
    }
    const made = manifestBytes({ body, sig: sign(alice, body) })
    expect(made).toMatchObject({ ok: false, error: { code: 'too-large' } })
    expect(code(bytesOf(body))).toBe('too-large')
  })

  it('20,000 hostile ones are read or refused', () => {
    const read = exact(readManifest)
    const report = fuzz({ seed: 11, count: 20_000, valid: [bytesOf(manifest)], read })
    expect(report.ok).toBeGreaterThan(20)
    expect([...report.codes.keys()]).toEqual(
      expect.arrayContaining(['bad-shape', 'not-canonical', 'not-cbor', 'wrong-root']),
    )
  }, 60_000)
})

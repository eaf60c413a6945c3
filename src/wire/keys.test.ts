import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../base/bytes.ts'
import { did } from '../base/ids.ts'
import { didFromPublicKey } from './codec.ts'
import {
  keyToCheck,
  passphraseBytes,
  readBackup,
  SEAL,
  SMALL_ORDER,
  writeBackup,
  writeSealed,
} from './keys.ts'

const account = did(didFromPublicKey(new Uint8Array(32).fill(9)))

describe('a key backup', () => {
  it('comes back as it was written, also through an editor that marks and indents it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const seed = new Uint8Array(bytes)
        const text = writeBackup({ account, seed })
        expect(readBackup(text)).toEqual({ ok: true, value: { kind: 'plain', account, seed } })
        const edited = `\ufeff  ${JSON.stringify(JSON.parse(text), null, 8)}\r\n`
        expect(readBackup(edited)).toEqual({ ok: true, value: { kind: 'plain', account, seed } })
      }),
    )
  })

  it('notices every single changed character of what matters', () => {
    const text = writeBackup({ account, seed: new Uint8Array(32).fill(200) })
    const { seed, crc } = JSON.parse(text) as { seed: string; crc: string }
    for (const part of [account, seed, crc]) {
      const from = text.indexOf(part)
      for (let i = from; i < from + part.length; i++) {
        const other = text[i] === '2' ? '3' : '2'
        expect(readBackup(text.slice(0, i) + other + text.slice(i + 1)), `at ${i}`).toMatchObject({
          ok: false,
          error: { code: 'bad-backup' },
        })
      }
    }
  })

  it('is refused in words, whatever somebody drops on the page', () => {
    fc.assert(fc.property(fc.string(), (text) => !readBackup(text).ok))
    fc.assert(fc.property(fc.json(), (text) => !readBackup(text).ok))
    const good = JSON.parse(writeBackup({ account, seed: new Uint8Array(32) })) as object
    const newer = readBackup(JSON.stringify({ ...good, v: 3 }))
    expect(newer).toMatchObject({
      ok: false,
      error: { detail: expect.stringContaining('version 3') },
    })
    const missing = readBackup(JSON.stringify({ ...good, crc: undefined }))
    expect(missing).toMatchObject({
      ok: false,
      error: { detail: expect.stringContaining('"crc"') },
    })
    expect(readBackup('x'.repeat(1e7)).ok).toBe(false)
  })
})

describe('a sealed backup', () => {
  const seal = {
    account,
    rounds: SEAL.rounds as number,
    salt: new Uint8Array(SEAL.saltBytes).fill(1),
    iv: new Uint8Array(SEAL.ivBytes).fill(2),
    sealed: new Uint8Array(SEAL.sealedBytes).fill(3),
  }
  /** What somebody else made, with check digits that fit. */
  const made = (change: Partial<typeof seal>): ReturnType<typeof readBackup> =>
    readBackup(writeSealed({ ...seal, ...change }))

  it('comes back as it was written', () => {
    expect(made({})).toEqual({ ok: true, value: { kind: 'sealed', ...seal } })
  })

  it('notices every changed character, before a passphrase is asked for', () => {
    const text = writeSealed(seal)
    const fields = JSON.parse(text) as Record<string, string | number>
    for (const name of ['account', 'salt', 'iv', 'sealed', 'crc']) {
      const part = String(fields[name])
      const at = text.indexOf(part) + Math.floor(part.length / 2)
      const changed = text.slice(0, at) + (text[at] === 'Q' ? 'R' : 'Q') + text.slice(at + 1)
      expect(readBackup(changed), name).toMatchObject({ error: { code: 'bad-backup' } })
    }
    const rounds = text.replace(String(SEAL.rounds), String(SEAL.rounds + 1))
    expect(readBackup(rounds)).toMatchObject({ error: { code: 'bad-backup' } })
  })

  it('may not ask for an hour of work, nor for none', () => {
    for (const rounds of [1, SEAL.roundsMin - 1, SEAL.roundsMax + 1, 1e15, 0.5])
      expect(made({ rounds }), String(rounds)).toMatchObject({ error: { code: 'bad-backup' } })
    expect(made({ salt: new Uint8Array(15) })).toMatchObject({ error: { code: 'bad-backup' } })
    expect(made({ sealed: new Uint8Array(47) })).toMatchObject({ error: { code: 'bad-backup' } })
  })

  it('takes a passphrase as it is meant, however a keyboard spells it', () => {
    const [one, other] = [passphraseBytes('caf\u00e9 noir'), passphraseBytes('cafe\u0301 noir')]
    expect(one).toEqual(other)
    expect(passphraseBytes('\u{1f600}'.repeat(7))).toMatchObject({ ok: false })
    expect(passphraseBytes('x'.repeat(2_000))).toMatchObject({ ok: false })
  })
})

describe('a key to check', () => {
  it('is none when its point has a small order, or the signature’s has', () => {
    const sig = new Uint8Array(64).fill(3)
    expect(keyToCheck(account, sig)).not.toBeNull()
    for (const point of SMALL_ORDER) {
      for (const sign of [0, 0x80]) {
        const signed = point.slice()
        signed[31]! |= sign
        expect(keyToCheck(didFromPublicKey(signed), sig), toHex(signed)).toBeNull()
        const forged = sig.slice()
        forged.set(signed)
        expect(keyToCheck(account, forged)).toBeNull()
      }
    }
  })

  it('knows the small points rightly: eight times each is the neutral element', () => {
    const spelled = SMALL_ORDER.map((point) => toHex(point))
    expect(new Set(spelled).size).toBe(7)
    // p and p + 1 spell 0 and 1 a second time; the strict reader takes the other five.
    const canonical = SMALL_ORDER.filter((_, i) => i < 5)
    for (const point of canonical) {
      expect(ed25519.Point.fromBytes(point).isSmallOrder()).toBe(true)
    }
  })
})

/** What every Signer does, wherever its key lies. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../src/base/bytes.ts'
import { did, isDid, peerId, type Did } from '../../src/base/ids.ts'
import { epochMs, microCredits } from '../../src/base/units.ts'
import type { Signer } from '../../src/ports.ts'
import { cidOf, didFromPublicKey, publicKeyFromDid } from '../../src/wire/codec.ts'
import { delegate } from '../../src/wire/keys.ts'
import { signingBytes, type Block, type Delegation } from '../../src/wire/signed.ts'
import { DELEGATION_LIFE_MS } from '../../src/wire/version.ts'

const PEER = peerId('12D3KooWGRYZDHBembyGJQqQ6WgLqJWYNjECJwUbqHRJVQcQf3jE')

const blockOf = (account: Did): Block => ({
  v: 1,
  kind: 'block',
  swarm: cidOf({ a: 'swarm' }),
  account,
  seq: 1,
  prev: null,
  link: null,
  hour: 490_000,
  act: { act: 'open' },
  totals: {
    balance: microCredits(0),
    held: microCredits(0),
    burned: microCredits(0),
    received: microCredits(0),
    spent: microCredits(0),
  },
})

/** `make` gives a signer with a key of its own each time. */
export const signerSuite = (name: string, make: () => Promise<Signer>): void => {
  describe(`${name} as a signer`, () => {
    it('signs so that bob verifies, and so does another implementation of the curve', async () => {
      const [alice, bob] = [await make(), await make()]
      expect(isDid(alice.account)).toBe(true)
      expect(alice.account).not.toBe(bob.account)
      const block = blockOf(alice.account)
      const sig = await alice.sign(block)
      expect(sig.byteLength).toBe(64)
      expect(await bob.verify(alice.account, block, sig)).toBe(true)
      expect(ed25519.verify(sig, signingBytes(block), publicKeyFromDid(alice.account))).toBe(true)
    })

    it('accepts the signature of any other implementation', async () => {
      const bob = await make()
      const secret = ed25519.utils.randomSecretKey()
      const account = did(didFromPublicKey(ed25519.getPublicKey(secret)))
      const block = blockOf(account)
      const sig = ed25519.sign(signingBytes(block), secret)
      expect(await bob.verify(account, block, sig)).toBe(true)
    })

    it('refuses another body, another account, and every single changed bit', async () => {
      const [alice, bob] = [await make(), await make()]
      const block = blockOf(alice.account)
      const sig = await alice.sign(block)
      expect(await bob.verify(alice.account, { ...block, seq: 2 }, sig)).toBe(false)
      expect(await bob.verify(bob.account, block, sig)).toBe(false)
      for (let bit = 0; bit < 512; bit += 7) {
        const changed = sig.slice()
        changed[bit >> 3]! ^= 1 << (bit & 7)
        expect(await bob.verify(alice.account, block, changed), `bit ${bit}`).toBe(false)
      }
    })

    it('never lets a signature over one kind stand for another', async () => {
      const alice = await make()
      const signed = await delegate(alice, PEER, epochMs(1_000))
      const block = blockOf(alice.account)
      expect(await alice.verify(alice.account, block, signed.sig)).toBe(false)
    })

    it('refuses what mallory makes up, without throwing', async () => {
      const alice = await make()
      const block = blockOf(alice.account)
      const sig = await alice.sign(block)
      const bodies: unknown[] = [block, { ...block, seq: 0.5 }, { ...block, hour: undefined }, {}]
      const names = [
        '',
        'did:key:',
        'did:key:z6Mk',
        `did:web:${alice.account}`,
        `${alice.account}1`,
      ]
      const offCurve = did(didFromPublicKey(new Uint8Array(32).fill(2)))
      for (const account of [...names.map((name) => did(name)), offCurve]) {
        for (const body of bodies) {
          expect(await alice.verify(account, body as Block, sig)).toBe(false)
        }
      }
      for (const length of [0, 1, 63, 65, 1_000]) {
        expect(await alice.verify(alice.account, block, new Uint8Array(length))).toBe(false)
      }
      expect(await alice.verify(alice.account, bodies[1] as Block, sig)).toBe(false)
    })

    it('refuses a key under which one signature fits every message', async () => {
      const alice = await make()
      const identity = fromHex(`01${'00'.repeat(31)}`)!
      const forged = new Uint8Array(64)
      forged.set(identity)
      // With the neutral element as key and as R, and S = 0, the equation holds for all messages.
      for (const key of [identity, fromHex('00'.repeat(31) + '80')!, new Uint8Array(32)]) {
        const account = did(didFromPublicKey(key))
        expect(await alice.verify(account, blockOf(account), forged)).toBe(false)
      }
    })

    it('lets a session key speak for alice for ten minutes', async () => {
      const [alice, bob] = [await make(), await make()]
      const { body, sig } = await delegate(alice, PEER, epochMs(1_700_000_000_000))
      const expected: Delegation = {
        v: 1,
        kind: 'delegation',
        account: alice.account,
        peer: PEER,
        from: epochMs(1_700_000_000_000),
        until: epochMs(1_700_000_000_000 + DELEGATION_LIFE_MS),
      }
      expect(body).toEqual(expected)
      expect(await bob.verify(alice.account, body, sig)).toBe(true)
      expect(
        await bob.verify(alice.account, { ...body, until: epochMs(body.until + 1) }, sig),
      ).toBe(false)
    })

    it('verifies for thousands of accounts without keeping all of them', async () => {
      const alice = await make()
      const others = Array.from({ length: 300 }, () => {
        const secret = ed25519.utils.randomSecretKey()
        const account = did(didFromPublicKey(ed25519.getPublicKey(secret)))
        return { account, sig: ed25519.sign(signingBytes(blockOf(account)), secret) }
      })
      for (const round of [1, 2]) {
        for (const { account, sig } of others) {
          expect(await alice.verify(account, blockOf(account), sig), `round ${round}`).toBe(true)
        }
      }
    })
  })
}

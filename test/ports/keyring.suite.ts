/** The account in a browser, against whatever storage and crypto the environment has. */
import { openDB } from 'idb'
import { describe, expect, it } from 'vitest'
import { openKeyring, type Keyring } from '../../src/adapters/webcrypto.ts'
import { did } from '../../src/base/ids.ts'
import { epochMs } from '../../src/base/units.ts'
import { peerId } from '../../src/base/ids.ts'
import sealedKey from '../vectors/sealed-key.json' with { type: 'json' }
import { openBackup } from '../../src/adapters/sealed-backup.ts'
import { delegate, writeBackup } from '../../src/wire/keys.ts'
import type { KeptSeed } from '../../src/adapters/kept-seed.ts'

const PEER = peerId('12D3KooWGRYZDHBembyGJQqQ6WgLqJWYNjECJwUbqHRJVQcQf3jE')

export const freshKeyring = async (name: string): Promise<Keyring> => {
  const opened = await openKeyring({ name })
  if (!opened.ok) throw new Error(`${opened.error.code}: ${opened.error.detail}`)
  return opened.value
}

export const PHRASE = 'four words of alice'

/** The backup of a key, as text. */
const backupOf = async (keyring: Keyring): Promise<string> => {
  const taken = await keyring.takeBackup(PHRASE)
  if (!taken.ok) throw new Error(`${taken.error.code}: ${taken.error.detail}`)
  return taken.value
}

/** Changes what a browser has of a key behind its back. */
const tamper = async (
  name: string,
  change: (kept: Record<string, unknown>) => object,
): Promise<void> => {
  const db = await openDB(name)
  const kept = (await db.get('key', 'account')) as Record<string, unknown>
  await db.put('key', change(kept), 'account')
  db.close()
}
/** As an earlier version kept keys. */
const withoutSeed = ({ seed: _, ...kept }: Record<string, unknown>): object => kept

export const keyringSuite = (freshName: () => string): void => {
  describe('an account in a browser', () => {
    it('is made once, found again, and only its handle is kept', async () => {
      const name = freshName()
      const first = await freshKeyring(name)
      expect(first).toMatchObject({ created: true, kept: 'disk' })
      first.close()
      const second = await freshKeyring(name)
      expect(second).toMatchObject({ created: false, account: first.account })
      const { body, sig } = await delegate(second.signer, PEER, epochMs(1))
      expect(await first.signer.verify(first.account, body, sig)).toBe(true)
      second.close()
      const db = await openDB(name)
      const stored = (await db.get('key', 'account')) as Record<string, unknown>
      db.close()
      expect(Object.keys(stored).toSorted()).toEqual(['account', 'backup', 'privateKey', 'seed'])
      const [key, seed] = [stored['privateKey'] as CryptoKey, stored['seed'] as KeptSeed]
      expect([key.usages, key.extractable, seed.lock.extractable]).toEqual([['sign'], false, false])
      await expect(crypto.subtle.exportKey('pkcs8', key)).rejects.toThrow()
    })

    it('gives its backup on any visit, and knows it again', async () => {
      const name = freshName()
      const first = await freshKeyring(name)
      expect(first.backup()).toBe('not-saved')
      first.close()
      const alice = await freshKeyring(name)
      expect(alice.backup()).toBe('not-saved')
      const text = await backupOf(alice)
      expect(JSON.parse(text)).toMatchObject({ kind: 'swarmharness-key', account: alice.account })
      expect(alice.backup()).toBe('saved')
      const part = await alice.confirmBackup(text.slice(0, -9), PHRASE)
      expect(part).toMatchObject({ error: { code: 'bad-backup' } })
      const bob = await freshKeyring(freshName())
      const others = await alice.confirmBackup(await backupOf(bob), PHRASE)
      expect(others).toMatchObject({ error: { code: 'bad-backup' } })
      if (!others.ok) expect(others.error.detail).toContain(bob.account)
      expect(alice.backup()).toBe('saved')
      expect(await alice.confirmBackup(text, PHRASE)).toEqual({ ok: true, value: null })
      alice.close()
      const again = await freshKeyring(name)
      expect(again.backup()).toBe('confirmed')
      expect(await openBackup(await backupOf(again), PHRASE)).toEqual(
        await openBackup(text, PHRASE),
      )
      again.close()
      bob.close()
    })

    it('seals its backup: only the passphrase opens it, and a short one is not taken', async () => {
      const alice = await freshKeyring(freshName())
      expect(await alice.takeBackup('1234567')).toMatchObject({
        error: { code: 'weak-passphrase' },
      })
      expect(alice.backup()).toBe('not-saved')
      const text = await backupOf(alice)
      const read = await openBackup(text, PHRASE)
      if (!read.ok) throw new Error(read.error.detail)
      expect(text).not.toContain(JSON.parse(writeBackup(read.value)).seed)
      for (const [phrase, code] of [
        [null, 'sealed-backup'],
        ['four words of mallory', 'wrong-passphrase'],
        ['', 'wrong-passphrase'],
      ] as const) {
        expect(await alice.confirmBackup(text, phrase)).toMatchObject({ error: { code } })
        expect(await alice.restore(text, phrase)).toMatchObject({ error: { code } })
      }
      alice.close()
    })

    it('says that a key which an earlier version kept unreadable cannot be backed up', async () => {
      const name = freshName()
      const alice = await freshKeyring(name)
      await backupOf(alice)
      alice.close()
      await tamper(name, withoutSeed)
      const saved = await freshKeyring(name)
      expect(saved).toMatchObject({ account: alice.account, created: false })
      expect(saved.backup()).toBe('saved')
      expect(await saved.takeBackup(PHRASE)).toMatchObject({ error: { code: 'key-unreadable' } })
      saved.close()
      const other = freshName()
      ;(await freshKeyring(other)).close()
      await tamper(other, withoutSeed)
      const never = await freshKeyring(other)
      expect(never.backup()).toBe('impossible')
      never.close()
    })

    it('goes on signing when storage has damaged the seed, and says that there is no backup', async () => {
      const name = freshName()
      ;(await freshKeyring(name)).close()
      await tamper(name, (kept) => {
        const seed = kept['seed'] as KeptSeed
        return { ...kept, seed: { ...seed, sealed: seed.sealed.map((byte) => byte ^ 1) } }
      })
      const alice = await freshKeyring(name)
      const { body, sig } = await delegate(alice.signer, PEER, epochMs(1))
      expect(await alice.signer.verify(alice.account, body, sig)).toBe(true)
      expect(await alice.takeBackup(PHRASE)).toMatchObject({ error: { code: 'key-unreadable' } })
      alice.close()
    })

    it('restores alice’s account on another machine, where it signs as before', async () => {
      const alice = await freshKeyring(freshName())
      const elsewhere = freshName()
      const other = await freshKeyring(elsewhere)
      expect(await other.restore('{"kind":"swarmharness-key"', null)).toMatchObject({ ok: false })
      const restored = await other.restore(await backupOf(alice), PHRASE)
      expect(restored).toEqual({ ok: true, value: { account: alice.account } })
      other.close()
      const moved = await freshKeyring(elsewhere)
      expect(moved).toMatchObject({ account: alice.account, created: false })
      expect(moved.backup()).toBe('confirmed')
      const { body, sig } = await delegate(moved.signer, PEER, epochMs(1))
      expect(await alice.signer.verify(alice.account, body, sig)).toBe(true)
      moved.close()
      alice.close()
    })

    it('takes a key file that is not sealed, as a Node process keeps it', async () => {
      const alice = await freshKeyring(freshName())
      const read = await openBackup(await backupOf(alice), PHRASE)
      if (!read.ok) throw new Error(read.error.detail)
      const bob = await freshKeyring(freshName())
      const restored = await bob.restore(writeBackup(read.value), null)
      expect(restored).toEqual({ ok: true, value: { account: alice.account } })
      alice.close()
      bob.close()
    })

    it('opens the sealed file of this version for as long as there are such files', async () => {
      const alice = await freshKeyring(freshName())
      const restored = await alice.restore(JSON.stringify(sealedKey), PHRASE)
      expect(restored).toEqual({ ok: true, value: { account: sealedKey.account } })
      alice.close()
    })

    it('refuses a backup whose seed makes another account than it names', async () => {
      const [alice, bob] = [await freshKeyring(freshName()), await freshKeyring(freshName())]
      const read = await openBackup(await backupOf(alice), PHRASE)
      if (!read.ok) throw new Error(read.error.detail)
      const forged = writeBackup({ account: did(bob.account), seed: read.value.seed })
      const refused = await bob.restore(forged, null)
      expect(refused).toMatchObject({ ok: false, error: { code: 'bad-backup' } })
      if (!refused.ok) expect(refused.error.detail).toContain(bob.account)
      alice.close()
      bob.close()
    })

    it('makes one account when two tabs begin at once', async () => {
      const name = freshName()
      const tabs = await Promise.all([1, 2, 3].map(() => freshKeyring(name)))
      expect(new Set(tabs.map(({ account }) => account)).size).toBe(1)
      expect(tabs.filter(({ created }) => created).length).toBe(1)
      for (const tab of tabs) tab.close()
    })

    it('never replaces a damaged key by a new account, until it is erased', async () => {
      const name = freshName()
      const alice = await freshKeyring(name)
      const db = await openDB(name)
      await db.put('key', { account: alice.account, privateKey: 'gone' }, 'account')
      db.close()
      alice.close()
      expect(await openKeyring({ name })).toMatchObject({ error: { code: 'damaged' } })
      const eraser = await openDB(name)
      await eraser.delete('key', 'account')
      eraser.close()
      const bob = await freshKeyring(name)
      expect(bob.account).not.toBe(alice.account)
      expect(await bob.erase()).toEqual({ ok: true, value: null })
      bob.close()
      const next = await freshKeyring(name)
      expect(next).toMatchObject({ created: true })
      expect(next.account).not.toBe(bob.account)
      next.close()
    })
  })
}

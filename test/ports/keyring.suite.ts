/** The account in a browser, against whatever storage and crypto the environment has. */
import { openDB } from 'idb'
import { describe, expect, it } from 'vitest'
import { openKeyring, type Keyring } from '../../src/adapters/webcrypto.ts'
import { did } from '../../src/base/ids.ts'
import { epochMs } from '../../src/base/units.ts'
import { peerId } from '../../src/base/ids.ts'
import { delegate, readBackup, writeBackup } from '../../src/wire/keys.ts'

const PEER = peerId('12D3KooWGRYZDHBembyGJQqQ6WgLqJWYNjECJwUbqHRJVQcQf3jE')

export const freshKeyring = async (name: string): Promise<Keyring> => {
  const opened = await openKeyring({ name })
  if (!opened.ok) throw new Error(`${opened.error.code}: ${opened.error.detail}`)
  return opened.value
}

export const keyringSuite = (freshName: () => string): void => {
  describe('an account in a browser', () => {
    it('is made once, found again, and its key cannot be read', async () => {
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
      expect(Object.keys(stored).toSorted()).toEqual(['account', 'backup', 'privateKey'])
      const key = stored['privateKey'] as CryptoKey
      expect(key.extractable).toBe(false)
      for (const format of ['pkcs8', 'jwk', 'raw'] as const) {
        await expect(crypto.subtle.exportKey(format as 'pkcs8', key)).rejects.toBeDefined()
      }
    })

    it('gives its backup once, and knows it again', async () => {
      const name = freshName()
      const alice = await freshKeyring(name)
      expect(alice.backup()).toBe('not-saved')
      const text = alice.takeBackup()!
      expect(JSON.parse(text)).toMatchObject({
        kind: 'swarmharness-key',
        v: 1,
        account: alice.account,
      })
      expect(alice.takeBackup()).toBeNull()
      expect(alice.backup()).toBe('saved')
      expect(await alice.confirmBackup(text.slice(0, -9))).toMatchObject({
        error: { code: 'bad-backup' },
      })
      expect(alice.backup()).toBe('saved')
      const bob = await freshKeyring(freshName())
      const others = await alice.confirmBackup(bob.takeBackup()!)
      expect(others).toMatchObject({ error: { code: 'bad-backup' } })
      if (!others.ok) expect(others.error.detail).toContain(bob.account)
      expect(await alice.confirmBackup(text)).toEqual({ ok: true, value: null })
      alice.close()
      const again = await freshKeyring(name)
      expect(again.backup()).toBe('confirmed')
      again.close()
      bob.close()
    })

    it('says that a key of an earlier visit can no longer be backed up', async () => {
      const name = freshName()
      ;(await freshKeyring(name)).close()
      const later = await freshKeyring(name)
      expect(later.backup()).toBe('impossible')
      expect(later.takeBackup()).toBeNull()
      later.close()
    })

    it('restores alice’s account on another machine, where it signs as before', async () => {
      const alice = await freshKeyring(freshName())
      const text = alice.takeBackup()!
      const elsewhere = freshName()
      const other = await freshKeyring(elsewhere)
      expect(await other.restore('{"kind":"swarmharness-key"')).toMatchObject({ ok: false })
      expect(await other.restore(text)).toEqual({ ok: true, value: { account: alice.account } })
      other.close()
      const moved = await freshKeyring(elsewhere)
      expect(moved.account).toBe(alice.account)
      expect(moved.backup()).toBe('confirmed')
      const { body, sig } = await delegate(moved.signer, PEER, epochMs(1))
      expect(await alice.signer.verify(alice.account, body, sig)).toBe(true)
      moved.close()
      alice.close()
    })

    it('refuses a backup whose seed makes another account than it names', async () => {
      const [alice, bob] = [await freshKeyring(freshName()), await freshKeyring(freshName())]
      const read = readBackup(alice.takeBackup()!)
      if (!read.ok) throw new Error(read.error.detail)
      const forged = writeBackup({ account: did(bob.account), seed: read.value.seed })
      const refused = await bob.restore(forged)
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
      expect(tabs.filter((tab) => tab.takeBackup() !== null).length).toBe(1)
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

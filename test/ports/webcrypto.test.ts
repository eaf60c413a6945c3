/** The browser's signer on Node's WebCrypto; test/gpu runs the same in Chromium. */
import 'fake-indexeddb/auto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openKeyring } from '../../src/adapters/webcrypto.ts'
import { freshKeyring, keyringSuite, PHRASE } from './keyring.suite.ts'
import { signerSuite } from './signer.suite.ts'

let counter = 0
const freshName = (): string => `key-${counter++}`

signerSuite('WebCrypto', async () => (await freshKeyring(freshName())).signer)
keyringSuite(freshName)

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('a browser that cannot', () => {
  it('sign says so in words instead of making an account', async () => {
    const unknown = new DOMException('Unrecognized name', 'NotSupportedError')
    vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(unknown)
    const opened = await openKeyring({ name: freshName() })
    expect(opened).toMatchObject({ ok: false, error: { code: 'no-ed25519' } })
    vi.restoreAllMocks()
    vi.stubGlobal('crypto', {})
    expect(await openKeyring({ name: freshName() })).toMatchObject({
      error: { code: 'no-ed25519' },
    })
  })

  it('verify its own signatures is not believed', async () => {
    vi.spyOn(crypto.subtle, 'verify').mockResolvedValue(false)
    const opened = await openKeyring({ name: freshName() })
    expect(opened).toMatchObject({ ok: false, error: { code: 'no-ed25519' } })
  })

  it('keep anything still has an account for as long as the tab is open', async () => {
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('denied', 'SecurityError')
      },
    })
    const alice = await freshKeyring(freshName())
    expect(alice).toMatchObject({ kept: 'memory', created: true })
    expect(await alice.takeBackup(PHRASE)).toMatchObject({
      value: expect.stringContaining(alice.account),
    })
    expect(await alice.erase()).toEqual({ ok: true, value: null })
  })
})

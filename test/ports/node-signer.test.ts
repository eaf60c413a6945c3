/** The key file of a Node process. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { openKeyFile, passingAccount } from '../../relay/node-signer.ts'
import { did } from '../../src/base/ids.ts'
import { readBackup, writeBackup } from '../../src/wire/keys.ts'
import sealedKey from '../vectors/sealed-key.json' with { type: 'json' }
import { signerSuite } from './signer.suite.ts'

const root = mkdtempSync(join(tmpdir(), 'swarm-key-'))
let counter = 0
const freshPath = (): string => join(root, String(counter++), 'founder.key.json')
afterAll(() => rmSync(root, { recursive: true, force: true }))

const open = (path: string) => {
  const opened = openKeyFile(path)
  if (!opened.ok) throw new Error(opened.error.detail)
  return opened.value
}

signerSuite('a key file', async () => open(freshPath()).signer)
signerSuite('a passing account', async () => passingAccount().signer)

describe('a key file', () => {
  it('is made once, found again, and is nobody else’s to read', () => {
    const path = freshPath()
    const first = open(path)
    expect(first.created).toBe(true)
    expect(open(path)).toMatchObject({ created: false, account: first.account })
    expect(readdirSync(join(path, '..'))).toEqual(['founder.key.json'])
    if (process.platform === 'win32') return
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o644)
    expect(open(path).account).toBe(first.account)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('is a backup as a browser saves it', () => {
    const path = freshPath()
    const { account } = open(path)
    expect(readBackup(readFileSync(path, 'utf8'))).toMatchObject({ ok: true, value: { account } })
  })

  it('is never replaced when it cannot be read, and the file is named', () => {
    const path = freshPath()
    const alice = open(path)
    const text = readFileSync(path, 'utf8')
    const backup = readBackup(text)
    if (!backup.ok || backup.value.kind !== 'plain') throw new Error()
    const other = open(freshPath()).account
    const broken = [
      '',
      text.slice(0, 60),
      text.replace('swarmharness-key', 'other-key'),
      text.replace(alice.account, other),
      writeBackup({ account: did(other), seed: backup.value.seed }),
    ]
    for (const content of broken) {
      writeFileSync(path, content)
      const refused = openKeyFile(path)
      expect(refused).toMatchObject({ ok: false, error: { code: 'bad-backup' } })
      expect(readFileSync(path, 'utf8')).toBe(content)
    }
    expect(openKeyFile(join(path, 'below-a-file'))).toMatchObject({
      error: { code: 'no-key-file' },
    })
    expect(existsSync(join(path, '..', 'below-a-file'))).toBe(false)
  })

  it('may be a file that a browser sealed: the passphrase opens it, and nothing else does', () => {
    const path = join(freshPath(), '..')
    const { account } = sealedKey
    const text = JSON.stringify(sealedKey)
    writeFileSync(path, text)
    for (const [phrase, code] of [
      [undefined, 'sealed-backup'],
      ['four words of mallory', 'wrong-passphrase'],
      ['short', 'wrong-passphrase'],
    ] as const) {
      vi.stubEnv('SWARM_PASSPHRASE', phrase)
      const refused = openKeyFile(path)
      expect(refused).toMatchObject({ ok: false, error: { code } })
      if (!refused.ok) expect(refused.error.detail).toContain('SWARM_PASSPHRASE')
    }
    vi.stubEnv('SWARM_PASSPHRASE', 'four words of alice')
    expect(open(path)).toMatchObject({ account, created: false })
    expect(readFileSync(path, 'utf8')).toBe(text)
    vi.unstubAllEnvs()
  })
})

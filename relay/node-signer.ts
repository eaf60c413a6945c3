/**
 * The account of a Node process: its key is a backup file, readable by its owner alone, so that a copy
 * of it is a backup at any time. A file that a browser sealed is opened with its passphrase.
 */
import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  pbkdf2Sync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { did, type Did } from '../src/base/ids.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError, Signer } from '../src/ports.ts'
import { didFromPublicKey } from '../src/wire/codec.ts'
import {
  cannotOpen,
  foreignSeed,
  keyToCheck,
  passphraseBytes,
  pkcs8OfSeed,
  readBackup,
  SEED_BYTES,
  sealedBeside,
  spkiOfKey,
  writeBackup,
  type Backup,
  type KeyError,
  type KeySeed,
} from '../src/wire/keys.ts'
import { signingBytes } from '../src/wire/signed.ts'

/** Where the passphrase of a sealed file is looked for: arguments are seen by everybody on a machine. */
const PASSPHRASE = 'SWARM_PASSPHRASE'
/** Who may read the file: its owner. */
const OWNER_ONLY = 0o600
/** Verifying keys of accounts met of late. */
const VERIFIERS_MAX = 4_096

export type NodeAccount = {
  readonly signer: Signer
  readonly account: Did
  /** True when the key was made by this call. */
  readonly created: boolean
}

/** Reads the key, or makes one where there is no file yet. */
export const openKeyFile = (path: string): Result<NodeAccount, PortError> => {
  try {
    const found = readKeyFile(path)
    if (found !== null) {
      return found.ok ? ok({ ...accountOf(found.value), created: false }) : found
    }
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const seed = new Uint8Array(randomBytes(SEED_BYTES))
    const key: KeySeed = { account: accountOfSeed(seed), seed }
    writeKeyFile(path, writeBackup(key))
    // Two that began at once: the file of one of them stands, and both use it.
    const kept = readKeyFile(path)
    if (kept?.ok)
      return ok({ ...accountOf(kept.value), created: kept.value.account === key.account })
    return kept ?? err(noKeyFile(path, 'it was removed again at once'))
  } catch (cause) {
    return err(noKeyFile(path, cause instanceof Error ? cause.message : 'unknown'))
  }
}

/** An account that lives as long as the process, for nodes that earn for nobody. */
export const passingAccount = (): NodeAccount => {
  const seed = new Uint8Array(randomBytes(SEED_BYTES))
  return { ...accountOf({ account: accountOfSeed(seed), seed }), created: true }
}

const readKeyFile = (path: string): Result<KeySeed, PortError> | null => {
  let text: string
  try {
    // Readable by others, it may have been copied already; at least it stops here.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
      chmodSync(path, OWNER_ONLY)
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw cause
  }
  const read = readBackup(text)
  const key = read.ok ? plainOf(read.value) : read
  if (!key.ok) return err({ ...key.error, detail: `${path}: ${key.error.detail}` })
  const { account, seed } = key.value
  return accountOfSeed(seed) === account ? ok({ account, seed }) : err(foreignSeed(account))
}

const plainOf = (backup: Backup): Result<KeySeed, KeyError> => {
  if (backup.kind === 'plain') return ok(backup)
  const { account, rounds, salt, iv, sealed } = backup
  const passphrase = process.env[PASSPHRASE] ?? null
  const bytes = passphrase === null ? null : passphraseBytes(passphrase)
  const refused = cannotOpen(passphrase)
  const detail = `${refused.detail} It is read from ${PASSPHRASE} in the environment.`
  if (!bytes?.ok) return err({ ...refused, detail })
  const cipher = createDecipheriv(
    'aes-256-gcm',
    pbkdf2Sync(bytes.value, salt, rounds, 32, 'sha256'),
    iv,
  )
  cipher.setAAD(sealedBeside(account)).setAuthTag(sealed.subarray(SEED_BYTES))
  try {
    const seed = Buffer.concat([cipher.update(sealed.subarray(0, SEED_BYTES)), cipher.final()])
    return ok({ account, seed: new Uint8Array(seed) })
  } catch {
    return err({ ...refused, detail })
  }
}

/** Written whole before it gets its name, and never over an existing file. */
const writeKeyFile = (path: string, text: string): void => {
  const temporary = `${path}.${process.pid}.new`
  const fd = openSync(temporary, 'wx', OWNER_ONLY)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  try {
    linkSync(temporary, path)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
  } finally {
    rmSync(temporary, { force: true })
  }
}

const privateKeyOf = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.from(pkcs8OfSeed(seed)), format: 'der', type: 'pkcs8' })

const accountOfSeed = (seed: Uint8Array): Did => {
  const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' })
  return did(didFromPublicKey(spki.subarray(-32)))
}

const accountOf = ({ account, seed }: KeySeed): { signer: Signer; account: Did } => {
  const key = privateKeyOf(seed)
  const keys = new Map<string, KeyObject>()
  const signer: Signer = {
    account,
    sign: async (body) => new Uint8Array(sign(null, signingBytes(body), key)),
    verify: async (by, body, sig) => {
      const raw = keyToCheck(by, sig)
      if (raw === null) return false
      try {
        const known = keys.get(by) ?? publicKeyOf(raw)
        keys.delete(by)
        keys.set(by, known)
        if (keys.size > VERIFIERS_MAX) keys.delete(keys.keys().next().value!)
        const bytes = signingBytes(body)
        // With a callback it is done by another thread: whoever sends many must not hold up this one.
        return await new Promise<boolean>((resolve) =>
          verify(null, bytes, known, sig, (error, good) => resolve(error === null && good)),
        )
      } catch {
        // A point that is none, or a body that has no canonical form.
        return false
      }
    },
  }
  return { signer, account }
}

const publicKeyOf = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(spkiOfKey(raw)), format: 'der', type: 'spki' })

const noKeyFile = (path: string, why: string): PortError => ({
  code: 'no-key-file',
  detail: `The key file ${path} cannot be used: ${why}`,
})

/**
 * The account of a browser: its key lies in IndexedDB as a handle that signs and cannot be read, and its
 * seed beside it, sealed, for one purpose: a backup under a passphrase. Whoever runs a script in this page
 * could ask for that seed too; that is the price of a backup at any time (docs/decisions/0010).
 */
import type { Did } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { PortError, Signer } from '../ports.ts'
import { foreignSeed, keyToCheck, SEED_BYTES } from '../wire/keys.ts'
import { signingBytes } from '../wire/signed.ts'
import { ED25519, importSeed, NO_ED25519, subtleCrypto, type AccountKey } from './account-key.ts'
import { connect, type Connection } from './idb-connection.ts'
import { readSeed } from './kept-seed.ts'
import {
  deleteKey,
  KEY_STEPS,
  loadKey,
  saveFirstKey,
  saveKey,
  type BackupState,
  type Kept,
} from './key-store.ts'
import { openBackup, sealBackup } from './sealed-backup.ts'

export type Keyring = {
  readonly signer: Signer
  readonly account: Did
  /** `memory`: the browser keeps nothing, so the account goes with the tab unless it is backed up. */
  readonly kept: 'disk' | 'memory'
  /** True when the account did not exist before this call. */
  readonly created: boolean
  backup(): BackupState
  /** The backup file, sealed with a passphrase. @error weak-passphrase, key-unreadable */
  takeBackup(passphrase: string): Promise<Result<string, PortError>>
  /** Whether this text is a readable backup of this very account: the proof that it was saved. */
  confirmBackup(text: string, passphrase: string | null): Promise<Result<null, PortError>>
  /**
   * Replaces the account by that of a backup; says which. This keyring keeps signing for the old one.
   * @error bad-backup, sealed-backup (ask for the passphrase), wrong-passphrase
   */
  restore(
    text: string,
    passphrase: string | null,
  ): Promise<Result<{ readonly account: Did }, PortError>>
  /** Deletes the key from this browser. */
  erase(): Promise<Result<null, PortError>>
  close(): void
}

export const KEY_STORE_NAME = 'swarmharness-key'
/** Verifying keys of accounts met of late: importing one costs about as much as a signature. */
const VERIFIERS_MAX = 256

export const openKeyring = async (
  options: {
    readonly name?: string
    /** `memory`: a key of this page alone, though the browser would keep one. */
    readonly storage?: 'browser' | 'memory'
    readonly onProblem?: (problem: PortError) => void
  } = {},
): Promise<Result<Keyring, PortError>> => {
  if (subtleCrypto() === null) return err(NO_ED25519)
  const { name = KEY_STORE_NAME, storage, ...rest } = options
  const opened =
    storage === 'memory' ? ok(null) : await connect({ name, steps: KEY_STEPS, ...rest })
  if (!opened.ok && opened.error.code !== 'no-storage') return opened
  const connection = opened.ok ? opened.value : null
  const found = await loadKey(connection)
  if (!found.ok) return found
  if (found.value !== null) return ok(keyringOf(connection, found.value, false))
  const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES))
  const key = await importSeed(seed)
  seed.fill(0)
  if (!key.ok) return key
  const kept: Kept = { ...key.value, backup: 'not-saved' }
  const stands = await saveFirstKey(connection, kept)
  if (!stands.ok) return stands
  return ok(keyringOf(connection, stands.value, stands.value === kept))
}

const UNREADABLE: PortError = {
  code: 'key-unreadable',
  detail:
    'This browser holds nothing that a backup could be made of. A file that was saved before is the only copy of the key.',
}

const keyringOf = (connection: Connection | null, kept: Kept, created: boolean): Keyring => {
  const { account, privateKey } = kept
  let state = kept.backup
  if (state === 'not-saved' && kept.seed === undefined) state = 'impossible'
  const mark = async (next: BackupState): Promise<Result<null, PortError>> => {
    state = next
    return saveKey(connection, { ...kept, backup: next })
  }
  return {
    account,
    kept: connection === null ? 'memory' : 'disk',
    created,
    signer: { account, sign: signWith(privateKey), verify: verifier() },
    backup: () => state,
    takeBackup: async (passphrase) => {
      const seed = kept.seed === undefined ? null : await readSeed(kept.seed)
      if (seed === null) return err(UNREADABLE)
      const sealed = await sealBackup({ account, seed }, passphrase)
      seed.fill(0)
      if (sealed.ok) void mark('saved')
      return sealed
    },
    confirmBackup: async (text, passphrase) => {
      const read = await keyOf(text, passphrase)
      if (!read.ok) return read
      if (read.value.account === account) return mark('confirmed')
      const detail = `This is the backup of another account: ${read.value.account}.`
      return err({ code: 'bad-backup', detail })
    },
    restore: async (text, passphrase) => {
      const read = await keyOf(text, passphrase)
      if (!read.ok) return read
      const saved = await saveKey(connection, { ...read.value, backup: 'confirmed' })
      return saved.ok ? ok({ account: read.value.account }) : saved
    },
    erase: () => deleteKey(connection),
    close: () => connection?.close(),
  }
}

/** The key of a backup, when its seed makes the account it names. */
const keyOf = async (
  text: string,
  passphrase: string | null,
): Promise<Result<AccountKey, PortError>> => {
  const read = await openBackup(text, passphrase)
  if (!read.ok) return read
  const key = await importSeed(read.value.seed)
  read.value.seed.fill(0)
  if (!key.ok || key.value.account === read.value.account) return key
  return err(foreignSeed(read.value.account))
}

const signWith =
  (key: CryptoKey): Signer['sign'] =>
  async (body) =>
    new Uint8Array(await crypto.subtle.sign(ED25519, key, signingBytes(body)))

const verifier = (): Signer['verify'] => {
  const keys = new Map<string, Promise<CryptoKey>>()
  return async (account, body, sig) => {
    const raw = keyToCheck(account, sig)
    if (raw === null) return false
    const known = keys.get(account)
    const key =
      known ?? crypto.subtle.importKey('raw', new Uint8Array(raw), ED25519, false, ['verify'])
    keys.delete(account)
    keys.set(account, key)
    if (keys.size > VERIFIERS_MAX) keys.delete(keys.keys().next().value!)
    try {
      return await crypto.subtle.verify(ED25519, await key, new Uint8Array(sig), signingBytes(body))
    } catch {
      // A point that is none, or a body that has no canonical form.
      return false
    }
  }
}

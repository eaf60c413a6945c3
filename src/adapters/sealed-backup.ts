/** A backup of the account key under a passphrase, made and opened by the browser's own crypto. */
import { err, ok, type Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'
import {
  cannotOpen,
  passphraseBytes,
  readBackup,
  SEAL,
  sealedBeside,
  writeSealed,
  type KeySeed,
} from '../wire/keys.ts'

export const sealBackup = async (
  { account, seed }: KeySeed,
  passphrase: string,
): Promise<Result<string, PortError>> => {
  const bytes = passphraseBytes(passphrase)
  if (!bytes.ok) return bytes
  const salt = crypto.getRandomValues(new Uint8Array(SEAL.saltBytes))
  const iv = crypto.getRandomValues(new Uint8Array(SEAL.ivBytes))
  const { rounds } = SEAL
  const key = await keyOf(bytes.value, salt, rounds)
  const sealed = await crypto.subtle.encrypt(cipher(iv, sealedBeside(account)), key, seed)
  return ok(writeSealed({ account, rounds, salt, iv, sealed: new Uint8Array(sealed) }))
}

/** The seed of a backup; `passphrase` null says that none was asked for yet. */
export const openBackup = async (
  text: string,
  passphrase: string | null,
): Promise<Result<KeySeed, PortError>> => {
  const read = readBackup(text)
  if (!read.ok) return read
  const { account } = read.value
  if (read.value.kind === 'plain') return ok({ account, seed: read.value.seed })
  const bytes = passphrase === null ? null : passphraseBytes(passphrase)
  if (!bytes?.ok) return err(cannotOpen(passphrase))
  const { salt, rounds, iv, sealed } = read.value
  const key = await keyOf(bytes.value, salt, rounds)
  try {
    const seed = await crypto.subtle.decrypt(cipher(iv, sealedBeside(account)), key, sealed)
    return ok({ account, seed: new Uint8Array(seed) })
  } catch {
    return err(cannotOpen(passphrase))
  }
}

const cipher = (iv: Uint8Array<ArrayBuffer>, additionalData: Uint8Array<ArrayBuffer>) => ({
  name: 'AES-GCM',
  iv,
  additionalData,
})

const keyOf = async (
  passphrase: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<CryptoKey> => {
  const material = await crypto.subtle.importKey('raw', passphrase, 'PBKDF2', false, ['deriveKey'])
  const from = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }
  const to = { name: 'AES-GCM', length: 256 }
  return crypto.subtle.deriveKey(from, material, to, false, ['encrypt', 'decrypt'])
}

/** The relay's own two files: its key, so that its address outlives a restart, and the genesis document. */
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import * as v from 'valibot'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'
import { decode } from '../src/wire/codec.ts'
import { Genesis } from '../src/wire/signed.ts'
import { fileTrouble } from './file-trouble.ts'

const KEY_FILE = 'relay.key'
export const GENESIS_FILE = 'genesis.cbor'
/** A thousand allocations of some 60 bytes each. */
export const GENESIS_BYTES_MAX = 128 * 1024

/** The key in `dir`, made there when it is missing, for the owner's eyes only. */
export const relayKey = async (dir: string | null): Promise<Result<PrivateKey, PortError>> => {
  if (dir === null) return ok(await generateKeyPair('Ed25519'))
  const path = join(dir, KEY_FILE)
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const found = await read(path)
    if (found !== null) {
      if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600)
      const key = privateKeyFromProtobuf(found)
      if (key.type !== 'Ed25519')
        return err({ code: 'bad-key-file', detail: `${path}: not an Ed25519 key` })
      return ok(key)
    }
    const key = await generateKeyPair('Ed25519')
    await write(path, privateKeyToProtobuf(key))
    return ok(key)
  } catch (cause) {
    const detail = `${path}: ${fileTrouble(cause)}`
    return err({ code: 'bad-key-file', detail })
  }
}

/** The genesis document in `dir`, or else the one given, which then stays there; null = none at all. */
export const relayGenesis = async (
  dir: string | null,
  given: Uint8Array | undefined,
): Promise<Result<Uint8Array | null, PortError>> => {
  const path = dir === null ? null : join(dir, GENESIS_FILE)
  try {
    const found = path === null ? null : await read(path)
    const bytes = found ?? given ?? null
    if (bytes === null) return ok(null)
    const decoded = decode(bytes, GENESIS_BYTES_MAX)
    const where = found === null ? 'the genesis document given' : `${path}`
    if (!decoded.ok)
      return err({ code: 'bad-genesis', detail: `${where}: ${decoded.error.detail}` })
    const parsed = v.safeParse(Genesis, decoded.value)
    if (!parsed.success)
      return err({ code: 'bad-genesis', detail: `${where}: ${parsed.issues[0].message}` })
    if (found === null && path !== null) await write(path, bytes)
    return ok(bytes)
  } catch (cause) {
    const detail = `${path}: ${fileTrouble(cause)}`
    return err({ code: 'bad-genesis', detail })
  }
}

const read = async (path: string): Promise<Uint8Array | null> => {
  try {
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw cause
  }
}

/** Whole or not at all: a relay killed in the middle must not come back with half a key. */
const write = async (path: string, bytes: Uint8Array): Promise<void> => {
  const draft = `${path}.${process.pid}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

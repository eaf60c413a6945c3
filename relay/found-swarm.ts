/** Founds a swarm: a key for the founder, and a genesis document that gives it the whole supply. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { err, ok, type Result } from '../src/base/result.ts'
import { MICRO_PER_CREDIT, microCredits } from '../src/base/units.ts'
import type { Did } from '../src/base/ids.ts'
import type { Genesis } from '../src/core/ledger/genesis.ts'
import type { PortError } from '../src/ports.ts'
import { encode } from '../src/wire/codec.ts'
import { fileTrouble } from './file-trouble.ts'
import { KEY_FILE } from './node-peer.ts'
import { openKeyFile } from './node-signer.ts'
import { GENESIS_FILE } from './relay-files.ts'

/** A million credits: a million TFLOP of checked work. Nothing mints afterwards. */
const SUPPLY = 1_000_000 * MICRO_PER_CREDIT
const HOUR_MS = 3_600_000

export type Founded = {
  readonly genesis: Uint8Array
  readonly account: Did
  readonly keyFile: string
}

/** The swarm whose documents are in `dataDir`, or a new one. @error what the key file or the disk says */
export const foundSwarm = (dataDir: string, name: string): Result<Founded, PortError> => {
  const keyFile = join(dataDir, KEY_FILE)
  const key = openKeyFile(keyFile)
  if (!key.ok) return key
  const { account } = key.value
  const path = join(dataDir, GENESIS_FILE)
  if (existsSync(path)) {
    try {
      return ok({ genesis: new Uint8Array(readFileSync(path)), account, keyFile })
    } catch (cause) {
      return err({ code: 'bad-genesis', detail: `${path}: ${fileTrouble(cause)}` })
    }
  }
  const genesis: Genesis = {
    v: 1,
    kind: 'genesis',
    name,
    supply: microCredits(SUPPLY),
    allocations: [{ account, amount: microCredits(SUPPLY) }],
    hour: Math.floor(Date.now() / HOUR_MS),
  }
  return ok({ genesis: encode(genesis), account, keyFile })
}

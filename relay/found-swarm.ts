/** Founds a swarm: a key for the founder, and a genesis document that gives it the whole supply. */
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { err, ok, type Result } from '../src/base/result.ts'
import { MICRO_PER_CREDIT, microCredits } from '../src/base/units.ts'
import type { Did } from '../src/base/ids.ts'
import type { Genesis } from '../src/core/ledger/genesis.ts'
import type { PortError } from '../src/ports.ts'
import { decode, encode } from '../src/wire/codec.ts'
import { Genesis as GenesisShape } from '../src/wire/signed.ts'
import { fileTrouble } from './file-trouble.ts'
import { KEY_FILE } from './node-peer.ts'
import { openKeyFile } from './node-signer.ts'
import { GENESIS_BYTES_MAX, GENESIS_FILE } from './relay-files.ts'

/** A million credits: a million TFLOP of checked work. Nothing mints afterwards. */
const SUPPLY = 1_000_000 * MICRO_PER_CREDIT
const HOUR_MS = 3_600_000
/** As much as the document takes (`src/wire/signed.ts`). */
const NAME_MAX = 80

export type Founded = {
  readonly genesis: Uint8Array
  readonly account: Did
  readonly keyFile: string
}

/**
 * The swarm whose documents are in `dataDir`, or a new one, called after this machine where no name is
 * asked for. @error other-name, or what the key file or the disk says
 */
export const foundSwarm = (dataDir: string, name?: string): Result<Founded, PortError> => {
  const keyFile = join(dataDir, KEY_FILE)
  const key = openKeyFile(keyFile)
  if (!key.ok) return key
  const { account } = key.value
  const path = join(dataDir, GENESIS_FILE)
  if (existsSync(path)) {
    try {
      const genesis = new Uint8Array(readFileSync(path))
      const before = nameIn(genesis)
      if (name === undefined || before === null || before === name)
        return ok({ genesis, account, keyFile })
      const detail = `--name: the swarm in ${dataDir} is called "${before}" for good; another needs a --data folder of its own`
      return err({ code: 'other-name', detail })
    } catch (cause) {
      return err({ code: 'bad-genesis', detail: `${path}: ${fileTrouble(cause)}` })
    }
  }
  const genesis: Genesis = {
    v: 1,
    kind: 'genesis',
    name: name ?? `the swarm of ${hostname()}`.slice(0, NAME_MAX),
    supply: microCredits(SUPPLY),
    allocations: [{ account, amount: microCredits(SUPPLY) }],
    hour: Math.floor(Date.now() / HOUR_MS),
  }
  return ok({ genesis: encode(genesis), account, keyFile })
}

/** Null where it cannot be read: then the relay says what is wrong with the document. */
const nameIn = (genesis: Uint8Array): string | null => {
  const decoded = decode(genesis, GENESIS_BYTES_MAX)
  const parsed = decoded.ok ? v.safeParse(GenesisShape, decoded.value) : null
  return parsed?.success ? parsed.output.name : null
}

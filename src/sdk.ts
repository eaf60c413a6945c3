/**
 * What a program imports: join a swarm from a page, ask it for work, or lend it the device. Nothing is
 * contacted but the relay that is named, and nothing of others is computed before `lend`.
 */
import { KEY_STORE_NAME } from './adapters/webcrypto.ts'
import { joinSwarm } from './boot/join.ts'
import { orThrow, SwarmError } from './sdk/error.ts'
import { claimPage, NO_STORAGE, surroundings } from './sdk/page.ts'
import { swarmOf, type Swarm } from './sdk/swarm.ts'

export type JoinOptions = {
  /** The address of a relay, such as `https://swarm.example`. */
  readonly relay: string
  /**
   * `browser`: key, books and running jobs stay in this origin's storage, and one page at a time is the
   * node. `memory`: an account of this page alone, gone with it.
   */
  readonly storage?: 'browser' | 'memory'
  /** Tells accounts of several programs on one origin apart. */
  readonly name?: string
}

/** @throws SwarmError no-browser, bad-relay, no-ed25519, no-storage, already-open, no-relay, not-a-relay */
export const join = async ({ relay, storage = 'browser', name }: JoinOptions): Promise<Swarm> => {
  if (!URL.canParse(relay) || !/^https?:/.test(relay)) {
    throw new SwarmError(
      'bad-relay',
      `relay: expected an address such as https://swarm.example, found ${relay}`,
    )
  }
  surroundings(storage)
  const place = storage === 'browser' ? await claimPage(name) : null
  try {
    const keyName = name === undefined ? {} : { keyName: `${KEY_STORE_NAME}/${name}` }
    const joined = orThrow(await joinSwarm({ url: relay, storage, ...keyName }))
    if (storage === 'browser' && joined.keyring.kept === 'memory') {
      await joined.handle.close()
      throw new SwarmError('no-storage', NO_STORAGE)
    }
    return swarmOf(joined, () => place?.close())
  } catch (cause) {
    place?.close()
    throw cause
  }
}

export { SwarmError }
export type { Swarm }
export type { LendOptions, MapOptions } from './sdk/swarm.ts'
export type { GenerateOptions, Token } from './sdk/generate.ts'
export type { Input } from './sdk/inputs.ts'
export type { Inputs, Progress, RunOptions } from './sdk/run.ts'
export type { Output, ReceiptEntry, RunResult } from './sdk/result.ts'
export type { Matrix } from './sdk/shorthand.ts'

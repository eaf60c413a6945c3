/** A full node in a Node process: it asks for work to be done, and could do some on its processor. */
import { randomBytes } from 'node:crypto'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { err, ok, type Result } from '../src/base/result.ts'
import { live } from '../src/peer/living.ts'
import type { NodeHandle } from '../src/peer/view.ts'
import type { PortError } from '../src/ports.ts'
import { readSwarmInfo, type SwarmInfo } from '../src/wire/swarm-info.ts'
import { openFileStore } from './file-store.ts'
import { openLeafFiles } from './leaf-files.ts'
import { loopbackOnly } from './loopback.ts'
import { networkTrouble } from './network-trouble.ts'
import { nodeClock } from './node-clock.ts'
import { nodeCompute } from './node-compute.ts'
import { openNodeNetwork } from './node-network.ts'
import { openKeyFile } from './node-signer.ts'

export const KEY_FILE = 'account.key.json'
/** A relay answers at once or is not there. */
const INFO_MS = 10_000
const MODELS_FOLDER = 'models'

/** Asks a relay what it serves. @error no-relay, not-a-relay, bad-genesis */
export const fetchSwarmInfo = async (url: string): Promise<Result<SwarmInfo, PortError>> => {
  try {
    const answer = await fetch(new URL('/swarm.json', url), {
      signal: AbortSignal.timeout(INFO_MS),
    })
    if (!answer.ok) return err({ code: 'not-a-relay', detail: `${url} answers ${answer.status}` })
    return readSwarmInfo(await answer.json())
  } catch (cause) {
    return err({ code: 'no-relay', detail: `${url}: ${networkTrouble(cause)}` })
  }
}

/**
 * What one task may take here, and one stage of a model that is audited: more than a tab has, as no page has to stay
 * alive beside it. What is lent to others has a limit of its own.
 */
const computeBytes = (): number => Math.max(2 ** 28, Math.min(2 ** 31, Math.floor(totalmem() / 4)))

export type NodePeer = {
  readonly handle: NodeHandle
  readonly info: SwarmInfo
  close(): Promise<void>
}

/** Joins the swarm of a relay with the account whose key and books are in `dataDir`. */
export const openNodePeer = async (
  info: SwarmInfo,
  dataDir: string,
  agent: string,
): Promise<Result<NodePeer, PortError>> => {
  const account = openKeyFile(join(dataDir, KEY_FILE))
  if (!account.ok) return account
  // One account may be in several swarms; its books are kept apart.
  const stored = await openFileStore(join(dataDir, 'books', info.swarm.cid))
  if (!stored.ok) return stored
  // Leaves are the same in every swarm.
  const shelf = await openLeafFiles(join(dataDir, MODELS_FOLDER))
  if (!shelf.ok) {
    stored.value.store.close()
    return shelf
  }
  const clock = nodeClock()
  const compute = nodeCompute({ memoryBytes: computeBytes() })
  const stop = new AbortController()
  const opened = await live(
    (events) =>
      openNodeNetwork({
        relays: info.relays,
        iceServers: info.iceServers,
        agent,
        events,
        loopbackOnly: loopbackOnly(),
      }),
    {
      clock,
      compute,
      store: stored.value.store,
      shelf: shelf.value,
      signer: account.value.signer,
      random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    },
    {
      swarm: info.swarm,
      agent,
      restored: !account.value.created,
      recalling: () => undefined,
      signal: stop.signal,
      backedUp: () => true,
      async close() {
        stop.abort()
        clock.close()
        shelf.value.close()
        await stored.value.closed
      },
    },
  )
  if (!opened.ok) return opened
  const handle = opened.value
  return ok({ handle, info, close: () => handle.close() })
}

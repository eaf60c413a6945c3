/** What a relay says of itself at `/swarm.json`: all that a node needs to join. */
import * as v from 'valibot'
import { err, ok, type Result } from '../base/result.ts'
import { foundSwarm, type Swarm } from '../core/ledger/genesis.ts'
import { cidOf, decode } from './codec.ts'
import { issueWords } from './issue-words.ts'
import { Genesis } from './signed.ts'

/** A thousand allocations and a name. */
const GENESIS_BYTES_MAX = 128 * 1024

const IceServer = v.object({
  urls: v.pipe(v.string(), v.maxLength(300)),
  username: v.optional(v.pipe(v.string(), v.maxLength(300))),
  credential: v.optional(v.pipe(v.string(), v.maxLength(300))),
})

const Info = v.object({
  version: v.pipe(v.string(), v.maxLength(60)),
  relays: v.pipe(v.array(v.pipe(v.string(), v.maxLength(300))), v.minLength(1), v.maxLength(8)),
  genesis: v.pipe(v.string(), v.maxLength(GENESIS_BYTES_MAX * 2)),
  iceServers: v.pipe(v.array(IceServer), v.maxLength(8)),
})

export type SwarmInfo = {
  readonly version: string
  readonly relays: readonly string[]
  readonly iceServers: readonly { urls: string; username?: string; credential?: string }[]
  readonly swarm: Swarm
}

export type InfoError = { readonly code: 'not-a-relay' | 'bad-genesis'; readonly detail: string }

const fromBase64 = (text: string): Uint8Array | null => {
  const parsed = v.safeParse(v.pipe(v.string(), v.base64()), text)
  if (!parsed.success) return null
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of text.replace(/=+$/, '')) {
    held = (held << 6) | alphabet.indexOf(letter)
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >>> bits) & 0xff)
    held &= (1 << bits) - 1
  }
  return Uint8Array.from(bytes)
}

/** Reads `/swarm.json`. The swarm's name is computed here, never believed. */
export const readSwarmInfo = (json: unknown): Result<SwarmInfo, InfoError> => {
  const parsed = v.safeParse(Info, json)
  if (!parsed.success) {
    return err({ code: 'not-a-relay', detail: issueWords(parsed.issues[0], 'swarm.json') })
  }
  const { genesis, iceServers, relays, version } = parsed.output
  const bytes = fromBase64(genesis)
  const decoded = bytes && decode(bytes, GENESIS_BYTES_MAX)
  if (!decoded?.ok)
    return err({ code: 'bad-genesis', detail: 'the genesis document is not canonical' })
  const document = v.safeParse(Genesis, decoded.value)
  if (!document.success) return err({ code: 'bad-genesis', detail: document.issues[0].message })
  const swarm = foundSwarm(document.output, cidOf)
  if (!swarm.ok) return err({ code: 'bad-genesis', detail: swarm.error.detail })
  const servers = iceServers.map(({ urls, username, credential }) => ({
    urls,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  }))
  return ok({ version, relays, iceServers: servers, swarm: swarm.value })
}

/** The registry over libp2p: one request and one answer per stream, both small, in five seconds or not at all. */
import { webcrypto } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import { peerId } from '../src/base/ids.ts'
import { epochMs } from '../src/base/units.ts'
import { readBlock, writeBlock } from '../src/adapters/libp2p/request.ts'
import { registry, type Announce, type Registry } from '../src/peer/registry.ts'
import { encode } from '../src/wire/codec.ts'
import { keyToCheck } from '../src/wire/keys.ts'
import { parseRequest, type RegistryAnswer } from '../src/wire/registry.ts'
import { signingBytes, type SignedBody } from '../src/wire/signed.ts'
import { HEAD_BYTES_MAX } from '../src/wire/version.ts'

const READ_LIMIT_MS = 5_000
/** Requests of one node: at once, and then per second. An announce costs a signature check. */
const BURST = 60
const PER_SECOND = 5
const NODES_REMEMBERED_MAX = 10_000

export type RegistryServer = {
  readonly handle: (stream: Stream, connection: Connection) => Promise<void>
  readonly answers: ReadonlyMap<string, number>
  counts: Registry['counts']
  close(): void
}

export const registryServer = (): RegistryServer => {
  const state = registry([...webcrypto.getRandomValues(new Uint32Array(4))])
  const answers = new Map<string, number>()
  const allowance = allowances()
  const sweeping = setInterval(() => state.sweep(epochMs(Date.now())), 30_000)
  sweeping.unref()

  const announce = async (request: Announce, from: string): Promise<RegistryAnswer> => {
    const peer = peerId(from)
    const code = state.refusal(request, peer, epochMs(Date.now()))
    if (code !== null) return { k: 'refused', code }
    const genuine = await verifySignature(
      request.advert.body.account,
      request.advert.body,
      request.advert.sig,
    )
    return state.put(request, peer, epochMs(Date.now()), genuine)
  }

  const answerTo = async (bytes: Uint8Array, from: string): Promise<RegistryAnswer> => {
    const request = parseRequest(bytes)
    if (!request.ok) return { k: 'refused', code: 'bad-request' }
    return request.value.k === 'announce'
      ? announce(request.value, from)
      : state.find(request.value.capability, request.value.limit, epochMs(Date.now()))
  }

  return {
    answers,
    counts: state.counts,
    close: () => clearInterval(sweeping),
    async handle(stream, connection) {
      const block = readBlock(stream, HEAD_BYTES_MAX, READ_LIMIT_MS)
      const from = connection.remotePeer.toString()
      const count = (name: string): void => void answers.set(name, (answers.get(name) ?? 0) + 1)
      if (!allowance.take(from)) {
        count('too-fast')
        return stream.abort(new Error('too-fast'))
      }
      const read = await block
      if (!read.ok) {
        count(read.error.code)
        return stream.abort(new Error(read.error.code))
      }
      const answer = await answerTo(read.value, from)
      count(answer.k === 'refused' ? answer.code : answer.k)
      try {
        writeBlock(stream, encode(answer))
        await stream.close({ signal: AbortSignal.timeout(READ_LIMIT_MS) })
      } catch {
        stream.abort(new Error('the asker is gone'))
      }
    },
  }
}

/** A token bucket per node. When there are too many nodes to remember, all of them start anew. */
const allowances = (): { take(peer: string): boolean } => {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return {
    take(peer) {
      if (buckets.size > NODES_REMEMBERED_MAX) buckets.clear()
      const now = performance.now()
      const bucket = buckets.get(peer) ?? { tokens: BURST, at: now }
      bucket.tokens = Math.min(BURST, bucket.tokens + ((now - bucket.at) / 1_000) * PER_SECOND)
      bucket.at = now
      buckets.set(peer, bucket)
      if (bucket.tokens < 1) return false
      bucket.tokens -= 1
      return true
    },
  }
}

/** Ed25519 off the main thread. */
export const verifySignature = async (
  account: string,
  body: SignedBody,
  sig: Uint8Array,
): Promise<boolean> => {
  const raw = keyToCheck(account, sig)
  if (raw === null) return false
  try {
    const key = await webcrypto.subtle.importKey('raw', new Uint8Array(raw), 'Ed25519', false, [
      'verify',
    ])
    return await webcrypto.subtle.verify('Ed25519', key, new Uint8Array(sig), signingBytes(body))
  } catch {
    return false
  }
}

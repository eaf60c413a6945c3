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
import { allowances } from './allowance.ts'
import type { RelayLimits } from './config.ts'
import { hostOf, isLoopback, neighbourhood } from './host.ts'

const READ_LIMIT_MS = 5_000

export type RegistryServer = {
  readonly handle: (stream: Stream, connection: Connection) => Promise<void>
  readonly answers: ReadonlyMap<string, number>
  counts: Registry['counts']
  left: Registry['left']
  close(): void
}

/** `countLoopback`: nodes of this machine, or behind a proxy on it, are neighbours like any others. */
export const registryServer = (limits: RelayLimits, countLoopback = false): RegistryServer => {
  const state = registry([...webcrypto.getRandomValues(new Uint32Array(4))])
  const answers = new Map<string, number>()
  const allowance = allowances(limits.requestsBurst, limits.requestsPerSecond)
  const sweeping = setInterval(() => state.sweep(epochMs(Date.now())), 30_000)
  sweeping.unref()

  const nearOf = ({ remoteAddr }: Connection): string => {
    const host = hostOf(remoteAddr.toString())
    return isLoopback(host) && !countLoopback ? '' : neighbourhood(host)
  }

  const announce = async (request: Announce, asker: Connection): Promise<RegistryAnswer> => {
    const peer = peerId(asker.remotePeer.toString())
    const code = state.refusal(request, peer, epochMs(Date.now()))
    if (code !== null) return { k: 'refused', code }
    const genuine = await verifySignature(
      request.advert.body.account,
      request.advert.body,
      request.advert.sig,
    )
    return state.put(request, peer, epochMs(Date.now()), genuine, nearOf(asker))
  }

  const answerTo = async (bytes: Uint8Array, asker: Connection): Promise<RegistryAnswer> => {
    const request = parseRequest(bytes)
    if (!request.ok) return { k: 'refused', code: 'bad-request' }
    return request.value.k === 'announce'
      ? announce(request.value, asker)
      : state.find(request.value.capability, request.value.limit, epochMs(Date.now()))
  }

  return {
    answers,
    counts: state.counts,
    left: state.left,
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
      const answer = await answerTo(read.value, connection)
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

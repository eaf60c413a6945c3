/**
 * What stands before libp2p's own protocols at a relay: so many streams of one node, and so many bytes
 * on each. Left alone they read messages of up to 268 MB, and hold what has come of one until ten
 * seconds are over (measured: 2 MB for each of hundreds of streams). And of the DHT's questions only
 * those are answered that our nodes ask.
 */
import type { KadDHT } from '@libp2p/kad-dht'
import type { Connection, Stream } from '@libp2p/interface'
import type { Allowance } from './allowance.ts'

type Handler = (stream: Stream, connection: Connection) => void | Promise<void>
type Registrar = { handle(protocol: string, handler: Handler, options: unknown): Promise<void> }

export type Guard = {
  /** Streams of one node. */
  readonly allowance: Allowance
  /** Of one stream, until its limit is lifted. */
  readonly bytes: number
  refused(why: 'too-fast' | 'too-large'): void
}

const limits = new WeakMap<Stream, () => void>()

/** Cuts the stream off at so many bytes. */
export const limitBytes = (stream: Stream, most: number, refused: Guard['refused']): void => {
  let bytes = 0
  const count = ({ data }: { data: { byteLength: number } }): void => {
    bytes += data.byteLength
    if (bytes <= most) return
    lift()
    refused('too-large')
    stream.abort(new Error('too-large'))
  }
  const lift = (): void => {
    limits.delete(stream)
    stream.removeEventListener('message', count)
  }
  stream.addEventListener('message', count)
  limits.set(stream, lift)
}

/** What is known of this stream by now makes more of it welcome. */
export const liftLimit = (stream: Stream): void => limits.get(stream)?.()

/** The same service, with its protocols behind the guard. */
export const guarded =
  <C extends object, S>(make: (components: C) => S, guard: Guard): ((components: C) => S) =>
  (components) =>
    make(
      new Proxy(components, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name)
          return name === 'registrar' ? behind(value as Registrar, guard) : value
        },
      }),
    )

const behind = (registrar: Registrar, guard: Guard): Registrar =>
  new Proxy(registrar, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'handle') return value.bind(target)
      return (...[protocol, handler, options]: Parameters<Registrar['handle']>) =>
        target.handle(protocol, (...call) => pass(guard, handler, ...call), options)
    },
  })

const pass = (
  { allowance, bytes, refused }: Guard,
  handler: Handler,
  ...[stream, connection]: Parameters<Handler>
): ReturnType<Handler> => {
  if (allowance.take(connection.remotePeer.toString())) {
    limitBytes(stream, bytes, refused)
    return handler(stream, connection)
  }
  refused('too-fast')
  stream.abort(new Error('too-fast'))
}

/** The questions of Kademlia that are answered here. */
const ANSWERED = new Set(['FIND_NODE', 'PING'])
/**
 * Records and provider records are nobody's here, and each would be kept for two days (measured: 17 kB).
 * libp2p cuts off who asks for what has no handler.
 */
export const answerOnlyQueries = (dht: KadDHT): void => {
  const { handlers } = (dht as unknown as { rpc: { handlers: Record<string, unknown> } }).rpc
  for (const question of Object.keys(handlers)) {
    if (!ANSWERED.has(question)) delete handlers[question]
  }
}

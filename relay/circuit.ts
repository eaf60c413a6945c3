/**
 * How bytes go through a circuit. libp2p's own way reads one side a second time into a buffer that
 * nobody empties, and reads on when the other side does not: a circuit could cost the relay all the
 * bytes it carries (measured: 570 MB for 1.3 GB). Here a slow reader slows its writer down instead,
 * and the limit counts both directions together. All that comes before, who may connect with whom and
 * what they are told, stays libp2p's.
 */
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { Connection, Stream } from '@libp2p/interface'
import { liftLimit } from './guard.ts'

export type CircuitTally = { circuitBytes: number; circuitsCut: number; circuitsOpen: number }

/** A wrapped stream before a circuit runs on it; what we need of libp2p's class. */
type Wrapped = { pb(codec: unknown): unknown; unwrap(): Stream }
type Connect = { readonly stream: Wrapped; readonly request: unknown; readonly connection: unknown }
type Asked = { readonly connection: Connection; readonly request: unknown }
type Internals = {
  handleConnect(connect: Connect, options: unknown): Promise<void>
  stopHop(asked: Asked, options: unknown): Promise<Stream | undefined>
}

/** Makes circuits of this service run through `join`. Versions are pinned; a test cuts a circuit at its limit. */
export const boundCircuits = (
  service: CircuitRelayService,
  bytes: bigint,
  tally: CircuitTally,
  /** Bounds what the called side may say before it has taken the call. */
  limit: (stream: Stream) => void,
): void => {
  const server = service as unknown as Internals
  const handleConnect = server.handleConnect
  server.handleConnect = ({ stream, request, connection }, options) => {
    const circuit: { far: Stream | undefined; stub: Stub | null } = { far: undefined, stub: null }
    const stub = new Stub()
    const scope = Object.create(server) as Internals
    scope.stopHop = async ({ connection: to, request: call }, rest) => {
      const limited = Object.create(to, { newStream: { value: limitedStreams(to, limit) } })
      circuit.far = await server.stopHop({ connection: limited, request: call }, rest)
      return circuit.far && (stub as unknown as Stream)
    }
    const facade: Wrapped = {
      pb: (codec) => stream.pb(codec),
      unwrap() {
        const far = circuit.far
        if (far) join(stream.unwrap(), far, Number(bytes), tally, stub)
        return stub as unknown as Stream
      },
    }
    return handleConnect.call(scope, { stream: facade, request, connection }, options)
  }
}

const limitedStreams =
  (connection: Connection, limit: (stream: Stream) => void): Connection['newStream'] =>
  async (...asked) => {
    const stream = await connection.newStream(...asked)
    limit(stream)
    return stream
  }

/** Stands where libp2p would pump bytes itself: it has none, ends when the circuit does, and ends it when told. */
class Stub extends EventTarget {
  writeStatus = 'closed'
  end: ((error: Error) => void) | null = null
  abort(error: Error): void {
    this.end?.(error)
  }
  send(): boolean {
    return true
  }
  async close(): Promise<void> {
    // Nothing was ever written here.
  }
  over(): void {
    this.dispatchEvent(new Event('remoteCloseWrite'))
  }
}

const join = (near: Stream, far: Stream, bytes: number, tally: CircuitTally, stub: Stub): void => {
  liftLimit(near)
  liftLimit(far)
  let left = bytes
  let open = true
  tally.circuitsOpen += 1
  const end = (error: Error): void => {
    if (!open) return
    open = false
    tally.circuitsOpen -= 1
    near.abort(error)
    far.abort(error)
    stub.over()
  }
  stub.end = end
  const carry = (from: Stream, to: Stream): void => {
    from.addEventListener('message', ({ data }) => {
      left -= data.byteLength
      tally.circuitBytes += data.byteLength
      if (left < 0) {
        tally.circuitsCut += 1
        return end(new Error('the circuit has carried its limit'))
      }
      try {
        if (!to.send(data) && from.status === 'open') from.pause()
      } catch {
        end(new Error('the other side is gone'))
      }
    })
    to.addEventListener('drain', () => {
      if (open && from.status === 'open') from.resume()
    })
    from.addEventListener('remoteCloseWrite', () => {
      to.close().catch(() => end(new Error('the other side is gone')))
    })
    from.addEventListener('close', ({ error }) => end(error ?? new Error('the circuit is closed')))
  }
  carry(near, far)
  carry(far, near)
}

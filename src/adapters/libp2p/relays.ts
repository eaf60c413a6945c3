/**
 * Keeps a reservation at each configured relay, which is how others can call us. When a relay goes away
 * it is called again with full-jitter back-off, so that a relay that comes back is not met by all its
 * nodes in the same moment; links that are up do not notice.
 */
import type { Connection, Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Reachability } from '../../ports.ts'
import { LOOPBACK, type Relay } from './address.ts'
import type { Reservations } from './node.ts'

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
const DIAL_LIMIT_MS = 5_000
/** A reservation we have is looked at this often, besides the events. */
const CHECK_MS = 15_000

export type Relays = {
  /** The address others can call us through; null while there is none. */
  current(): string | null
  /** Nobody but this supervisor dials a relay: no herd, and no surprise. */
  mayDial(peer: string): boolean
  isRelay(peer: string): boolean
  /** The machine has come online again: no need to wait any longer. */
  hurry(): void
  close(): void
}

export type RelaysOptions = {
  readonly node: Libp2p
  readonly reservations: Reservations
  readonly relays: readonly Relay[]
  readonly random: () => number
  readonly online: () => boolean
  readonly webrtc: boolean
  changed(state: Reachability): void
}

type Watch = {
  readonly relay: Relay
  state: 'waiting' | 'dialling' | 'reserved'
  failures: number
  problem: string
  timer: ReturnType<typeof setTimeout> | null
}

export const superviseRelays = (options: RelaysOptions): Relays => {
  const { node, reservations } = options
  let closed = false
  let told = ''
  const watches = options.relays.map<Watch>((relay) => ({
    relay,
    state: 'waiting',
    failures: 0,
    problem: '',
    timer: null,
  }))

  const tell = (): void => {
    if (closed) return
    const state = reachability(watches, options)
    const text = JSON.stringify(state)
    if (text === told) return
    told = text
    options.changed(state)
  }

  const again = (watch: Watch, wait: number): void => {
    if (watch.timer !== null) clearTimeout(watch.timer)
    watch.timer = closed ? null : setTimeout(() => void look(watch), wait)
  }

  /** Full jitter (Brooker 2015): anywhere between now and the exponential limit. */
  const backOff = (watch: Watch): void => {
    watch.failures += 1
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(10, watch.failures))
    again(watch, most * options.random())
  }

  const holds = (watch: Watch): boolean => {
    const peer = peerIdFromString(watch.relay.peer)
    const up = node.getConnections(peer).some((connection) => connection.status === 'open')
    return up && reservations.has(peer)
  }

  const look = async (watch: Watch): Promise<void> => {
    if (closed || watch.state === 'dialling') return
    if (holds(watch)) return again(watch, CHECK_MS)
    watch.state = 'dialling'
    tell()
    const problem = await reserve(watch)
    if (closed) return
    watch.state = problem === null ? 'reserved' : 'waiting'
    watch.problem = problem ?? ''
    if (problem === null) {
      watch.failures = 0
      again(watch, CHECK_MS)
    } else backOff(watch)
    tell()
  }

  const reserve = async (watch: Watch): Promise<string | null> => {
    const { address, peer } = watch.relay
    try {
      await node.dial(multiaddr(address), { signal: AbortSignal.timeout(DIAL_LIMIT_MS) })
    } catch {
      return `The relay at ${hostOf(address)} does not answer.`
    }
    try {
      await reservations.make(peerIdFromString(peer), multiaddr(`${address}/p2p-circuit`))
      return null
    } catch (cause) {
      const full = cause instanceof Error && cause.message.includes('RESERVATION_REFUSED')
      return full ? 'The relay is full.' : 'The relay answers, but gives us no place.'
    }
  }

  const onGone = ({ detail }: { detail: Connection }): void => {
    const watch = watches.find(({ relay }) => relay.peer === detail.remotePeer.toString())
    if (!watch || closed || watch.state !== 'reserved') return
    // libp2p forgets the connection and the reservation while this event is being told.
    queueMicrotask(() => {
      if (closed || watch.state !== 'reserved' || holds(watch)) return
      watch.state = 'waiting'
      watch.problem = 'The connection to the relay was lost.'
      backOff(watch)
      tell()
    })
  }

  node.addEventListener('connection:close', onGone)
  // Later, so that whoever opens the network holds it before it says anything.
  for (const watch of watches) again(watch, 0)

  return {
    current: () => watches.find(({ state }) => state === 'reserved')?.relay.address ?? null,
    mayDial: (peer) =>
      watches.every(({ relay, state }) => relay.peer !== peer || state === 'dialling'),
    isRelay: (peer) => watches.some(({ relay }) => relay.peer === peer),
    hurry() {
      for (const watch of watches)
        if (watch.state === 'waiting') again(watch, 1_000 * options.random())
    },
    close() {
      closed = true
      node.removeEventListener('connection:close', onGone)
      for (const { timer } of watches) if (timer !== null) clearTimeout(timer)
    },
  }
}

const hostOf = (address: string): string =>
  address.split('/').slice(2, 5).join(':').replace(':tcp', '')

const reachability = (watches: readonly Watch[], options: RelaysOptions): Reachability => {
  const reserved = watches.find(({ state }) => state === 'reserved')
  if (reserved && !options.webrtc) {
    const detail = 'There is no WebRTC here: all links go through the relay, which is slower.'
    return { kind: 'no-webrtc', detail }
  }
  if (reserved) return { kind: 'reachable', relay: reserved.relay.address }
  if (watches.length === 0) return { kind: 'no-relay', detail: 'No relay is configured.' }
  const failed = watches.find(({ problem }) => problem !== '')
  if (!failed) return { kind: 'connecting' }
  // Asked only now, and of the network only: a relay on this very machine needs none.
  const far = watches.some(({ relay }) => relay.reach !== LOOPBACK)
  if (far && !options.online()) return { kind: 'offline' }
  return {
    kind: 'no-relay',
    detail: `${failed.problem} Links that are up go on; new ones cannot be made.`,
  }
}

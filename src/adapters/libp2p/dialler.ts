/**
 * How a link to a peer comes about: over a direct connection if one is there; else by WebRTC, twice,
 * since a dial may be lost; else over a circuit through the relay, from which the link moves to
 * a direct connection when a later try succeeds. A peer that is dialling us at the moment is given the
 * time to finish when its id is the smaller one.
 */
import type { Connection, Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { PeerId } from '../../base/ids.ts'
import { WORK_PROTOCOL } from '../../wire/version.ts'
import { directAddress, parseRelay, relayedAddress } from './address.ts'
import type { LinkTable } from './link-table.ts'

/** Measured: 99 in 100 WebRTC dials take less than a second, on a machine that is busy. */
const DIAL_LIMIT_MS = 4_000
const STREAM_LIMIT_MS = 5_000
/** Tries of a direct dial before work goes through the relay. */
const FIRST_TRIES = 2
/** When a relayed link looks for a direct path again. */
const LATER_TRIES_MS = [5_000, 30_000, 180_000]
/** A peer whose inbound circuit is younger than this is dialling us. */
const THEIR_DIAL_MS = 6_000

export type Dialler = {
  connect(peer: PeerId, relay: string): void
  /** Gives up on a peer that is being dialled; false when it is not. */
  cancel(peer: PeerId): boolean
  /** The link to this peer is over: nobody looks for a better path any more. */
  over(peer: PeerId): void
  close(): void
}

export type DiallerOptions = {
  readonly node: Libp2p
  readonly self: PeerId
  readonly links: () => LinkTable
  /** False where there is no WebRTC: then only circuits are tried. */
  readonly webrtc: boolean
  readonly random: () => number
  /** How we reach a relay ourselves: others may know it by a name that is of no use here. */
  readonly relayAddress: (relay: PeerId) => string | null
  /** Nothing came of it. */
  failed(peer: PeerId, reason: string): void
}

export const dialler = (options: DiallerOptions): Dialler => {
  const { node, self, random } = options
  const running = new Map<PeerId, AbortController>()
  const later = new Map<PeerId, ReturnType<typeof setTimeout>>()

  const connections = (peer: PeerId): Connection[] =>
    node.getConnections(peerIdFromString(peer)).filter((connection) => connection.status === 'open')
  const directOf = (peer: PeerId) => connections(peer).find((connection) => connection.direct)

  const openOn = async (
    peer: PeerId,
    connection: Connection,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const stream = await connection.newStream(WORK_PROTOCOL, {
      runOnLimitedConnection: true,
      signal: AbortSignal.any([signal, AbortSignal.timeout(STREAM_LIMIT_MS)]),
    })
    return options.links().open(peer, stream, connection, signal)
  }

  /** One direct dial; null when it worked, else why not. */
  const tryDirect = async (
    peer: PeerId,
    relay: string,
    signal: AbortSignal,
  ): Promise<string | null> => {
    try {
      const existing = directOf(peer)
      const connection =
        existing ??
        (await node.dial(directAddress(relay, peer), {
          signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_LIMIT_MS)]),
        }))
      if (await openOn(peer, connection, signal)) return null
      // A connection on which nobody answers would be found again by the next try.
      if (existing && !signal.aborted && !options.links().get(peer))
        existing.abort(new Error('nobody answers'))
      return 'not-opened'
    } catch (cause) {
      return cause instanceof Error ? cause.name : 'dial-failed'
    }
  }

  const tryRelayed = async (
    peer: PeerId,
    relay: string,
    signal: AbortSignal,
  ): Promise<string | null> => {
    try {
      const connection =
        connections(peer)[0] ??
        (await node.dial(relayedAddress(relay, peer), {
          signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_LIMIT_MS)]),
        }))
      return (await openOn(peer, connection, signal)) ? null : 'not-opened'
    } catch (cause) {
      return cause instanceof Error ? cause.message.slice(0, 120) : 'dial-failed'
    }
  }

  const isDiallingUs = (peer: PeerId): boolean =>
    connections(peer).some(
      (connection) =>
        connection.direction === 'inbound' && Date.now() - connection.timeline.open < THEIR_DIAL_MS,
    )

  const connected = (peer: PeerId): boolean => options.links().get(peer) !== undefined

  const attempt = async (
    peer: PeerId,
    relay: string,
    signal: AbortSignal,
  ): Promise<string | null> => {
    if (self > peer && isDiallingUs(peer)) {
      await pause(THEIR_DIAL_MS, signal)
      if (connected(peer)) return null
    }
    if (options.webrtc || directOf(peer)) {
      for (let i = 0; i < FIRST_TRIES && !signal.aborted; i++) {
        const why = await tryDirect(peer, relay, signal)
        if (why === null || connected(peer)) return null
        if (!WORTH_A_SECOND_TRY.test(why)) break
        await pause(50 + 250 * random(), signal)
      }
    }
    if (signal.aborted) return 'given-up'
    const why = await tryRelayed(peer, relay, signal)
    if (why !== null && !connected(peer)) return why
    if (options.webrtc) lookForBetter(peer, relay, 0)
    return null
  }

  const lookForBetter = (peer: PeerId, relay: string, tries: number): void => {
    const wait = LATER_TRIES_MS[tries]
    if (wait === undefined) return
    const timer = setTimeout(
      () => {
        const link = options.links().get(peer)
        if (!link || link.direct || !link.mine) return
        const controller = new AbortController()
        void tryDirect(peer, relay, controller.signal).then((why) => {
          if (why !== null && later.get(peer) === timer) lookForBetter(peer, relay, tries + 1)
        })
      },
      wait * (0.75 + 0.5 * random()),
    )
    later.set(peer, timer)
  }

  return {
    connect(peer, relay) {
      if (running.has(peer) || connected(peer)) return
      const parsed = parseRelay(relay)
      if (!parsed.ok) return options.failed(peer, parsed.error.code)
      const controller = new AbortController()
      running.set(peer, controller)
      const address = options.relayAddress(parsed.value.peer) ?? relay
      void attempt(peer, address, controller.signal).then((why) => {
        if (running.get(peer) !== controller) return
        running.delete(peer)
        if (why !== null && !connected(peer)) options.failed(peer, why)
      })
    },
    cancel(peer) {
      const controller = running.get(peer)
      running.delete(peer)
      controller?.abort()
      return controller !== undefined
    },
    over(peer) {
      clearTimeout(later.get(peer))
      later.delete(peer)
    },
    close() {
      for (const controller of running.values()) controller.abort()
      running.clear()
      for (const timer of later.values()) clearTimeout(timer)
      later.clear()
    },
  }
}

/** What a hung dial, a lost race or a connection closed half-way look like; the rest will not get better. */
const WORTH_A_SECOND_TRY = /Timeout|Abort|Closed|Reset|not-opened|SDPHandshake|ConnectionFailed/

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })

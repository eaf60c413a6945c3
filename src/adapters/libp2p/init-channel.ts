/**
 * A direct connection begins with a data channel named `init`, which the caller opens and closes. On
 * the called side libp2p's muxer closes it as soon as it sees it; where that comes first, the caller
 * waits until its dial times out for a channel to open that is gone already (measured: 3 of 200 dials
 * between tabs). So the called side's muxer is not shown it, and the caller closes it alone.
 */
import type { TransportFactory } from './node.ts'

const INIT = 'init'

type Channel = { readonly label: string }
type ChannelEvent = { readonly channel: Channel }
type PeerConnection = {
  addEventListener(name: 'datachannel', then: (event: ChannelEvent) => void): void
}
/** What libp2p's WebRTC makes muxers with. Versions are pinned; a test dials 60 times. */
type Muxers = {
  readonly peerConnection: PeerConnection
  readonly earlyDataChannels: { readonly channel: Channel }[]
  createStreamMuxer(connection: unknown): unknown
}
type Upgrader = {
  upgradeInbound(connection: unknown, options: { muxerFactory: Muxers }): Promise<void>
}

export const leaveInitToCaller =
  (factory: TransportFactory): TransportFactory =>
  (components) =>
    factory(
      new Proxy(components, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name)
          return name === 'upgrader' ? hiding(value as Upgrader) : value
        },
      }),
    )

const hiding = (upgrader: Upgrader): Upgrader =>
  new Proxy(upgrader, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'upgradeInbound') return value.bind(target)
      return (...[connection, options]: Parameters<Upgrader['upgradeInbound']>) => {
        hideInit(options.muxerFactory)
        return target.upgradeInbound(connection, options)
      }
    },
  })

const hideInit = (muxers: Muxers): void => {
  const create = muxers.createStreamMuxer.bind(muxers)
  muxers.createStreamMuxer = (connection) => {
    const { earlyDataChannels: early, peerConnection } = muxers
    const rest = early.filter(({ channel }) => channel.label !== INIT)
    early.splice(0, early.length, ...rest)
    // The muxer takes later channels by this property; what it sets there becomes a listener.
    Object.defineProperty(peerConnection, 'ondatachannel', {
      configurable: true,
      set(take: (event: ChannelEvent) => void) {
        peerConnection.addEventListener('datachannel', (event) => {
          if (event.channel.label !== INIT) take(event)
        })
      },
    })
    return create(connection)
  }
}

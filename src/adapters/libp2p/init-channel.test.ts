import { describe, expect, it } from 'vitest'
import { leaveInitToCaller } from './init-channel.ts'
import type { TransportFactory } from './node.ts'

class ChannelEvent extends Event {
  readonly channel: { readonly label: string }
  constructor(label: string) {
    super('datachannel')
    this.channel = { label }
  }
}

/** As libp2p's muxer takes channels: those that came early at once, later ones by the property. */
const calledSide = () => {
  const shown: string[] = []
  const peerConnection = new EventTarget() as EventTarget & {
    ondatachannel?: (event: ChannelEvent) => void
  }
  const muxerFactory = {
    peerConnection,
    earlyDataChannels: [{ channel: { label: 'init' } }, { channel: { label: '' } }],
    createStreamMuxer() {
      peerConnection.ondatachannel = ({ channel }) => void shown.push(`later ${channel.label}`)
      for (const { channel } of this.earlyDataChannels) shown.push(`early ${channel.label}`)
    },
  }
  return { shown, peerConnection, muxerFactory }
}

type Upgrader = { upgradeInbound(connection: unknown, options: object): Promise<void> }

describe('the init channel of a direct connection', () => {
  it('is not shown to the muxer of the called side, early or late, and all others are', async () => {
    const { shown, peerConnection, muxerFactory } = calledSide()
    const upgrader = {
      // In libp2p the muxer is made at the end of an upgrade, after other channels may have come.
      async upgradeInbound(_connection: unknown, options: { muxerFactory: typeof muxerFactory }) {
        options.muxerFactory.createStreamMuxer()
      },
    }
    let given: Upgrader | null = null
    const factory = ((components: { upgrader: Upgrader }) => {
      given = components.upgrader
      return {}
    }) as unknown as TransportFactory
    leaveInitToCaller(factory)({ upgrader } as never)
    await given!.upgradeInbound({}, { muxerFactory })
    peerConnection.dispatchEvent(new ChannelEvent('init'))
    peerConnection.dispatchEvent(new ChannelEvent('work'))
    expect(shown).toEqual(['early ', 'later work'])
  })
})

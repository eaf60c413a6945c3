/**
 * The Network port in Node: the same code as in a browser over WebSockets, circuits and, where its
 * native part is installed, WebRTC.
 */
import type { Result } from '../src/base/result.ts'
import type { Network, PortError } from '../src/ports.ts'
import {
  openNetwork,
  type NetworkOptions,
  type RtcConfiguration,
} from '../src/adapters/libp2p/network.ts'
import type { TransportFactory } from '../src/adapters/libp2p/node.ts'
import { verifySignature } from './registry-server.ts'

/** One message of the data channel: a chunk and its headers. Both sides take it by libp2p's own rule. */
const MESSAGE_BYTES = 64 * 1024

export type NodeNetworkOptions = Omit<NetworkOptions, 'verify' | 'epoch'> &
  Partial<Pick<NetworkOptions, 'verify' | 'epoch'>> & {
    /** False: circuits only, as on a machine without the native part. */
    readonly webrtc?: boolean
  }

export const openNodeNetwork = async (
  options: NodeNetworkOptions,
): Promise<Result<Network, PortError>> =>
  openNetwork(
    {
      verify: ({ body, sig }) => verifySignature(body.account, body, sig),
      epoch: () => Date.now() as ReturnType<NetworkOptions['epoch']>,
      ...options,
    },
    {
      webrtc: options.webrtc === false ? null : await loadWebRtc(options.loopbackOnly ?? false),
      // Node is told nothing about the machine's interfaces; the relay's answer is what counts.
      online: () => true,
      onOnline: () => () => undefined,
    },
  )

/** Importing it throws where the native part is missing. */
const loadWebRtc = async (
  loopbackOnly: boolean,
): Promise<((configuration: RtcConfiguration) => TransportFactory) | null> => {
  try {
    const { webRTC } = await import('@libp2p/webrtc')
    return (configuration) =>
      webRTC({
        // Bound to 127.0.0.1, it gathers that candidate and no other; unbound, it gathers all but that.
        rtcConfiguration: async () => ({
          ...(await configuration()),
          ...(loopbackOnly ? { bindAddress: '127.0.0.1' } : {}),
        }),
        dataChannel: { maxMessageSize: MESSAGE_BYTES },
      }) as TransportFactory
  } catch {
    return null
  }
}

/**
 * The Network port in Node: the same code as in a browser over WebSockets, circuits and, where its
 * native part is installed, WebRTC.
 */
import type { Result } from '../src/base/result.ts'
import { epochMs } from '../src/base/units.ts'
import type { Network, PortError } from '../src/ports.ts'
import {
  openNetwork,
  type NetworkOptions,
  type RtcConfiguration,
} from '../src/adapters/libp2p/network.ts'
import type { TransportFactory } from '../src/adapters/libp2p/node.ts'
import { loopbackOnly } from './loopback.ts'
import { patientIce } from './patient-ice.ts'
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
): Promise<Result<Network, PortError>> => {
  const onlyHere = options.loopbackOnly ?? loopbackOnly()
  return openNetwork(
    {
      verify: ({ body, sig }) => verifySignature(body.account, body, sig),
      epoch: () => epochMs(Date.now()),
      ...options,
      loopbackOnly: onlyHere,
    },
    {
      webrtc: options.webrtc === false ? null : await loadWebRtc(onlyHere),
      // Node is told nothing about the machine's interfaces; the relay's answer is what counts.
      online: () => true,
      onOnline: () => () => undefined,
    },
  )
}

type MakeWebRtc = (configuration: RtcConfiguration) => TransportFactory

/** Null where the native part is missing: then the import itself throws. */
const loadWebRtc = async (onlyHere: boolean): Promise<MakeWebRtc | null> => {
  try {
    const { webRTC } = await import('@libp2p/webrtc')
    const connection = patientIce()
    return (configuration) =>
      webRTC({
        rtcConfiguration: async () => {
          // Bound to 127.0.0.1, it gathers that candidate and no other; unbound, all but that (measured).
          const bound = onlyHere ? { bindAddress: '127.0.0.1' } : {}
          const wanted = { ...(await configuration()), ...bound }
          return connection ? { ...wanted, peerConnection: connection(wanted) } : wanted
        },
        dataChannel: { maxMessageSize: MESSAGE_BYTES },
      }) as TransportFactory
  } catch {
    return null
  }
}

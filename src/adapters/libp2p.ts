/**
 * The Network port in a browser: WebRTC between tabs, a WebSocket to the relay. libp2p runs on the
 * page, since workers have no RTCPeerConnection; it must be loaded after the first paint (about 200 kB
 * compressed).
 */
import { webRTC } from '@libp2p/webrtc'
import type { Result } from '../base/result.ts'
import type { Network, PortError } from '../ports.ts'
import { openNetwork, type NetworkOptions } from './libp2p/network.ts'
import type { TransportFactory } from './libp2p/node.ts'

/** One message of the data channel: a chunk and its headers. Measured: faster than libp2p's 16 KiB. */
const MESSAGE_BYTES = 64 * 1024

/** `relayedOnly`: no WebRTC, so that nobody but the relay sees where this device is. */
export const openBrowserNetwork = (
  options: NetworkOptions & { readonly relayedOnly?: boolean },
): Promise<Result<Network, PortError>> =>
  openNetwork(options, {
    webrtc:
      'RTCPeerConnection' in globalThis && !options.relayedOnly
        ? (configuration) =>
            webRTC({
              // Left out, four public STUN servers would be asked; ours are those somebody configured.
              rtcConfiguration: async () => configuration() as Promise<RTCConfiguration>,
              dataChannel: { maxMessageSize: MESSAGE_BYTES },
            }) as TransportFactory
        : null,
    online: () => navigator.onLine,
    onOnline(then) {
      addEventListener('online', then)
      return () => removeEventListener('online', then)
    },
  })

/**
 * The WebSocket server under libp2p. Two things are not as a relay needs them: it would gather a message
 * of 100 MiB, and nobody listens to its errors. In Node an error that nobody listens to ends the
 * process, so one frame that breaks the protocol, from anybody, would be the end of the relay.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** Nodes send less than 128 KiB in one message. */
const MESSAGE_BYTES = 1024 * 1024

type Speaker = { on(name: 'error', then: () => void): void; terminate(): void }
type Upgrade = (
  ...words: [IncomingMessage, Duplex, Buffer, (socket: Speaker, request: IncomingMessage) => void]
) => void
export type WebSocketServer = { readonly options: { maxPayload?: number }; handleUpgrade: Upgrade }

export const boundSockets = (server: WebSocketServer): void => {
  server.options.maxPayload = MESSAGE_BYTES
  const upgrade = server.handleUpgrade.bind(server)
  server.handleUpgrade = (request, raw, head, then) =>
    upgrade(request, raw, head, (socket, asked) => {
      socket.on('error', () => socket.terminate())
      then(socket, asked)
    })
}

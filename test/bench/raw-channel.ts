/** An RTCDataChannel and nothing else: what the browser itself can carry between two pages. */

/** libp2p's messages and ours are as large; larger ones do not go everywhere. */
const MESSAGE_BYTES = 64 * 1024
/** Enough to keep the channel busy, and far below the 16 MiB at which Chromium closes it. */
const BUFFERED_MAX = 4 * 1024 * 1024
const BUFFERED_LOW = 1024 * 1024

export const rawChannel = (take: (length: number) => void) => {
  let connection: RTCPeerConnection | null = null
  let channel: RTCDataChannel | null = null

  const use = (made: RTCDataChannel): void => {
    channel = made
    made.binaryType = 'arraybuffer'
    made.bufferedAmountLowThreshold = BUFFERED_LOW
    made.addEventListener('message', ({ data }) => take((data as ArrayBuffer).byteLength))
  }
  /** The description with all its candidates, so that nothing more need be exchanged. */
  const whole = async (made: RTCPeerConnection): Promise<string> => {
    if (made.iceGatheringState !== 'complete') {
      await new Promise<void>((resolve) =>
        made.addEventListener(
          'icegatheringstatechange',
          () => made.iceGatheringState === 'complete' && resolve(),
        ),
      )
    }
    return JSON.stringify(made.localDescription)
  }
  const read = (text: string): RTCSessionDescriptionInit =>
    JSON.parse(text) as RTCSessionDescriptionInit

  return {
    async offer(): Promise<string> {
      connection = new RTCPeerConnection({ iceServers: [] })
      use(connection.createDataChannel('raw'))
      await connection.setLocalDescription(await connection.createOffer())
      return whole(connection)
    },
    async answer(offer: string): Promise<string> {
      connection = new RTCPeerConnection({ iceServers: [] })
      connection.addEventListener('datachannel', (event) => use(event.channel))
      await connection.setRemoteDescription(read(offer))
      await connection.setLocalDescription(await connection.createAnswer())
      return whole(connection)
    },
    accept: async (answer: string): Promise<void> => connection?.setRemoteDescription(read(answer)),
    open: (): boolean => channel?.readyState === 'open',
    /** From now on whatever comes is sent back. */
    echo(): void {
      channel!.addEventListener('message', ({ data }) => channel!.send(data as ArrayBuffer))
    },
    /** Milliseconds there and back of messages of that length, one after the other. */
    async roundTrips(length: number, count: number): Promise<number[]> {
      const message = new Uint8Array(length).fill(1)
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const began = performance.now()
        const back = new Promise((resolve) =>
          channel!.addEventListener('message', resolve, { once: true }),
        )
        channel!.send(message)
        await back
        times.push(performance.now() - began)
      }
      return times
    },
    async send(length: number): Promise<void> {
      const message = new Uint8Array(MESSAGE_BYTES).fill(1)
      for (let sent = 0; sent < length; sent += MESSAGE_BYTES) {
        if (channel!.bufferedAmount > BUFFERED_MAX) {
          await new Promise((resolve) =>
            channel!.addEventListener('bufferedamountlow', resolve, { once: true }),
          )
        }
        channel!.send(message.subarray(0, Math.min(MESSAGE_BYTES, length - sent)))
      }
    },
  }
}

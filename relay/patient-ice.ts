/**
 * When a caller's candidates leave, in Node. Told at once, as libp2p does, the other side reaches us
 * before we have read its answer; then its first handshake is lost for a second, or libdatachannel
 * holds it against a fingerprint that it has not stored yet and gives up, which libp2p notices only
 * when the dial times out (measured: 53 % of dials took over a second, 7 % over four). So they wait until
 * the answer has been taken in and our own checks are on their way (measured: 1 of 400 over a second).
 */
import { createRequire } from 'node:module'

/** Our checks leave when the answer's candidates come, right behind it; a second lost costs more. */
const HEAD_START_MS = 50

type IceServer = {
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}
/** libdatachannel's own connection, as far as its ways are changed here. */
type Native = {
  onLocalCandidate(tell: (candidate: string, mid: string) => void): void
  setRemoteDescription(sdp: string, type: string): void
}
type NativeModule = { readonly PeerConnection: new (name: string, options: object) => Native }
export type PatientConfiguration = {
  readonly iceServers: readonly IceServer[]
  /** Gathers at this address only. */
  readonly bindAddress?: string
}

/** Makes the connection that libp2p's configuration may bring along; null where there is none to make. */
export const patientIce = (): ((configuration: PatientConfiguration) => object) | null => {
  let native: NativeModule
  try {
    // The very module that libp2p's WebRTC stands on.
    const own = createRequire(import.meta.url)
    native = createRequire(own.resolve('@libp2p/webrtc'))('node-datachannel') as NativeModule
  } catch {
    return null
  }
  return (configuration) =>
    patient(() => new native.PeerConnection('swarm', options(configuration)))
}

const options = ({ iceServers, ...rest }: PatientConfiguration): object => ({
  ...rest,
  iceServers: iceServers.flatMap(({ urls, username, credential }) =>
    [urls].flat().map((url) => {
      const [scheme, address] = url.split(/:(.*)/)
      return username && credential ? `${scheme}:${username}:${credential}@${address}` : url
    }),
  ),
})

/** Made when first used: libp2p asks for the configuration of dials that come to nothing, too. */
const patient = (make: () => Native): object => {
  let made: Native | null = null
  let answered = false
  const held: (() => void)[] = []
  const letGo = (): void => {
    answered = true
    for (const tell of held.splice(0)) tell()
  }
  const ways: Native = {
    onLocalCandidate: (tell) =>
      made!.onLocalCandidate((candidate, mid) => {
        if (answered) tell(candidate, mid)
        else held.push(() => tell(candidate, mid))
      }),
    setRemoteDescription(sdp, type) {
      made!.setRemoteDescription(sdp, type)
      if (type === 'answer') setTimeout(letGo, HEAD_START_MS).unref()
      else letGo()
    },
  }
  return new Proxy(ways, {
    get(_, name) {
      made ??= make()
      if (name === 'onLocalCandidate' || name === 'setRemoteDescription') return ways[name]
      const value: unknown = Reflect.get(made, name)
      return typeof value === 'function' ? value.bind(made) : value
    },
  })
}

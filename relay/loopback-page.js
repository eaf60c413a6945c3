/**
 * Put into headless pages only, before anything else runs, where no network namespace can be had: it
 * announces the one wildcard candidate as 127.0.0.1 and takes no other from the far side, so WebRTC
 * stays on this machine. Filtering alone would not do: sockets of hidden candidates send checks all
 * the same. It fails closed: candidates of single interfaces (`network-id`) are dropped.
 */
;(() => {
  const Native = window.RTCPeerConnection
  if (!Native || Native.loopbackOnly) return
  const proto = Native.prototype
  const fields = (candidate) => {
    const parts = candidate.split(' ')
    return { parts, usable: parts[2]?.toLowerCase() === 'udp' && parts[7] === 'host' }
  }
  const outgoing = (candidate) => {
    const { parts, usable } = fields(candidate)
    if (!usable || parts[4].includes(':') || parts.includes('network-id')) return null
    parts[4] = '127.0.0.1'
    return parts.join(' ')
  }
  const incoming = (candidate) => {
    const { parts, usable } = fields(candidate)
    return usable && parts[4] === '127.0.0.1' ? candidate : null
  }
  const rewritten = (description, candidate) => {
    if (!description) return description
    const line = (text) =>
      text.startsWith('a=candidate:')
        ? candidate(text)
        : text.replace(/^(c=IN |a=rtcp:\d+ IN )IP[46] .*/, '$1IP4 0.0.0.0')
    const sdp = description.sdp
      ?.split('\r\n')
      .map(line)
      .filter((text) => text !== null)
      .join('\r\n')
    return { type: description.type, sdp }
  }
  for (const name of ['localDescription', 'currentLocalDescription', 'pendingLocalDescription']) {
    const { get } = Object.getOwnPropertyDescriptor(proto, name)
    Object.defineProperty(proto, name, {
      configurable: true,
      get() {
        const description = get.call(this)
        return description && new RTCSessionDescription(rewritten(description, outgoing))
      },
    })
  }
  for (const name of ['createOffer', 'createAnswer']) {
    const make = proto[name]
    proto[name] = async function (options) {
      return rewritten(await make.call(this, options), outgoing)
    }
  }
  const setRemote = proto.setRemoteDescription
  proto.setRemoteDescription = function (description) {
    return setRemote.call(this, rewritten(description, incoming))
  }
  const add = proto.addIceCandidate
  proto.addIceCandidate = async function (candidate) {
    if (!candidate?.candidate || incoming(candidate.candidate)) return add.call(this, candidate)
  }
  window.RTCPeerConnection = window.webkitRTCPeerConnection = class RTCPeerConnection extends (
    Native
  ) {
    static loopbackOnly = true
    constructor(configuration = {}) {
      super({ ...configuration, iceServers: [] })
      this.addEventListener('icecandidate', (event) => {
        if (event.rewritten || !event.candidate?.candidate) return
        event.stopImmediatePropagation()
        const candidate = outgoing(event.candidate.candidate)
        if (!candidate) return
        const again = new RTCPeerConnectionIceEvent('icecandidate', {
          candidate: new RTCIceCandidate({ ...event.candidate.toJSON(), candidate }),
        })
        this.dispatchEvent(Object.assign(again, { rewritten: true }))
      })
    }
    setConfiguration(configuration) {
      super.setConfiguration({ ...configuration, iceServers: [] })
    }
  }
})()

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { inLoopback, loopbackMode, loopbackPage, seesOnlyLoopback } from '../../relay/loopback.ts'

type Peer = {
  localDescription: { sdp: string } | null
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null
  createDataChannel(label: string): unknown
  createOffer(): Promise<unknown>
  setLocalDescription(description: unknown): Promise<void>
  close(): void
}

describe('loopback only', () => {
  it('a bound connection of Node gathers 127.0.0.1 and nothing else, whatever the machine has', async () => {
    // The very module that libp2p's WebRTC uses in Node.
    const require = createRequire(createRequire(import.meta.url).resolve('@libp2p/webrtc'))
    const { RTCPeerConnection } = (await import(
      require.resolve(['node-datachannel', 'polyfill'].join('/'))
    )) as {
      RTCPeerConnection: new (configuration: object) => Peer
    }
    const peer = new RTCPeerConnection({ iceServers: [], bindAddress: '127.0.0.1' })
    const gathered: string[] = []
    const done = new Promise<void>((resolve) => {
      peer.onicecandidate = ({ candidate }) =>
        candidate ? void gathered.push(candidate.candidate) : resolve()
      setTimeout(resolve, 2_000)
    })
    peer.createDataChannel('init')
    await peer.setLocalDescription(await peer.createOffer())
    await done
    const inSdp = (peer.localDescription?.sdp ?? '')
      .split('\r\n')
      .filter((line) => line.startsWith('a=candidate'))
    peer.close()
    expect(gathered.length).toBeGreaterThan(0)
    for (const line of [...gathered, ...inSdp])
      expect(line).toMatch(/ UDP \d+ 127\.0\.0\.1 \d+ typ host/)
  })

  it('finds the best way this machine has, and what runs in it sees nothing but lo', () => {
    const mode = loopbackMode()
    const script = `
      const { networkInterfaces } = require('node:os')
      const { createServer, connect } = require('node:net')
      const server = createServer().listen(0, '127.0.0.1', () =>
        connect(server.address().port, '127.0.0.1', () => {
          console.log(JSON.stringify([Object.keys(networkInterfaces()), process.argv.slice(1)]))
          process.exit(0)
        }))`
    const command = [process.execPath, '-e', script, 'two words', `a'quote`]
    const words = inLoopback(mode, command)
    if (words === null) {
      expect(['inside', 'rewriting']).toContain(mode)
      expect(mode === 'inside').toBe(seesOnlyLoopback())
      return
    }
    const { status, stdout } = spawnSync(words[0]!, words.slice(1), { encoding: 'utf8' })
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual([['lo'], ['two words', `a'quote`]])
  })

  it('prepares a page for the way that was found', () => {
    expect(loopbackPage('inside').permissions).toEqual(['microphone', 'camera'])
    expect(loopbackPage('user-namespace').initScript).toBeNull()
    const rewriting = loopbackPage('rewriting')
    expect(rewriting.permissions, 'a granted one would make more candidates').toEqual([])
    expect(rewriting.initScript).toMatch(/loopback-page\.js$/)
  })
})

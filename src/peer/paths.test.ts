import { describe, expect, it } from 'vitest'
import { peerId, type PeerId } from '../base/ids.ts'
import { ms } from '../base/units.ts'
import type { Link, Reachability } from '../ports.ts'
import { paths } from './paths.ts'
import { troubleList } from './troubles.ts'

const [bob, carol, dave] = ['bob', 'carol', 'dave'].map((name) => peerId(name)) as [
  PeerId,
  PeerId,
  PeerId,
]
const reachable: Reachability = { kind: 'reachable', relay: '/ip4/127.0.0.1/tcp/1/ws' }
const relayed = (peer: PeerId): Link => ({ peer, direct: false, rttMs: 5 })

const at = () => {
  let time = 0
  const troubles = troubleList(() => ms(time))
  return {
    ways: paths(() => ms(time), troubles),
    codes: () => troubles.list().map(({ code }) => code),
    words: () => troubles.list()[0]?.text,
    wait: (more: number) => void (time += more),
  }
}

describe('the ways to others', () => {
  it('alice is told when three nodes in a row cannot be reached, until one can', () => {
    const { ways, codes, words, wait } = at()
    ways.failed(bob, 'TimeoutError', reachable)
    ways.failed(bob, 'TimeoutError', reachable)
    ways.failed(carol, 'TimeoutError', reachable)
    expect(codes(), 'one may be asleep, or two').toEqual([])
    ways.failed(dave, 'TimeoutError', reachable)
    expect(codes()).toEqual(['no-path'])
    expect(words()).toContain('neither directly nor through the relay (TimeoutError)')
    wait(3_600_000)
    expect(codes(), 'it lasts as long as its cause').toEqual(['no-path'])
    ways.opened()
    expect(codes()).toEqual([])
  })

  it.each([
    ['has left the relay', 'failed to connect via relay with status NO_RESERVATION', reachable],
    ['was not called for want of room', 'too-many-links', reachable],
    ['cannot be called without a relay', 'TimeoutError', { kind: 'no-relay', detail: '' } as const],
  ])('a node that %s says nothing about the way', (_who, reason, state) => {
    const { ways, codes } = at()
    for (const peer of [bob, carol, dave]) ways.failed(peer, reason, state)
    expect(codes()).toEqual([])
  })

  it('alice is told when all her links stay on the relay, and not while they may still move', () => {
    const { ways, codes, wait } = at()
    ways.look([relayed(bob), relayed(carol)], reachable)
    wait(40_000)
    ways.look([relayed(bob), relayed(carol)], reachable)
    expect(codes()).toEqual([])
    wait(10_000)
    ways.look([relayed(bob), relayed(carol)], reachable)
    expect(codes()).toEqual(['no-direct-path'])
    ways.look([{ ...relayed(bob), direct: true }, relayed(carol)], reachable)
    expect(codes()).toEqual([])
  })

  it('says nothing of it where there is no WebRTC, which is said already', () => {
    const { ways, codes, wait } = at()
    const state: Reachability = { kind: 'no-webrtc', detail: '' }
    ways.look([relayed(bob)], state)
    wait(100_000)
    ways.look([relayed(bob)], state)
    expect(codes()).toEqual([])
  })
})

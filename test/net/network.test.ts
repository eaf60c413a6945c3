import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRelay } from '../../relay/relay.ts'
import { networkSuite, recorder } from '../ports/network.suite.ts'
import { pairs, relayFor } from './rig.ts'

let relay: RunningRelay
beforeAll(async () => void (relay = await relayFor()))
afterAll(() => relay.close())

describe('libp2p, over direct WebRTC', () => {
  networkSuite(pairs(() => relay))

  it('tells how much waits to be sent on a link, and nothing of a node that is not linked', async () => {
    const bob = recorder()
    const pair = await pairs(() => relay)(recorder().events, bob.events)
    expect(pair.alice.queued(pair.bob.self)).toBe(0)
    pair.alice.connect(pair.bob.self, pair.bob.relay() ?? '')
    await pair.until('bob has opened', () => bob.count('opened') === 1)
    await pair.quiet()
    const bytes = 8 * 2 ** 20
    const head = { k: 'tensor', lease: 1, slot: 0, bytes } as const
    pair.alice.send(pair.bob.self, head, new Uint8Array(bytes))
    expect(pair.alice.queued(pair.bob.self)).toBeGreaterThanOrEqual(bytes)
    await pair.until('it has arrived', () => bob.count('received') === 1)
    expect(pair.alice.queued(pair.bob.self)).toBe(0)
    await pair.close()
  })
})
describe('libp2p, over a circuit through the relay', () => {
  networkSuite(pairs(() => relay, { webrtc: false }))
})

import { afterAll, beforeAll, describe } from 'vitest'
import type { RunningRelay } from '../../relay/relay.ts'
import { networkSuite } from '../ports/network.suite.ts'
import { pairs, relayFor } from './rig.ts'

let relay: RunningRelay
beforeAll(async () => void (relay = await relayFor()))
afterAll(() => relay.close())

describe('libp2p, over direct WebRTC', () => {
  networkSuite(pairs(() => relay))
})
describe('libp2p, over a circuit through the relay', () => {
  networkSuite(pairs(() => relay, { webrtc: false }))
})

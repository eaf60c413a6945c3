import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRelay } from '../../relay/relay.ts'
import type { Link } from '../../src/ports.ts'
import { recorder } from '../ports/network.suite.ts'
import { nodeFor, relayFor, until } from './rig.ts'

/** Enough for one try of ours, or for one answer: a part of it is kept for calls of our own. */
const ONE_TRY = { perMinute: 0, burst: 1, perLife: 10 }
const ONE_ANSWER = { perMinute: 0, burst: 2, perLife: 10 }

describe('a direct dial between nodes in Node', () => {
  let relay: RunningRelay
  beforeAll(async () => void (relay = await relayFor()))
  afterAll(() => relay.close())

  /** Alice calls bob, and may try only once; were that lost, the link would stay on the relay. */
  const dial = async (): Promise<boolean> => {
    const [alice, bob] = [recorder(), recorder()]
    const links: Link[] = []
    const opened = (link: Link): void => {
      links.push(link)
      alice.events.opened(link)
    }
    const a = await nodeFor(relay.multiaddrs, { ...alice.events, opened }, { budget: ONE_TRY })
    const b = await nodeFor(relay.multiaddrs, bob.events, { budget: ONE_ANSWER })
    await until('both have a place', () => a.relay() !== null && b.relay() !== null)
    a.connect(b.self, b.relay()!)
    await until('linked', () => links.length === 1 && bob.count('opened') === 1)
    await Promise.all([a.close(), b.close()])
    return links[0]!.direct
  }

  it('comes about at the first try, forty times of forty', async () => {
    const direct: boolean[] = []
    for (let i = 0; i < 10; i++) {
      direct.push(...(await Promise.all(Array.from({ length: 4 }, dial))))
    }
    expect(direct.filter(Boolean).length).toBe(40)
  })
})

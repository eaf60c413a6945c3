import type { Stream } from '@libp2p/interface'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openNodeNetwork } from '../../relay/node-network.ts'
import type { RunningRelay } from '../../relay/relay.ts'
import { relayedAddress } from '../../src/adapters/libp2p/address.ts'
import { startNode, type SwarmNode } from '../../src/adapters/libp2p/node.ts'
import { concat } from '../../src/base/bytes.ts'
import { prng } from '../../src/base/prng.ts'
import type { Network } from '../../src/ports.ts'
import { encode } from '../../src/wire/codec.ts'
import { FRAME, u32, writeFrame } from '../../src/wire/frame.ts'
import type { Head } from '../../src/wire/messages.ts'
import { HEAD_BYTES_MAX, REGISTRY_PROTOCOL, WORK_PROTOCOL } from '../../src/wire/version.ts'
import { recorder } from '../ports/network.suite.ts'
import { nodeFor, relayFor, until } from './rig.ts'

const open = writeFrame(FRAME.open, Uint8Array.of(0))
const head = (value: Head) => writeFrame(FRAME.head, encode(value))
const tensor = (bytes: number): Head => ({ k: 'tensor', lease: 1, slot: 0, bytes })

describe('mallory, on a real stream,', () => {
  let relay: RunningRelay
  let bob: Network
  const seen = recorder((asked) => (asked.k === 'tensor' ? 5_000 : 0))
  let mallory: SwarmNode

  beforeAll(async () => {
    relay = await relayFor({ limits: { circuitsBurst: 10_000 } })
    bob = await nodeFor(relay.multiaddrs, seen.events)
    mallory = await startNode({
      agent: 'mallory',
      webrtc: null,
      gater: { denyDialMultiaddr: () => false },
    })
    await until('bob has a place', () => bob.relay() !== null)
  })
  afterAll(async () => {
    await mallory.libp2p.stop()
    await bob.close()
    await relay.close()
  })

  const dial = async (): Promise<Stream> => {
    const connection = await mallory.libp2p.dial(relayedAddress(relay.multiaddrs[0]!, bob.self))
    return connection.newStream(WORK_PROTOCOL, { runOnLimitedConnection: true })
  }
  const isOver = (stream: Stream) =>
    stream.status !== 'open' || stream.remoteWriteStatus === 'closed'

  it.each([
    [
      'noise instead of a head',
      'bad-head',
      [writeFrame(FRAME.head, new Uint8Array(99).fill(0xff))],
    ],
    [
      'a head over the limit',
      'frame-too-large',
      [writeFrame(FRAME.head, new Uint8Array(HEAD_BYTES_MAX + 1))],
    ],
    [
      'a body that was never announced',
      'chunk-without-head',
      [writeFrame(FRAME.chunk, new Uint8Array(10))],
    ],
    [
      'more of a body than announced',
      'chunk-beyond-body',
      [head(tensor(9)), writeFrame(FRAME.chunk, new Uint8Array(10))],
    ],
    ['a body bob does not want', 'unwelcome-body', [head(tensor(5_001))]],
    ['an acknowledgement of nothing', 'credit-beyond-sent', [writeFrame(FRAME.credit, u32(1))]],
    ['a frame of no known type', 'unknown-frame', [Uint8Array.of(2, 77, 0)]],
    ['a length that never ends', 'bad-varint', [new Uint8Array(9).fill(0x80)]],
  ])('who sends %s is cut off with %s', async (_what, code, frames) => {
    const before = seen.seen.length
    const stream = await dial()
    stream.send(concat([open, ...frames]))
    await until('cut off', () => seen.seen.slice(before).some(({ what }) => what === 'closed'))
    expect(seen.seen.slice(before).map(({ what }) => what)).toEqual(['opened', 'faulty', 'closed'])
    expect(seen.seen[before + 1]).toMatchObject({ code })
    await until('the stream is gone', () => isOver(stream))
  })

  it('who opens a stream and says nothing, or speaks before opening, is no link', async () => {
    const before = seen.seen.length
    const [silent, rash] = [await dial(), await dial()]
    rash.send(head({ k: 'beat', lease: 1, permille: 1 }))
    await until('both are gone', () => isOver(silent) && isOver(rash), 10_000)
    expect(seen.seen.length).toBe(before)
  })

  it('who throws 400 streams of noise at bob leaves him unharmed', async () => {
    const random = prng(66)
    for (let round = 0; round < 100; round++) {
      const streams = await Promise.all(Array.from({ length: 4 }, () => dial().catch(() => null)))
      for (const stream of streams) {
        const noise = new Uint8Array(random.below(400)).map(() => random.u32())
        try {
          stream?.send(random.below(2) === 0 ? concat([open, noise]) : noise)
        } catch {
          // Cut off already: that is what is being tested.
        }
      }
    }
    const carol = recorder()
    const c = await nodeFor(relay.multiaddrs, carol.events)
    await until('carol has a place', () => c.relay() !== null)
    c.connect(bob.self, bob.relay()!)
    await until('bob still takes a link', () => carol.count('opened') === 1, 30_000)
    c.send(bob.self, { k: 'beat', lease: 4_242, permille: 1 }, null)
    await until('bob still listens', () =>
      seen.heads().some((one) => one.k === 'beat' && one.lease === 4_242),
    )
    expect(carol.count('closed')).toBe(0)
    await c.close()
  })

  it('gets a code from the registry, or is cut off, and never an unhandled failure', async () => {
    const connection = await mallory.libp2p.dial(mallory.libp2p.getConnections()[0]!.remoteAddr)
    const direct =
      mallory.libp2p.getConnections().find(({ direct: isDirect }) => isDirect) ?? connection
    for (const bytes of [
      Uint8Array.of(3, 1, 2, 3),
      Uint8Array.of(0xff, 0xff, 0xff, 1),
      new Uint8Array(70_000),
    ]) {
      const stream = await direct.newStream(REGISTRY_PROTOCOL)
      try {
        stream.send(bytes)
      } catch {
        // As above.
      }
      await until('answered or cut off', () => isOver(stream), 10_000)
    }
    expect((await fetch(`${relay.url}/health`)).status).toBe(200)
    const metrics = await (await fetch(`${relay.url}/metrics`)).text()
    expect(metrics).toMatch(/swarm_registry_answers_total\{answer="bad-request"\} 1/)
    expect(metrics).toMatch(/swarm_registry_answers_total\{answer="(bad-length|too-large)"\}/)
  })

  it('cannot make alice dial a door of her own house by an advert', async () => {
    const alice = recorder()
    const network = await openNodeNetwork({
      relays: [
        '/dns4/relay.example/tcp/443/tls/ws/p2p/12D3KooWGRUkzKVFYJvmrVbQ1dBrNDTsFQb2HCsVHDDzRcQe5vzZ',
      ],
      events: alice.events,
      agent: 'test',
      loopbackOnly: false,
      webrtc: false,
    })
    if (!network.ok) throw new Error(network.error.detail)
    const before = await health(relay)
    network.value.connect(bob.self, relay.multiaddrs[0]!)
    await until('given up', () => alice.count('closed') === 1)
    expect(alice.seen.at(-1)).toMatchObject({ what: 'closed' })
    expect((await health(relay)).connections).toBe(before.connections)
    await network.value.close()
  })
})

const health = async (relay: RunningRelay) =>
  (await (await fetch(`${relay.url}/health`)).json()) as { connections: number }

import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNode, type SwarmNode } from '../../src/adapters/libp2p/node.ts'
import { concat, utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/wire/codec.ts'
import { KAD_PROTOCOL, REGISTRY_PROTOCOL } from '../../src/wire/version.ts'
import { recorder } from '../ports/network.suite.ts'
import { account, advert } from './account.ts'
import { nodeFor, pause, relayFor, relayProcess, until, type RelayProcess } from './rig.ts'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const PROTOCOLS = [REGISTRY_PROTOCOL, KAD_PROTOCOL, HOP, '/ipfs/ping/1.0.0', '/ipfs/id/push/1.0.0']
const MiB = 2 ** 20
const UPGRADE =
  'GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

const malloryAt = async (address: string) => {
  const node = await startNode({
    ...{ agent: 'mallory', webrtc: null, gater: { denyDialMultiaddr: () => false } },
  })
  return { node, connection: await node.libp2p.dial(multiaddr(address)) }
}
const stopAll = (nodes: readonly SwarmNode[]) =>
  Promise.all(nodes.map(async ({ libp2p }) => libp2p.stop()))

const streams = async (to: Connection, protocol: string, count: number): Promise<Stream[]> => {
  const all = Array.from({ length: count }, () => to.newStream(protocol).catch(() => null))
  return (await Promise.all(all)).filter((stream) => stream !== null)
}
const isOver = ({ status, remoteWriteStatus }: Stream) =>
  status !== 'open' || remoteWriteStatus === 'closed'
const send = (stream: Stream, bytes: Uint8Array): void => {
  try {
    stream.send(bytes)
  } catch {
    // Cut off already: that is what is being tested.
  }
}

/** A field of a protobuf message that is bytes. */
const field = (tag: number, bytes: Uint8Array): Uint8Array =>
  concat([Uint8Array.of((tag << 3) | 2, bytes.byteLength), bytes])
/** A message behind its length, which takes two bytes here. */
const framed = (bytes: Uint8Array): Uint8Array =>
  concat([Uint8Array.of((bytes.byteLength & 0x7f) | 0x80, bytes.byteLength >> 7), bytes])

describe('a relay among hostile nodes', () => {
  let dir: string
  let relay: RelayProcess
  let at: string

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'swarm-hostile-'))
    relay = await relayProcess(dir)
    at = relay.multiaddrs[0]!
  })
  afterAll(async () => {
    await relay.kill('SIGKILL')
    await rm(dir, { recursive: true })
  })

  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${relay.url}/metrics`)).text()
    const line = text.split('\n').find((one) => one.startsWith(`${name} `))
    return Number(line?.split(' ')[1] ?? 0)
  }
  const memory = () => metric('process_resident_memory_bytes')

  /** Somebody honest joins, announces itself, and is found. */
  const honestJoins = async (): Promise<void> => {
    const alice = await nodeFor(relay.multiaddrs, recorder().events, { webrtc: false })
    await until('alice has a place', () => alice.relay() !== null)
    const me = await account()
    const signed = await me.sign(advert(me.did, alice.self, alice.relay()!))
    expect(await alice.announce(signed, ['any'])).toEqual({ ok: true, value: { servers: 1 } })
    const found = await alice.find('any', 64)
    expect(found.ok && found.value.adverts.map(({ body }) => body.peer)).toContain(alice.self)
    await alice.close()
  }

  it('holds next to nothing of 1 000 messages that claim to be 256 MB', async () => {
    const before = await memory()
    const nodes: SwarmNode[] = []
    for (let i = 0; i < 20; i++) {
      const { node, connection } = await malloryAt(at)
      nodes.push(node)
      for (const protocol of PROTOCOLS) {
        for (const stream of await streams(connection, protocol, 10)) {
          send(stream, Uint8Array.of(0xff, 0xff, 0xff, 0x7f))
          for (let n = 0; n < 32 && !isOver(stream); n++) {
            send(stream, new Uint8Array(60_000).fill(1))
            if (stream.writableNeedsDrain) await pause(2)
          }
        }
      }
    }
    const grown = ((await memory()) - before) / MiB
    console.info(`1 000 oversized messages: the relay has grown by ${grown.toFixed(0)} MiB`)
    expect(grown).toBeLessThan(200)
    expect(await metric('swarm_relay_streams_refused_total{why="too-large"}')).toBeGreaterThan(100)
    await honestJoins()
    await stopAll(nodes)
  })

  it.each([
    ['without a mask', [0x81, 0x00]],
    ['with reserved bits', [0xf2, 0x80, 0, 0, 0, 0]],
    ['of no known kind', [0x83, 0x80, 0, 0, 0, 0]],
    ['that closes with a code that may not be sent', [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xee]],
    ['that says it has a gigabyte', [0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]],
  ])('outlives a WebSocket frame %s', async (_what, frame) => {
    const socket = connect(relay.port, '127.0.0.1', () => socket.write(UPGRADE))
    let gone = false
    socket.on('error', () => undefined).on('close', () => (gone = true))
    await new Promise((resolve) => socket.once('data', resolve))
    socket.resume()
    socket.write(Uint8Array.from(frame))
    await until('cut off', () => gone)
    expect((await fetch(`${relay.url}/health`)).status).toBe(200)
  })

  it('lets go of 400 sockets that never say a word', async () => {
    const sockets: Socket[] = []
    let gone = 0
    for (let i = 0; i < 400; i++) {
      const socket = connect(relay.port, '127.0.0.1', () => i % 2 === 0 && socket.write(UPGRADE))
      socket.on('error', () => undefined).on('close', () => (gone += 1))
      socket.resume()
      sockets.push(socket)
    }
    await until('they are in', async () => (await metric('swarm_http_sockets')) > 400)
    await honestJoins()
    await until('all are let go', () => gone === 400, 40_000)
    expect(sockets.every((socket) => socket.destroyed)).toBe(true)
  })

  it('ends streams on which a message comes a byte at a time', async () => {
    const all: Stream[] = []
    const nodes: SwarmNode[] = []
    for (let i = 0; i < 10; i++) {
      const { node, connection } = await malloryAt(at)
      nodes.push(node)
      for (const protocol of PROTOCOLS) all.push(...(await streams(connection, protocol, 20)))
    }
    expect(all.length).toBeGreaterThan(200)
    const drip = setInterval(() => {
      for (const stream of all) send(stream, Uint8Array.of(200))
    }, 1_000)
    await honestJoins()
    await until('all are over', () => all.every(isOver), 40_000)
    clearInterval(drip)
    await honestJoins()
    await stopAll(nodes)
  })

  it('keeps none of 10 000 records and provider records that mallory puts into the DHT', async () => {
    const { node, connection } = await malloryAt(at)
    const self = node.libp2p.peerId.toMultihash().bytes
    const provider = field(9, concat([field(1, self), field(2, multiaddr(at).bytes)]))
    let cut = 0
    for (let i = 0; i < 10_000; i += 50) {
      const group = Array.from({ length: 50 }, async (_, n) => {
        const [stream] = await streams(connection, KAD_PROTOCOL, 1)
        if (!stream) return (cut += 1)
        const hash = concat([Uint8Array.of(0x12, 32), sha256(utf8(`${i + n}`))])
        const put = concat([Uint8Array.of(8, 0), field(2, hash), field(3, field(1, hash))])
        const cid = concat([Uint8Array.of(1, 0x55), hash])
        const provide = concat([Uint8Array.of(8, 2), field(2, cid), provider])
        send(stream, framed((i + n) % 2 === 0 ? put : provide))
        await until('cut off', () => isOver(stream))
        return (cut += 1)
      })
      await Promise.all(group)
    }
    expect(cut).toBe(10_000)
    expect(await metric('swarm_relay_streams_refused_total{why="too-fast"}')).toBeGreaterThan(5_000)
    await honestJoins()
    await node.libp2p.stop()
  })

  it('has not grown beyond bounds by all this', async () => {
    const size = (await memory()) / MiB
    console.info(`the relay has ${size.toFixed(0)} MiB`)
    expect(size).toBeLessThan(450)
  })
})

it('a relay that is full of nodes without a place makes room for those who want one', async () => {
  const relay = await relayFor({ limits: { connections: 20, unusedMs: 500 } })
  const idle = await Promise.all(
    Array.from({ length: 20 }, () => malloryAt(relay.multiaddrs[0]!).catch(() => null)),
  )
  expect(idle.filter((one) => one?.connection.status === 'open').length).toBeGreaterThan(10)
  const alice = await nodeFor(relay.multiaddrs, recorder().events, { webrtc: false })
  await until('alice has a place', () => alice.relay() !== null, 30_000)
  await alice.close()
  await stopAll(idle.flatMap((one) => (one ? [one.node] : [])))
  await relay.close()
})

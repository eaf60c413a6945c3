/**
 * What every network must do, whether it is made of libp2p or of virtual time. A new kind of network
 * passes when it gives this suite two nodes that can reach each other.
 */
import { expect, it } from 'vitest'
import { concat } from '../../src/base/bytes.ts'
import { prng } from '../../src/base/prng.ts'
import type { PeerId } from '../../src/base/ids.ts'
import type { Network, NetworkEvents } from '../../src/ports.ts'
import type { Head } from '../../src/wire/messages.ts'

export type NetworkPair = {
  readonly alice: Network
  readonly bob: Network
  /** Lets time pass until it holds; fails when that takes too long. */
  until(what: string, holds: () => boolean): Promise<void>
  /** Lets so much time pass that whatever is under way has arrived. */
  quiet(): Promise<void>
  close(): Promise<void>
}
export type PairOptions = {
  /** How many links bob has room for; as many as a node has when left out. */
  readonly bobsLinks?: number
}
export type MakePair = (
  alice: NetworkEvents,
  bob: NetworkEvents,
  options?: PairOptions,
) => Promise<NetworkPair>

export type Seen =
  | { readonly what: 'opened' | 'closed'; readonly peer: PeerId; readonly reason?: string }
  | {
      readonly what: 'received'
      readonly peer: PeerId
      readonly head: Head
      readonly body: Uint8Array | null
    }
  | { readonly what: 'faulty'; readonly peer: PeerId; readonly code: string }

/** Writes down what happens, in order. */
export const recorder = (welcome: (head: Head) => number = () => 1e9) => {
  const seen: Seen[] = []
  const events: NetworkEvents = {
    opened: ({ peer }) => void seen.push({ what: 'opened', peer }),
    closed: (peer, reason) => void seen.push({ what: 'closed', peer, reason }),
    received: (peer, head, body) => void seen.push({ what: 'received', peer, head, body }),
    faulty: (peer, { code }) => void seen.push({ what: 'faulty', peer, code }),
    linkChanged: () => undefined,
    reachability: () => undefined,
    welcome: (_peer, head) => welcome(head),
  }
  const heads = () => seen.flatMap((one) => (one.what === 'received' ? [one.head] : []))
  const count = (what: Seen['what']) => seen.filter((one) => one.what === what).length
  return { seen, events, heads, count }
}

const beat = (permille: number): Head => ({ k: 'beat', lease: 1, permille })
const tensor = (slot: number, bytes: number): Head => ({ k: 'tensor', lease: 1, slot, bytes })
const noise = (length: number, seed: number): Uint8Array<ArrayBuffer> => {
  const random = prng(seed)
  const words = new Uint32Array(Math.ceil(length / 4)).map(() => random.u32())
  return new Uint8Array(words.buffer, 0, length)
}

const connected = async (make: MakePair, welcome?: (head: Head) => number) => {
  const [alice, bob] = [recorder(), recorder(welcome)]
  const pair = await make(alice.events, bob.events)
  pair.alice.connect(pair.bob.self, pair.bob.relay() ?? '')
  await pair.until(
    'both have opened',
    () => alice.count('opened') === 1 && bob.count('opened') === 1,
  )
  return { alice, bob, pair }
}

export const networkSuite = (make: MakePair): void => {
  it('opens one link when alice and bob call each other at the same moment', async () => {
    const [alice, bob] = [recorder(), recorder()]
    const pair = await make(alice.events, bob.events)
    pair.alice.connect(pair.bob.self, pair.bob.relay() ?? '')
    pair.bob.connect(pair.alice.self, pair.alice.relay() ?? '')
    await pair.until('both have opened', () => alice.count('opened') > 0 && bob.count('opened') > 0)
    await pair.quiet()
    expect([alice.count('opened'), bob.count('opened')]).toEqual([1, 1])
    expect([alice.count('closed'), bob.count('closed')]).toEqual([0, 0])
    pair.alice.send(pair.bob.self, beat(1), null)
    pair.bob.send(pair.alice.self, beat(2), null)
    await pair.until(
      'both have heard',
      () => alice.heads().length === 1 && bob.heads().length === 1,
    )
    await pair.close()
  })

  it('keeps the order of heads, and of bodies, in both directions', async () => {
    const { alice, bob, pair } = await connected(make)
    for (let i = 0; i < 200; i++) {
      pair.alice.send(pair.bob.self, beat(i), null)
      pair.bob.send(pair.alice.self, beat(i), null)
      if (i % 40 === 0) pair.alice.send(pair.bob.self, tensor(i / 40, 10_000), noise(10_000, i))
    }
    await pair.until(
      'all have arrived',
      () => bob.heads().length === 205 && alice.heads().length === 200,
    )
    const beats = Array.from({ length: 200 }, (_, i) => beat(i))
    expect(alice.heads()).toEqual(beats)
    expect(bob.heads().filter(({ k }) => k === 'beat')).toEqual(beats)
    expect(bob.heads().filter(({ k }) => k === 'tensor')).toEqual(
      [0, 1, 2, 3, 4].map((slot) => tensor(slot, 10_000)),
    )
    await pair.close()
  })

  it('brings bodies whole, empty ones too', async () => {
    const { bob, pair } = await connected(make)
    const bodies = [0, 1, 49_152, 49_153, 3_000_000].map((length) => noise(length, length + 1))
    bodies.forEach((body, slot) =>
      pair.alice.send(pair.bob.self, tensor(slot, body.byteLength), body),
    )
    await pair.until('all bodies have arrived', () => bob.count('received') === bodies.length)
    const arrived = bob.seen.flatMap((one) =>
      one.what === 'received' ? [one.body ?? new Uint8Array(9)] : [],
    )
    expect(arrived.map((body) => body.byteLength)).toEqual(bodies.map((body) => body.byteLength))
    expect(Buffer.compare(concat(arrived), concat(bodies))).toBe(0)
    await pair.close()
  })

  it('says once that a link has closed, on both sides, and after everything sent before', async () => {
    const { alice, bob, pair } = await connected(make)
    for (let i = 0; i < 20; i++) pair.alice.send(pair.bob.self, beat(i), null)
    pair.alice.disconnect(pair.bob.self, 'enough')
    pair.alice.disconnect(pair.bob.self, 'enough')
    await pair.until('both know', () => alice.count('closed') > 0 && bob.count('closed') > 0)
    await pair.quiet()
    expect([alice.count('closed'), bob.count('closed')]).toEqual([1, 1])
    expect(alice.seen.at(-1)).toMatchObject({ what: 'closed', reason: 'enough' })
    expect(bob.heads()).toEqual(Array.from({ length: 20 }, (_, i) => beat(i)))
    expect(bob.seen.at(-1)?.what).toBe('closed')
    await pair.close()
  })

  it('says once that a link has closed when both hang up at the same moment', async () => {
    const { alice, bob, pair } = await connected(make)
    pair.alice.send(pair.bob.self, tensor(0, 100_000), noise(100_000, 1))
    pair.alice.disconnect(pair.bob.self, 'enough')
    pair.bob.disconnect(pair.alice.self, 'enough')
    await pair.until('both know', () => alice.count('closed') > 0 && bob.count('closed') > 0)
    await pair.quiet()
    expect([alice.count('closed'), bob.count('closed')]).toEqual([1, 1])
    expect(bob.count('faulty')).toBe(0)
    expect(bob.seen.at(-1)?.what, 'nothing comes after the end').toBe('closed')
    await pair.close()
  })

  it('ignores what is sent to a peer that is not there, or not any more', async () => {
    const { alice, bob, pair } = await connected(make)
    pair.alice.disconnect(pair.bob.self, 'enough')
    pair.alice.send(pair.bob.self, beat(1), null)
    pair.alice.send(pair.bob.self, tensor(0, 5), noise(5, 1))
    pair.alice.disconnect(pair.bob.self, 'again')
    await pair.quiet()
    expect(bob.count('received')).toBe(0)
    expect(alice.count('closed')).toBe(1)
    await pair.close()
  })

  it('links again after a link was closed', async () => {
    const { alice, bob, pair } = await connected(make)
    pair.bob.disconnect(pair.alice.self, 'enough')
    await pair.until('both know', () => alice.count('closed') === 1 && bob.count('closed') === 1)
    pair.alice.connect(pair.bob.self, pair.bob.relay() ?? '')
    await pair.until('open again', () => alice.count('opened') === 2 && bob.count('opened') === 2)
    pair.bob.send(pair.alice.self, beat(7), null)
    await pair.until('heard', () => alice.heads().length === 1)
    expect(alice.heads()).toEqual([beat(7)])
    await pair.close()
  })

  it('drops a link on which a body comes that is not welcome', async () => {
    const { alice, bob, pair } = await connected(make, () => 999)
    pair.alice.send(pair.bob.self, tensor(0, 999), noise(999, 1))
    await pair.until('just what is welcome arrives', () => bob.count('received') === 1)
    pair.alice.send(pair.bob.self, tensor(0, 1_000), noise(1_000, 1))
    await pair.until('dropped', () => bob.count('closed') === 1 && alice.count('closed') === 1)
    expect(bob.count('received')).toBe(1)
    expect(bob.seen.find((one) => one.what === 'faulty')).toMatchObject({ code: 'unwelcome-body' })
    await pair.close()
  })

  it('reports a peer that cannot be reached as closed', async () => {
    const [alice, bob] = [recorder(), recorder()]
    const pair = await make(alice.events, bob.events)
    const nobody = '12D3KooWGRUkzKVFYJvmrVbQ1dBrNDTsFQb2HCsVHDDzRcQe5vzZ' as PeerId
    pair.alice.connect(nobody, pair.bob.relay() ?? '')
    await pair.until('given up', () => alice.count('closed') === 1)
    expect(alice.seen[0]).toMatchObject({ what: 'closed', peer: nobody })
    await pair.close()
  })

  it('opens no link to a peer that has no room for one', async () => {
    const [alice, bob] = [recorder(), recorder()]
    const pair = await make(alice.events, bob.events, { bobsLinks: 0 })
    pair.alice.connect(pair.bob.self, pair.bob.relay() ?? '')
    await pair.until('given up', () => alice.count('closed') === 1)
    await pair.quiet()
    expect([alice.count('opened'), bob.count('opened')]).toEqual([0, 0])
    await pair.close()
  })

  it('calls nobody when it has no room for a link itself, and says so', async () => {
    const [alice, bob] = [recorder(), recorder()]
    const pair = await make(alice.events, bob.events, { bobsLinks: 0 })
    pair.bob.connect(pair.alice.self, pair.alice.relay() ?? '')
    await pair.until('said so', () => bob.count('closed') === 1)
    expect(bob.seen[0]).toMatchObject({ what: 'closed', reason: 'too-many-links' })
    expect(alice.count('opened')).toBe(0)
    await pair.close()
  })

  it('tells alice when bob has gone, and carries nothing to him any more', async () => {
    const { alice, bob, pair } = await connected(make)
    await pair.bob.close()
    await pair.until('alice knows', () => alice.count('closed') === 1)
    pair.alice.send(pair.bob.self, beat(1), null)
    await pair.quiet()
    expect(alice.count('closed')).toBe(1)
    expect(bob.count('received')).toBe(0)
    await pair.close()
  })

  it('gives bob a body of his own: what becomes of hers afterwards changes nothing', async () => {
    const { bob, pair } = await connected(make)
    const body = noise(100_000, 3)
    const before = body.slice()
    pair.alice.send(pair.bob.self, tensor(0, body.byteLength), body)
    await pair.until('it has arrived', () => bob.count('received') === 1)
    body.fill(0)
    const arrived = bob.seen.find((one) => one.what === 'received')
    expect(Buffer.compare(arrived?.body ?? new Uint8Array(0), before)).toBe(0)
    await pair.close()
  })
}

import { describe, expect, it } from 'vitest'
import { base58btc } from 'multiformats/bases/base58'
import { concat } from '../base/bytes.ts'
import { did, peerId, type Cid, type Did, type PeerId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { ok } from '../base/result.ts'
import { epochMs, ms } from '../base/units.ts'
import { cidOf, cidOfBytes, didFromPublicKey } from '../wire/codec.ts'
import { modelPlace } from '../wire/registry.ts'
import type { Advert } from '../wire/signed.ts'
import type { Desk } from './desk.ts'
import { presence, type PresenceState } from './presence.ts'
import { ADVERTS_PER_KEY_MAX, registry } from './registry.ts'

const swarm = cidOf({ name: 'test' })
const relay = '/ip4/127.0.0.1/tcp/9001/ws/p2p/12D3KooWGRUkzKVFYJvmrVbQ1dBrNDTsFQb2HCsVHDDzRcQe5vzZ'
const ready: PresenceState = {
  capability: {
    ...{ adapter: 'gpu', label: 'a GPU', memoryBytes: 2 ** 30 },
    ...{ f32FlopPerSecond: 1e12, i8OpPerSecond: 1e12, copyBytesPerSecond: 1e10 },
    graphs: { engine: 'gpu', measured: {} },
  },
  ...{ state: 'ready', wgsl: false, price: 1_000, queued: 0 },
}

/** A registry, the time, and nodes that announce themselves there and look for others. */
const world = (seed: number) => {
  const server = registry(seed)
  const random = prng(seed)
  const key = (): Uint8Array<ArrayBuffer> => new Uint8Array(32).map(() => random.u32())
  let at = 0
  // The date stands still, so that nobody has to renew an advert.
  const epoch = () => epochMs(1_800_000_000_000)
  const asked: string[] = []

  const deskOf = (account: Did, self: PeerId): Desk =>
    ({
      ...{ account, self, epoch, now: () => ms(at), relay: () => relay, wake: () => undefined },
      random: { bytes: (n: number) => new Uint8Array(n).map(() => random.u32()) },
      sign: (_bodies, then) => then(ok([new Uint8Array(64)])),
      announce(advert, capabilities, then) {
        server.put({ k: 'announce', capabilities: [...capabilities], advert }, self, epoch(), true)
        then(ok({ servers: 1 }))
      },
      find(name, limit, then) {
        asked.push(name)
        const answer = server.find(name, limit, epoch())
        if (answer.k === 'adverts') then(ok({ ...answer, adverts: [...answer.adverts] }))
      },
    }) satisfies Partial<Desk> as unknown as Desk

  const join = (
    state: PresenceState | null,
    trusted: (account: Did) => boolean = () => false,
    models: readonly Cid[] = [],
  ) => {
    const account = did(didFromPublicKey(key()))
    const self = peerId(
      base58btc.encode(concat([Uint8Array.of(0, 36, 8, 1, 18, 32), key()])).slice(1),
    )
    const found = new Set<Did>()
    const note = (adverts: readonly Advert[]): void => {
      for (const advert of adverts) found.add(advert.account)
    }
    const here = presence(deskOf(account, self), swarm, () => state, {
      ...{ found: note, failed: () => undefined, busy: () => false, trusted, models: () => models },
    })
    here.wake()
    return { account, here, found }
  }
  /** Lets so many looks of this node go by. */
  const look = (node: ReturnType<typeof join>, times: number): void => {
    for (let i = 0; i < times; i++) {
      at += 15_000
      node.here.look()
      node.here.wake()
    }
  }
  return { join, look, asked, server }
}

describe('being found', () => {
  it('under four models at most, beside what the node computes', () => {
    const { join, server } = world(5)
    const models = Array.from({ length: 6 }, (_, i) => cidOfBytes(Uint8Array.of(i)))
    const alice = join(ready, undefined, models)
    const under = (name: string): boolean => {
      const answer = server.find(name, 64, epochMs(1_800_000_000_000))
      return (
        answer.k === 'adverts' && answer.adverts.some(({ body }) => body.account === alice.account)
      )
    }
    const [four, more] = [models.slice(0, 4), models.slice(4)]
    expect(['any', 'gpu', ...four.map(modelPlace)].map(under)).not.toContain(false)
    expect(more.map(modelPlace).map(under)).toEqual([false, false])
  })
})

describe('looking for others', () => {
  it('finds all of 500 nodes over time, and a spread of them with each look', () => {
    const { join, look } = world(1)
    for (let i = 0; i < 500; i++) join(ready)
    const alice = join(null)
    look(alice, 4)
    expect(alice.found.size).toBeGreaterThan(180)
    look(alice, 80)
    expect(alice.found.size).toBe(500)
  })

  it('finds in buckets whom the plain name has no room for', () => {
    const { join, look, asked } = world(2)
    for (let i = 0; i < 3_000; i++) join(ready)
    const alice = join(null)
    look(alice, 200)
    expect(alice.found.size, 'more than one name can hold').toBeGreaterThan(2 * ADVERTS_PER_KEY_MAX)
    expect(new Set(asked.filter((name) => name.startsWith('any.b'))).size).toBe(16)
    expect(alice.here.known().length).toBe(512)
  })

  it('asks for no bucket while the plain name holds everybody', () => {
    const { join, look, asked } = world(3)
    for (let i = 0; i < 300; i++) join(ready)
    look(join(null), 20)
    expect(new Set(asked)).toEqual(new Set(['any']))
  })

  it('does not forget a node that has worked well, however many strangers come', () => {
    const { join, look } = world(4)
    const bob = join(ready)
    const alice = join(null, (account) => account === bob.account)
    look(alice, 1)
    expect(alice.here.get(bob.account)).not.toBeNull()
    for (let i = 0; i < 2_500; i++) join(ready)
    look(alice, 120)
    expect(alice.found.size).toBeGreaterThan(1_000)
    expect(alice.here.get(bob.account)).not.toBeNull()
  })
})

/** Manifests that are none, and strangers who ask for much, for nothing, or answer what nobody asked. */
import { describe, expect, it } from 'vitest'
import {
  asking,
  exchange,
  fetching,
  link,
  live,
  model,
  trustOf,
  withinLimits,
} from '../../../test/model-town.ts'
import { alice, bob, carol, mallory, person } from '../../../test/people.ts'
import { town } from '../../../test/town.ts'
import type { Result } from '../../base/result.ts'
import type { PortError } from '../../ports.ts'
import { leafNames, type SignedManifest } from '../../wire/manifest.ts'
import type { Head } from '../../wire/messages.ts'
import { cidOfBytes, encode } from '../../wire/codec.ts'
import { ok } from '../../base/result.ts'

describe('a manifest', () => {
  it('is refused where it is another one, or nobody has signed it', () => {
    const forged: SignedManifest = {
      ...model.signed,
      body: { ...model.signed.body, license: 'mit' },
    }
    const bytes = encode(forged)
    const name = cidOfBytes(bytes)
    const { place, submitter } = asking({ ...model, name, bytes })
    const bobs = live(place, bob)
    link(place, submitter, bobs)
    let result: Result<SignedManifest, PortError> | null = null
    exchange(bobs).manifest(name, submitter.self, (found) => (result = found))
    place.run(2_000)
    expect(result).toMatchObject({ error: { code: 'bad-model' } })
    const before = trustOf(bobs, alice)
    exchange(submitter).offer(model.name, bytes, model.source)
    exchange(bobs).manifest(model.name, submitter.self, (found) => (result = found))
    place.run(2_000)
    expect(result).toMatchObject({ error: { code: 'no-weights' } })
    expect(trustOf(bobs, alice)).toBeLessThan(before)
  })

  it('can be had from whoever has fetched it', () => {
    const { place, submitter } = asking()
    const [bobs, carols] = [live(place, bob), live(place, carol)]
    link(place, submitter, bobs)
    fetching(bobs, submitter.self, [0])
    place.run(20_000)
    submitter.leave()
    link(place, bobs, carols)
    let named = ''
    exchange(carols).manifest(model.name, bobs.self, (found) => {
      if (found.ok) named = cidOfBytes(encode(found.value))
    })
    place.run(2_000)
    expect(named).toBe(model.name)
  })
})

describe('strangers', () => {
  const some = cidOfBytes(Uint8Array.of(1))

  it('are told that we lack what we lack, and that we hold nothing of what we do not know', () => {
    const place = town(alice)
    const bobs = live(place, bob)
    const stranger = place.stranger(mallory, () => [])
    link(place, bobs, stranger)
    stranger.say(bobs.self, { k: 'want', id: 5, name: some })
    stranger.say(bobs.self, { k: 'seek', id: 6, model: some })
    place.run(1_000)
    expect(stranger.heard).toContainEqual({ k: 'lack', id: 5 })
    expect(stranger.heard).toContainEqual(
      expect.objectContaining({ k: 'holds', id: 6, blocks: new Uint8Array(0) }),
    )
  })

  it('who flood us with questions are given little at a time, and others have their turn', () => {
    const { place, submitter } = asking()
    const leaf = leafNames(model.signed.body.blocks[1]!)[0]!
    const stranger = place.stranger(mallory, () => [])
    const bobs = live(place, bob)
    link(place, submitter, stranger)
    link(place, submitter, bobs)
    for (let id = 0; id < 200; id++) stranger.say(submitter.self, { k: 'want', id, name: leaf })
    for (let id = 0; id < 50; id++)
      stranger.say(submitter.self, { k: 'seek', id: 1_000 + id, model: model.name })
    const one = fetching(bobs, submitter.self)
    place.run(3)
    withinLimits(submitter)
    place.run(20_000)
    expect(one.result).toEqual(ok(null))
    const heard = (k: Head['k']): number => stranger.heard.filter((head) => head.k === k).length
    expect(heard('leaf') + heard('lack')).toBe(200)
    expect(heard('holds')).toBeLessThan(20)
  })

  it('who ask for more than eight leaves at a time are told that these are not here', () => {
    const reading: (() => void)[] = []
    const { place, submitter } = asking({
      ...model,
      source: {
        ...model.source,
        read: (leaf, then) => void reading.push(() => model.source.read(leaf, then)),
      },
    })
    const stranger = place.stranger(mallory, () => [])
    link(place, submitter, stranger)
    const leaf = leafNames(model.signed.body.blocks[1]!)[0]!
    for (let id = 0; id < 100; id++) stranger.say(submitter.self, { k: 'want', id, name: leaf })
    place.run(100)
    const heard = (k: Head['k']): number => stranger.heard.filter((head) => head.k === k).length
    expect([reading.length, heard('leaf'), heard('lack')]).toEqual([1, 0, 91])
    withinLimits(submitter)
    for (let i = 0; i < 9; i++) {
      reading.shift()!()
      place.run(100)
    }
    expect([reading.length, heard('leaf'), heard('lack')]).toEqual([0, 9, 91])
  })

  it('are not read for while what was given waits to be sent', () => {
    let waiting = 3_000_000
    let reads = 0
    const { place, submitter } = asking(
      {
        ...model,
        source: {
          ...model.source,
          read(leaf, then) {
            reads += 1
            model.source.read(leaf, then)
          },
        },
      },
      (desk) => ({ ...desk, queued: () => waiting }),
    )
    const stranger = place.stranger(mallory, () => [])
    link(place, submitter, stranger)
    const [leaf] = leafNames(model.signed.body.blocks[1]!)
    stranger.say(submitter.self, { k: 'want', id: 1, name: leaf! })
    place.run(5_000)
    expect(reads).toBe(0)
    waiting = 0
    place.run(500)
    expect(reads).toBe(1)
    expect(stranger.heard).toContainEqual({ k: 'leaf', id: 1, bytes: 2 ** 20 })
  })

  it('cannot push a leaf that was not asked for, nor answer for somebody else', () => {
    const { place, submitter } = asking()
    const bobs = live(place, bob)
    link(place, submitter, bobs)
    const who = { peer: person('x').peer } as never
    const leaves = exchange(bobs)
    expect(leaves.welcome(who, { k: 'leaf', id: 1, bytes: 10 })).toBe(0)
    leaves.head(who, { k: 'leaf', id: 1, bytes: 1 }, Uint8Array.of(1))
    leaves.head(who, { k: 'lack', id: 1 }, null)
    leaves.head(who, { k: 'holds', id: 1, blocks: new Uint8Array(32), room: 0, speed: 0 }, null)
    const one = fetching(bobs, submitter.self)
    place.run(20_000)
    expect(one.result).toEqual(ok(null))
  })

  it('are welcome with exactly the leaf that is outstanding, and with what comes too late', () => {
    const place = town(alice)
    const bobs = live(place, bob)
    const mute = place.stranger(alice, () => [])
    link(place, bobs, mute)
    const leaves = exchange(bobs)
    let result: unknown = null
    const stop = leaves.fetch(
      model.name,
      model.signed,
      [0],
      mute.self,
      () => undefined,
      (ended) => (result = ended),
    )
    place.run(6_000)
    const want = mute.heard.find(({ k }) => k === 'want') as Extract<Head, { k: 'want' }>
    const who = { peer: mute.self } as never
    const leaf = { k: 'leaf', id: want.id, bytes: 900_000 } as const
    expect(leaves.welcome(who, leaf)).toBe(900_000)
    expect(leaves.welcome(who, { ...leaf, id: want.id + 1 })).toBe(0)
    place.run(40_000)
    expect(result).toMatchObject({ error: { code: 'no-weights' } })
    expect(leaves.welcome(who, leaf)).toBe(900_000)
    leaves.head(who, leaf, model.leaves.get(want.name)!)
    expect(leaves.welcome(who, leaf)).toBe(0)
    stop()
  })
})

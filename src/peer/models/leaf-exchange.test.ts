/** Real peers on ports of memory: weights that travel, liars, and nodes that say nothing. */
import { describe, expect, it } from 'vitest'
import {
  ALL,
  asking,
  exchange,
  fetching,
  holds,
  link,
  live,
  model,
  trustOf,
  withinLimits,
} from '../../../test/model-town.ts'
import { bob, carol, dave } from '../../../test/people.ts'
import { newDisk, type Resident } from '../../../test/town.ts'
import type { Cid } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { PortError } from '../../ports.ts'
import { leafNames } from '../../wire/manifest.ts'
import type { Desk } from '../desk.ts'

describe('weights', () => {
  it('come from the submitter, leaf by leaf, and are whole blocks then', () => {
    const { place, submitter } = asking()
    const bobs = live(place, bob)
    link(place, submitter, bobs)
    expect(holds(place, submitter, bobs)).toEqual([false, false, false, false, false])
    expect(holds(place, bobs, submitter)).toEqual([true, true, true, true, true])
    const some = fetching(bobs, submitter.self, [0, 2])
    place.run(20_000)
    expect(some.result).toEqual(ok(null))
    expect(some.fetched).toEqual({ permille: 1_000, here: 0, given: 3_200_000, others: 0 })
    expect(holds(place, submitter, bobs)).toEqual([true, false, true, false, false])
    const all = fetching(bobs, submitter.self)
    place.run(20_000)
    expect(all.result).toEqual(ok(null))
    expect(all.fetched).toEqual({
      permille: 1_000,
      here: 3_200_000,
      given: model.total - 3_200_000,
      others: 0,
    })
  })

  it('come to the third of three from the others: nine tenths of them at least', () => {
    const { place, submitter } = asking()
    const others: Resident[] = []
    const fetched: ReturnType<typeof fetching>[] = []
    for (const who of [bob, carol, dave]) {
      const next = live(place, who)
      link(place, submitter, next)
      const one = fetching(next, submitter.self)
      fetched.push(one)
      place.run(30_000)
      expect(one.result).toEqual(ok(null))
      others.push(next)
    }
    expect(fetched[0]!.fetched.given).toBe(model.total)
    // They are linked with alice only; the registry has named those who have the model.
    expect(fetched[2]!.fetched.others / model.total).toBeGreaterThan(0.9)
    expect(exchange(others[2]!).models()).toEqual([model.name])
  })

  it('come from others, though the registry has no time to say who at first', () => {
    const { place, submitter } = asking()
    const first = live(place, bob)
    link(place, submitter, first)
    fetching(first, submitter.self)
    place.run(30_000)
    let asked = 0
    const second = live(place, carol, (desk) => ({
      ...desk,
      find(capability, limit, then) {
        const isBusy = capability.startsWith('model/') && ++asked < 3
        if (!isBusy) return desk.find(capability, limit, then)
        then(err({ code: 'too-many', detail: 'the registry is busy' }))
      },
    }))
    link(place, submitter, second)
    const got = fetching(second, submitter.self)
    place.run(30_000)
    expect(got.result).toEqual(ok(null))
    expect(got.fetched.others / model.total).toBeGreaterThan(0.9)
  })

  it('come to three who begin at once from each other, too', () => {
    const { place, submitter } = asking()
    const nodes = [bob, carol, dave].map((who) => live(place, who))
    link(place, submitter, ...nodes)
    const all = nodes.map((node) => fetching(node, submitter.self))
    place.run(60_000)
    for (const { result, fetched } of all) {
      expect(result).toEqual(ok(null))
      expect(fetched.given + fetched.others).toBe(model.total)
    }
    nodes.forEach(withinLimits)
  })

  it('that are flipped are refused at the leaf and come from elsewhere; the liar is trusted less', () => {
    const { place, submitter } = asking()
    let lies = 0
    const carols = live(place, carol, (desk) => ({
      ...desk,
      readLeaf: (name, then) =>
        desk.readLeaf(name, (read) => {
          if (!read.ok || read.value === null || name === model.name) return then(read)
          lies += 1
          then(ok(read.value.with(7, read.value[7]! ^ 1)))
        }),
    }))
    link(place, submitter, carols)
    const first = fetching(carols, submitter.self)
    place.run(20_000)
    expect(first.result).toEqual(ok(null))
    const bobs = live(place, bob)
    link(place, bobs, submitter, carols)
    const before = trustOf(bobs, carol)
    const one = fetching(bobs, submitter.self)
    place.run(30_000)
    expect(one.result).toEqual(ok(null))
    expect(one.fetched).toEqual({ permille: 1_000, here: 0, given: model.total, others: 0 })
    // Two were on their way, and two were asked for while these were hashed.
    expect(lies).toBeGreaterThan(0)
    expect(lies).toBeLessThanOrEqual(4)
    expect(trustOf(bobs, carol)).toBeLessThan(before)
    // What bob has is what the names say, and so he may give it on.
    expect(holds(place, submitter, bobs)).toEqual([true, true, true, true, true])
    const daves = live(place, dave)
    link(place, daves, bobs)
    const honest = fetching(daves, bobs.self)
    place.run(30_000)
    expect(honest.result).toEqual(ok(null))
    expect(trustOf(daves, bob)).toBe(trustOf(bobs, dave))
  })

  it('are looked for elsewhere when a node says nothing for ten seconds, and what it gives then still counts', () => {
    const { place, submitter } = asking()
    const silent = live(place, carol, (desk) => ({
      ...desk,
      send: (to, head, body) => (head.k === 'leaf' ? undefined : desk.send(to, head, body)),
    }))
    link(place, submitter, silent)
    fetching(silent, submitter.self)
    place.run(20_000)
    const bobs = live(place, bob)
    link(place, bobs, submitter, silent)
    const one = fetching(bobs, submitter.self)
    place.run(8_000)
    expect(one.result).toBeNull()
    place.run(12_000)
    expect(one.result).toEqual(ok(null))
    expect(one.fetched.given).toBe(model.total)
    withinLimits(bobs)
  })

  it('are looked for elsewhere at once when a node goes away', () => {
    const { place, submitter } = asking()
    const slow = live(place, carol, (desk) => ({
      ...desk,
      send: (to, head, body) => (head.k === 'leaf' ? undefined : desk.send(to, head, body)),
    }))
    link(place, submitter, slow)
    fetching(slow, submitter.self)
    place.run(20_000)
    const bobs = live(place, bob)
    link(place, bobs, submitter, slow)
    const one = fetching(bobs, submitter.self)
    place.run(5_000)
    slow.leave()
    place.run(2_000)
    expect(one.result).toEqual(ok(null))
  })

  it('that nobody gives are named when all sources are used up', () => {
    const lacking = leafNames(model.signed.body.blocks[3]!)[1]!
    const { place, submitter } = asking({
      ...model,
      source: {
        ...model.source,
        read: (leaf, then) =>
          leaf === lacking
            ? then({ ok: false, error: { code: 'unreadable', detail: '' } })
            : model.source.read(leaf, then),
      },
    })
    const bobs = live(place, bob)
    link(place, submitter, bobs)
    const one = fetching(bobs, submitter.self)
    place.run(30_000)
    expect(one.result).toMatchObject({ error: { code: 'no-weights' } })
    expect(JSON.stringify(one.result)).toContain(`${lacking} of block 3`)
    expect(
      exchange(bobs)
        .sizes()
        .find(({ what }) => what === 'models in use')?.held,
    ).toBe(0)
  })

  it('end with no-weights when the submitter goes and nobody else has them', () => {
    const { place, submitter } = asking(model, (desk) => ({
      ...desk,
      send: (to, head, body) =>
        head.k === 'leaf' && head.bytes < 1_000_000 ? undefined : desk.send(to, head, body),
    }))
    const bobs = live(place, bob)
    link(place, submitter, bobs)
    const one = fetching(bobs, submitter.self)
    // The manifest is small, too, and so it never comes.
    place.run(11_000)
    expect(one.result).toMatchObject({ error: { code: 'no-weights' } })
    let result: Result<null, PortError> | null = null
    exchange(bobs).fetch(
      model.name,
      model.signed,
      ALL,
      submitter.self,
      () => undefined,
      (ended) => (result = ended),
    )
    place.run(5_000)
    expect(result).toBeNull()
    submitter.leave()
    place.run(7_000)
    expect(result).toMatchObject({ error: { code: 'no-weights' } })
  })

  it('are not waited for any more once somebody stops, and stay no longer in use', () => {
    const { place, submitter } = asking()
    const kept = new Map<Cid, number>()
    const count = (names: readonly Cid[], by: number): void => {
      for (const name of names) kept.set(name, (kept.get(name) ?? 0) + by)
    }
    const bobs = live(place, bob, (desk) => ({
      ...desk,
      keepLeaves: (names) => count(names, 1),
      letGoLeaves: (names) => count(names, -1),
    }))
    link(place, submitter, bobs)
    const one = fetching(bobs, submitter.self)
    place.run(10)
    one.stop()
    place.run(20_000)
    expect(one.result).toBeNull()
    expect([...kept.values()].every((uses) => uses === 0)).toBe(true)
    const again = fetching(bobs, submitter.self)
    place.run(20_000)
    expect(again.result).toEqual(ok(null))
    expect([...model.leaves.keys()].map((name) => kept.get(name))).not.toContain(0)
    exchange(bobs).letGo(model.name, ALL)
    exchange(bobs).letGo(model.name, ALL)
    expect([...kept.values()].every((uses) => uses === 0)).toBe(true)
  })

  it('that do not fit on the shelf end with no-room', () => {
    const { place, submitter } = asking()
    const bobs = live(place, bob, (desk) => ({
      ...desk,
      writeLeaf: (_name, _bytes, then) =>
        then({ ok: false, error: { code: 'quota-exceeded', detail: 'full' } }),
    }))
    link(place, submitter, bobs)
    const one = fetching(bobs, submitter.self)
    place.run(20_000)
    expect(one.result).toMatchObject({ error: { code: 'no-room' } })
  })

  it('are still known to be there after the node comes again', () => {
    const { place, submitter } = asking()
    const disk = newDisk()
    const shelf = new Map<Cid, Uint8Array<ArrayBuffer>>()
    const lasting = (desk: Desk): Desk => ({
      ...desk,
      hasLeaves: (names, then) => then(ok(names.map((name) => shelf.has(name)))),
      readLeaf: (name, then) => then(ok(shelf.get(name) ?? null)),
      writeLeaf: (name, bytes, then) => {
        shelf.set(name, bytes)
        then(ok(null))
      },
    })
    const first = place.moveIn(bob, disk, false, lasting)
    link(place, submitter, first)
    fetching(first, submitter.self, [1])
    place.run(20_000)
    expect(exchange(first).models()).toEqual([model.name])
    first.leave()
    const again = place.moveIn(bob, disk, false, lasting)
    place.run(5_000)
    expect(exchange(again).models()).toEqual([model.name])
    // One leaf of the block is gone: it is not whole any more.
    shelf.delete(leafNames(model.signed.body.blocks[1]!)[0]!)
    place.run(130_000)
    expect(exchange(again).models()).toEqual([])
  })
})

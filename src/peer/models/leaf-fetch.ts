/**
 * Brings some blocks of a model to the shelf. Leaves are taken from all who have them, side by side, and from the
 * submitter only what nobody else gives; each is hashed before it counts. Who gives something else is not asked again.
 */
import type { Cid, PeerId } from '../../base/ids.ts'
import { LEAF_BYTES } from '../../base/leaf.ts'
import { err, ok } from '../../base/result.ts'
import { ms } from '../../base/units.ts'
import { leafNames, type SignedManifest } from '../../wire/manifest.ts'
import type { Answer } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'
import type { LeafAsks } from './leaf-asks.ts'
import { leafSources, type Source, type SourceTools } from './leaf-sources.ts'

export const FETCH_LIMITS = {
  /** One on its way while the next is read there. */
  perSource: 2,
  /** Asked for, hashed or written: what a fetch holds in memory, 16 MiB. */
  underWay: 16,
  /** A link that other fetches keep busy is looked at again. */
  againMs: 250,
} as const

/** Bytes of what was asked for: already here, given by the submitter, given by others. */
export type Fetched = {
  readonly permille: number
  readonly here: number
  readonly given: number
  readonly others: number
}

export type FetchOrder = {
  readonly model: Cid
  readonly manifest: SignedManifest
  readonly blocks: readonly number[]
  readonly submitter: PeerId
}

export type FetchTools = SourceTools & {
  readonly asks: LeafAsks
  lied(who: Greeted): void
}

export type LeafFetch = {
  begin(): void
  go(): void
  gone(peer: PeerId): void
  stop(): void
  sizes(): Size[]
}

type Leaf = { readonly name: Cid; readonly bytes: number; readonly block: number }

/** Each leaf once, though it may be there twice; `names` are all of them. */
export const leavesOf = (
  { body: { blocks } }: SignedManifest,
  wanted: readonly number[],
): readonly Leaf[] => {
  const leaves = new Map<Cid, Leaf>()
  for (const block of wanted) {
    const { bytes: all, ...rest } = blocks[block]!
    leafNames({ bytes: all, ...rest }).forEach((name, i) => {
      const bytes = Math.min(LEAF_BYTES, all - i * LEAF_BYTES)
      if (!leaves.has(name)) leaves.set(name, { name, bytes, block })
    })
  }
  return [...leaves.values()]
}

export const leafFetch = (
  tools: FetchTools,
  order: FetchOrder,
  progress: (fetched: Fetched) => void,
  then: Answer<null>,
): LeafFetch => {
  const { desk, asks } = tools
  const leaves = leavesOf(order.manifest, order.blocks)
  const total = leaves.reduce((sum, { bytes }) => sum + bytes, 0)
  /** By block, what nobody is asked for. */
  const missing = new Map<number, Map<Cid, Leaf>>()
  /** Those that came whole. */
  const arrived = new Set<Cid>()
  const counts = { here: 0, given: 0, others: 0 }
  let left = 0
  let checking = 0
  let underWay = 0
  /** Asked of those who are slow: they may still come. */
  let late = 0
  let ended = false
  let started = false
  /** A link had no room for what could have been asked of it. */
  let blocked = false

  const sources = leafSources(tools, order.model, order.submitter, () => go())

  const end = (result: Parameters<typeof then>[0]): void => {
    if (ended) return
    stop()
    then(result)
  }

  const stop = (): void => {
    ended = true
    for (const { asked } of sources.all()) for (const id of asked.keys()) asks.drop(id)
  }

  const tell = (): void => {
    const done = counts.here + counts.given + counts.others
    progress({ permille: total === 0 ? 1_000 : Math.floor((1_000 * done) / total), ...counts })
  }

  const miss = (leaf: Leaf): void => {
    if (arrived.has(leaf.name)) return
    const there = missing.get(leaf.block) ?? new Map<Cid, Leaf>()
    missing.set(leaf.block, there)
    there.set(leaf.name, leaf)
  }

  const unmiss = (leaf: Leaf): void => {
    const there = missing.get(leaf.block)
    there?.delete(leaf.name)
    if (there?.size === 0) missing.delete(leaf.block)
  }

  /** From a block of which it may give: the first that is missing. */
  const pick = (source: Source, mayAskAll: boolean): Leaf | null => {
    for (const [block, there] of missing) {
      if (!sources.has(source, block)) continue
      if (source.isSubmitter && (!mayAskAll || sources.others(block))) continue
      return there.values().next().value ?? null
    }
    return null
  }

  const keep = (leaf: Leaf, bytes: Uint8Array<ArrayBuffer>, source: Source): void =>
    desk.writeLeaf(leaf.name, bytes, (written) => {
      checking -= 1
      if (ended) return
      if (!written.ok) return end(err({ code: 'no-room', detail: written.error.detail }))
      counts[source.isSubmitter ? 'given' : 'others'] += leaf.bytes
      left -= 1
      tell()
      go()
    })

  /** Somebody else is asked for what it gave, and for what it was still to give. */
  const distrust = (source: Source, requeue: () => void): void => {
    if (!sources.isBarred(source)) tools.lied(source.who)
    sources.bar(source)
    requeue()
    for (const another of source.asked.values()) another()
    go()
  }

  const take = (
    leaf: Leaf,
    bytes: Uint8Array<ArrayBuffer>,
    source: Source,
    requeue: () => void,
  ): void => {
    if (sources.isBarred(source) || arrived.has(leaf.name)) return requeue()
    if (bytes.byteLength !== leaf.bytes) return distrust(source, requeue)
    checking += 1
    desk.hash(bytes, (name) => {
      if (ended || arrived.has(leaf.name) || name !== leaf.name) checking -= 1
      if (ended) return
      if (name !== leaf.name) return distrust(source, requeue)
      if (arrived.has(leaf.name)) return go()
      arrived.add(leaf.name)
      unmiss(leaf)
      keep(leaf, bytes, source)
    })
  }

  const ask = (source: Source, leaf: Leaf): void => {
    unmiss(leaf)
    underWay += 1
    let isLate = false
    let again = false
    /** Only once for each time it was asked for. */
    const requeue = (): void => {
      if (!again) miss(leaf)
      again = true
    }
    const lateNow = (): void => {
      isLate = true
      source.slow += 1
      late += 1
      underWay -= 1
    }
    const over = (): void => {
      source.asked.delete(id)
      if (isLate) source.slow -= 1
      if (isLate) late -= 1
      else underWay -= 1
    }
    const id = asks.ask(source.who.peer, leaf.name, leaf.bytes, (reply) => {
      if (reply.kind === 'slow') lateNow()
      else over()
      if (ended) return
      if (reply.kind === 'leaf') take(leaf, reply.bytes, source, requeue)
      else requeue()
      if (reply.kind === 'lack') source.lacked.add(leaf.block)
      if (reply.kind === 'dead') source.state = 'dead'
      if (reply.kind === 'gone') sources.gone(source.who.peer)
      go()
    })
    source.asked.set(id, requeue)
  }

  /** As much as it may be asked for now. */
  const askMore = (source: Source, mayAskAll: boolean): void => {
    while (source.asked.size < FETCH_LIMITS.perSource) {
      if (underWay + checking >= FETCH_LIMITS.underWay) return
      const leaf = pick(source, mayAskAll)
      if (leaf === null) return
      if (!asks.hasRoom(source.who.peer)) {
        blocked = true
        return desk.wake(ms(desk.now() + FETCH_LIMITS.againMs))
      }
      ask(source, leaf)
    }
  }

  const lost = (): string => {
    const some = [...missing.values()].flatMap((there) => [...there.values()])
    const [first] = some
    return `nobody gives ${some.length} of ${leaves.length} pieces, first ${first?.name} of block ${first?.block}`
  }

  const go = (): void => {
    if (ended || !started) return
    if (left === 0) return end(ok(null))
    sources.look()
    const settled = sources.settled()
    blocked = false
    for (const source of sources.all()) if (source.state === 'good') askMore(source, settled)
    if (settled && !blocked && underWay + late + checking === 0)
      end(err({ code: 'no-weights', detail: lost() }))
  }

  /** Nodes that fetch the same begin at different blocks, and then have something to give each other. */
  const start = (here: readonly boolean[]): void => {
    const [draw] = desk.random.bytes(1)
    const first = Math.floor((draw! / 256) * leaves.length)
    leaves.forEach((leaf, i) => {
      if (!here[i]) return
      arrived.add(leaf.name)
      counts.here += leaf.bytes
    })
    for (const leaf of [...leaves.slice(first), ...leaves.slice(0, first)]) miss(leaf)
    left = leaves.length - arrived.size
    sources.began(total - counts.here)
    started = true
    tell()
    go()
  }

  return {
    begin(): void {
      sources.call()
      const names = leaves.map(({ name }) => name)
      desk.hasLeaves(names, (has) => {
        if (ended) return
        if (has.ok) start(has.value)
        else end(err({ code: 'no-room', detail: has.error.detail }))
      })
    },
    go,
    gone: (peer) => sources.gone(peer),
    stop,
    sizes: () => [
      { what: 'leaves under way', held: underWay + checking, limit: FETCH_LIMITS.underWay },
      ...sources.sizes(),
    ],
  }
}

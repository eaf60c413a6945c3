/**
 * Who may give the leaves of one model: linked nodes that say they have blocks of it, those that the registry names,
 * and the submitter, which has everything and is asked last.
 */
import type { Cid, Did, PeerId } from '../../base/ids.ts'
import { ms, type Ms } from '../../base/units.ts'
import { modelPlace } from '../../wire/registry.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'
import { hasBlock } from './block-bits.ts'
import type { seeking } from './seeking.ts'

export const SOURCE_LIMITS = {
  /** Links of a node, and a few to spare. */
  sources: 24,
  /** Blocks are whole one after the other where a model is fetched: who has them is asked again. */
  againMs: 5_000,
  /** Nodes called because the registry names them: a few give as much as the link here takes. */
  calls: 4,
  named: 16,
  callAgainMs: 1_000,
  /** Each has cost somebody a link and its trust. */
  barred: 64,
  /**
   * The submitter is asked after so long, however many others could still turn up: a call takes six seconds at most, and
   * a second is worth it for every 2 MB that the submitter then need not send. Who is there says what it has sooner than
   * the least; who is gone, and still thought to be there, never does.
   */
  patienceMs: { least: 250, most: 8_000, perByte: 1_000 / 2e6 },
} as const

export type Source = {
  readonly who: Greeted
  readonly isSubmitter: boolean
  /** What it says it has. */
  bits: Uint8Array
  /** Of which it lacked a leaf when it was asked. */
  readonly lacked: Set<number>
  /** What was asked for and not answered, each with how to ask somebody else; how many of these are late. */
  readonly asked: Map<number, () => void>
  slow: number
  state: 'good' | 'dead'
  seeking: boolean
  heard: boolean
  seekAt: Ms
}

export type SourceTools = {
  readonly desk: Desk
  readonly seeks: ReturnType<typeof seeking>
  linked(): readonly Greeted[]
}

export const leafSources = (
  { desk, seeks, linked }: SourceTools,
  model: Cid,
  submitter: PeerId,
  changed: () => void,
) => {
  let until = ms(Infinity)
  const sources = new Map<PeerId, Source>()
  /** They gave something else, and would again under another session. */
  const barred = new Set<Did>()
  /** Called, and not linked yet. */
  const called = new Set<PeerId>()
  let named = false
  /** When the registry is asked again; it did not answer. */
  let callAt: Ms | null = null

  const has = (source: Source, block: number): boolean =>
    source.state === 'good' &&
    !source.lacked.has(block) &&
    (source.isSubmitter || hasBlock(source.bits, block))

  const seek = (source: Source): void => {
    source.seeking = true
    source.seekAt = ms(desk.now() + SOURCE_LIMITS.againMs)
    seeks.seek(source.who.peer, model, (holds) => {
      source.seeking = false
      source.heard = true
      if (holds) source.bits = holds.blocks
      changed()
    })
  }

  const add = (who: Greeted): void => {
    if (sources.size >= SOURCE_LIMITS.sources || barred.has(who.account)) return
    const isSubmitter = who.peer === submitter
    const source: Source = {
      who,
      isSubmitter,
      bits: new Uint8Array(0),
      lacked: new Set(),
      asked: new Map(),
      slow: 0,
      state: 'good',
      seeking: false,
      heard: isSubmitter,
      seekAt: desk.now(),
    }
    sources.set(who.peer, source)
    called.delete(who.peer)
  }

  /** Asks the registry who else has it, and calls a few of them. */
  const call = (): void => {
    callAt = null
    desk.find(modelPlace(model), SOURCE_LIMITS.named, (found) => {
      if (!found.ok) return callAgain()
      named = true
      const others = found.value.adverts.map(({ body }) => body)
      for (const { peer, account, relay } of others) {
        const isMe = peer === desk.self || account === desk.account
        const isLinked = linked().some((who) => who.peer === peer)
        if (isMe || isLinked || called.size >= SOURCE_LIMITS.calls) continue
        called.add(peer)
        desk.connect(peer, relay)
      }
      changed()
    })
  }

  /** A registry may be busy for a moment; who has weights besides the submitter is worth that. */
  const callAgain = (): void => {
    callAt = ms(desk.now() + SOURCE_LIMITS.callAgainMs)
    desk.wake(callAt)
  }

  return {
    call,
    /** So many bytes are not here. */
    began(bytes: number): void {
      const { least, most, perByte } = SOURCE_LIMITS.patienceMs
      until = ms(desk.now() + Math.min(most, Math.max(least, Math.ceil(bytes * perByte))))
    },
    all: (): readonly Source[] => [...sources.values()],
    has,
    /** Looks who is linked, and asks whoever has not said of late what it has. */
    look(): void {
      for (const who of linked()) if (!sources.has(who.peer)) add(who)
      const now = desk.now()
      if (callAt !== null && now >= callAt) call()
      for (const source of sources.values()) {
        if (source.isSubmitter || source.state !== 'good') continue
        if (!source.seeking && now >= source.seekAt) seek(source)
        desk.wake(source.seekAt)
      }
    },
    /** Nobody else is expected to turn up, so it is the submitter's turn. */
    settled(): boolean {
      if (desk.now() >= until) return true
      desk.wake(until)
      return named && called.size === 0 && [...sources.values()].every(({ heard }) => heard)
    },
    /** Whether somebody else may give a leaf of it. */
    others: (block: number): boolean =>
      [...sources.values()].some(
        (source) => !source.isSubmitter && source.slow === 0 && has(source, block),
      ),
    isBarred: ({ who }: Source): boolean => barred.has(who.account),
    bar({ who }: Source): void {
      sources.delete(who.peer)
      if (barred.size < SOURCE_LIMITS.barred) barred.add(who.account)
    },
    gone(peer: PeerId): void {
      sources.delete(peer)
      called.delete(peer)
    },
    sizes: (): Size[] => [
      { what: 'sources of a model', held: sources.size, limit: SOURCE_LIMITS.sources },
      { what: 'nodes called for a model', held: called.size, limit: SOURCE_LIMITS.calls },
    ],
  }
}

/**
 * Weights on their way from node to node: leaves by name, from whoever has them, each checked before it is
 * kept or used.
 */
import type { Cid, PeerId } from '../../base/ids.ts'
import { err } from '../../base/result.ts'
import type { SignedManifest } from '../../wire/manifest.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Answer, Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'
import { blockBits } from './block-bits.ts'
import { keptBlocks } from './kept-blocks.ts'
import { leafAsks } from './leaf-asks.ts'
import { leafFetch, type Fetched, type LeafFetch } from './leaf-fetch.ts'
import { leafGiver } from './leaf-giver.ts'
import { library } from './library.ts'
import { manifests } from './manifests.ts'
import { seeking } from './seeking.ts'
import type { ModelSource } from './session-view.ts'

export type LeafHead = HeadOf<'want' | 'leaf' | 'lack' | 'seek' | 'holds'>

export type { Fetched }

export type LeafExchangeEvents = {
  /** What this node would take for a stage now. */
  room(): { readonly room: number; readonly speed: number }
  linked(): readonly Greeted[]
  /** It gave something else than it was asked for. */
  lied(who: Greeted): void
}

/** Stages of a node, all loading at once. */
const FETCHES_MAX = 16

export type LeafExchange = ReturnType<typeof leafExchange>

export const leafExchange = (desk: Desk, events: LeafExchangeEvents) => {
  const { linked, lied } = events
  const asks = leafAsks(desk)
  const giver = leafGiver(desk)
  const books = library(desk)
  const kept = keptBlocks(desk)
  const fetches = new Set<LeafFetch>()
  const seeks = seeking(desk, {
    room: () => events.room(),
    blocks(model, then) {
      const offered = giver.offered(model)
      if (offered !== null) then(blockBits(Array.from({ length: offered }, () => true)))
      else books.blocks(model, then)
    },
  })
  const tools = { desk, asks, seeks, linked, lied }

  const fetch = (
    model: Cid,
    manifest: SignedManifest,
    blocks: readonly number[],
    submitter: PeerId,
    progress: (fetched: Fetched) => void,
    then: Answer<null>,
  ): (() => void) => {
    const refuse = (code: string, detail: string): (() => void) => {
      then(err({ code, detail }))
      return () => undefined
    }
    if (fetches.size >= FETCHES_MAX)
      return refuse('busy', `${FETCHES_MAX} models are being fetched`)
    if (blocks.some((block) => manifest.body.blocks[block] === undefined))
      return refuse('bad-model', 'it has no such block')
    books.know(model, manifest)
    kept.keep(model, manifest, blocks)
    const order = { model, manifest, blocks, submitter }
    const one = leafFetch(tools, order, progress, (result) => {
      fetches.delete(one)
      books.used(model)
      if (!result.ok) kept.letGo(model, blocks)
      then(result)
    })
    fetches.add(one)
    one.begin()
    return () => {
      if (!fetches.delete(one)) return
      one.stop()
      kept.letGo(model, blocks)
    }
  }

  return {
    head(who: Greeted, head: LeafHead, body: Uint8Array<ArrayBuffer> | null): void {
      switch (head.k) {
        case 'want':
          return giver.want(who, head)
        case 'leaf':
          return asks.leaf(who, head, body ?? new Uint8Array(0))
        case 'lack':
          return asks.lack(who, head)
        case 'seek':
          return seeks.asked(who, head)
        case 'holds':
          return seeks.holds(who, head)
      }
    },
    welcome: asks.welcome,
    gone(who: Greeted): void {
      giver.gone(who)
      seeks.gone(who)
      asks.gone(who)
      for (const one of [...fetches]) {
        one.gone(who.peer)
        one.go()
      }
    },
    wake(): void {
      giver.wake()
      seeks.wake()
      asks.wake()
      books.wake()
      for (const one of [...fetches]) one.go()
    },
    /** Gives leaves of a model of this device, besides those on the shelf. */
    offer(model: Cid, manifest: Uint8Array<ArrayBuffer>, source: ModelSource): void {
      giver.offer(model, manifest, source)
    },
    withdraw: (model: Cid): void => giver.withdraw(model),
    /**
     * Models of which at least one whole block lies on the shelf, the one used last first: what adverts name. What is
     * only offered is not among them: who asks for work is linked with those who do it.
     */
    models: (): readonly Cid[] => books.held(),
    /** A manifest by its name, with its signature checked. */
    manifest: manifests(desk, asks, books, { linked, lied }),
    /**
     * Brings blocks to the shelf and keeps them there until `letGo`; gives how to stop. What fails or is stopped has let
     * go by itself.
     */
    fetch,
    letGo: (model: Cid, blocks: readonly number[]): void => kept.letGo(model, blocks),
    /** What a linked node holds of a model; null where it does not say in time. */
    seek: seeks.seek,
    sizes: (): Size[] => [
      ...asks.sizes(),
      ...giver.sizes(),
      ...books.sizes(),
      ...seeks.sizes(),
      ...kept.sizes(),
      ...[...fetches].flatMap((one) => one.sizes()),
      { what: 'fetches of models', held: fetches.size, limit: FETCHES_MAX },
    ],
  }
}

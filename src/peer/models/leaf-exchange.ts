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
import type { ModelSource } from './session-view.ts'

export type LeafHead = HeadOf<'want' | 'leaf' | 'lack' | 'seek' | 'holds'>

/** Bytes of what was asked for: already here, given by the submitter, given by others. */
export type Fetched = {
  readonly permille: number
  readonly here: number
  readonly given: number
  readonly others: number
}

export type LeafExchangeEvents = {
  /** What this node would take for a stage now. */
  room(): { readonly room: number; readonly speed: number }
  linked(): readonly Greeted[]
  /** It gave something else than it was asked for. */
  lied(who: Greeted): void
}

export type LeafExchange = ReturnType<typeof leafExchange>

export const leafExchange = (_desk: Desk, _events: LeafExchangeEvents) => ({
  head(_who: Greeted, _head: LeafHead, _body: Uint8Array<ArrayBuffer> | null): void {},
  welcome: (_who: Greeted, _head: HeadOf<'leaf'>): number => 0,
  gone(_who: Greeted): void {},
  wake(): void {},
  /** Gives leaves of a model of this device, besides those on the shelf. */
  offer(_model: Cid, _manifest: Uint8Array<ArrayBuffer>, _source: ModelSource): void {},
  withdraw(_model: Cid): void {},
  /** Models of which at least one whole block is here, the one used last first: what adverts name. */
  models: (): readonly Cid[] => [],
  /** A manifest by its name, with its signature checked. */
  manifest(_model: Cid, _from: PeerId, then: Answer<SignedManifest>): void {
    then(err({ code: 'not-built', detail: '' }))
  },
  /** Brings blocks to the shelf and keeps them there until `letGo`; gives how to stop. */
  fetch(
    _model: Cid,
    _manifest: SignedManifest,
    _blocks: readonly number[],
    _submitter: PeerId,
    _progress: (fetched: Fetched) => void,
    then: Answer<null>,
  ): () => void {
    then(err({ code: 'not-built', detail: '' }))
    return () => undefined
  },
  letGo(_model: Cid, _blocks: readonly number[]): void {},
  /** What a linked node holds of a model; null where it does not say in time. */
  seek(_peer: PeerId, _model: Cid, then: (holds: HeadOf<'holds'> | null) => void): void {
    then(null)
  },
  sizes: (): Size[] => [],
})

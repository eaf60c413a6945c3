/** A manifest by its name: from memory, from the shelf, or from who named it; then its publisher's signature is checked. */
import type { Cid, PeerId } from '../../base/ids.ts'
import { LEAF_BYTES } from '../../base/leaf.ts'
import { err, ok } from '../../base/result.ts'
import type { SignedManifest } from '../../wire/manifest.ts'
import { readManifest } from '../../wire/signed-manifest.ts'
import type { Answer, Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { LeafAsks } from './leaf-asks.ts'
import type { Library } from './library.ts'

export type ManifestEvents = {
  linked(): readonly Greeted[]
  lied(who: Greeted): void
}

/** @error no-weights where nobody gives it; bad-model where it is none, or nobody's */
export const manifests = (
  desk: Desk,
  asks: LeafAsks,
  books: Library,
  { linked, lied }: ManifestEvents,
) => {
  /** Who waits for the same from the same: a few stages of one talk, which are asked for together. */
  const waiting = new Map<string, Answer<SignedManifest>[]>()

  const missing = (detail: string) => err({ code: 'no-weights', detail: `the manifest: ${detail}` })

  const verify = (manifest: SignedManifest, then: Answer<SignedManifest>): void => {
    const { body, sig } = manifest
    desk.verify([{ account: body.publisher, body, sig }], (genuine) =>
      then(
        genuine
          ? ok(manifest)
          : err({ code: 'bad-model', detail: 'its publisher did not sign it' }),
      ),
    )
  }

  const take = (
    model: Cid,
    who: Greeted,
    bytes: Uint8Array<ArrayBuffer>,
    then: Answer<SignedManifest>,
  ): void =>
    desk.hash(bytes, (name) => {
      if (name !== model) {
        lied(who)
        return then(missing('something else was given'))
      }
      const read = readManifest(bytes)
      if (!read.ok)
        return then(err({ code: 'bad-model', detail: `its manifest: ${read.error.code}` }))
      verify(read.value, (verified) => {
        if (!verified.ok) return then(verified)
        books.know(model, read.value)
        // Others may want it from us; without a place for it the model is used all the same.
        desk.writeLeaf(model, bytes, () => then(verified))
      })
    })

  return (model: Cid, from: PeerId, then: Answer<SignedManifest>): void =>
    books.get(model, (known) => {
      if (known) return verify(known, then)
      const who = linked().find(({ peer }) => peer === from)
      if (!who) return then(missing('who named it is gone'))
      const key = `${from} ${model}`
      const others = waiting.get(key)
      if (others) return void others.push(then)
      if (!asks.hasRoom(from)) return then(missing('too much was asked already'))
      waiting.set(key, [then])
      const done: Answer<SignedManifest> = (found) => {
        const all = waiting.get(key) ?? []
        waiting.delete(key)
        for (const each of all) each(found)
      }
      const id = asks.ask(from, model, LEAF_BYTES, (reply) => {
        if (reply.kind === 'leaf') return take(model, who, reply.bytes, done)
        if (reply.kind === 'slow') asks.drop(id)
        done(missing(`who named it: ${reply.kind}`))
      })
    })
}

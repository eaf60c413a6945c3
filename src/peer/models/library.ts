/**
 * The models that this node knows: their manifests, and which of their blocks lie on the shelf. Of which it has whole
 * blocks it remembers between its lives, as a shelf only knows leaves.
 */
import { isCid, type Cid } from '../../base/ids.ts'
import { remember } from '../../core/recent.ts'
import { ms, type Ms } from '../../base/units.ts'
import { leafNames, type SignedManifest } from '../../wire/manifest.ts'
import { readManifest } from '../../wire/signed-manifest.ts'
import type { Desk } from '../desk.ts'
import type { Size } from '../size.ts'
import { blockBits } from './block-bits.ts'

/** A manifest takes up to some megabytes when it is read; four models are advertised. */
const KNOWN_MAX = 8
/** Where the names of models with whole blocks are kept. */
const KEPT = 'held-models'
/** What was looked up so lately is not looked up again, whoever asks. */
const FRESH_MS = 2_000
/** Leaves go when others come, so what is advertised is looked at again: an advert lives for ten minutes. */
const LOOK_MS = 120_000

type Looked = { readonly bits: Uint8Array<ArrayBuffer>; readonly at: Ms }

export type Library = ReturnType<typeof library>

export const library = (desk: Desk) => {
  const known = new Map<Cid, SignedManifest>()
  const looked = new Map<Cid, Looked>()
  /** With at least one whole block; the one used last comes last. */
  const held = new Map<Cid, true>()
  let restored = false
  let nextLook = ms(0)

  const know = (model: Cid, manifest: SignedManifest): void =>
    void remember(known, model, manifest, KNOWN_MAX)

  /** From memory or from the shelf. */
  const get = (model: Cid, then: (manifest: SignedManifest | null) => void): void => {
    const there = known.get(model)
    if (there) return then(there)
    desk.hasLeaves([model], (has) => {
      if (!has.ok || !has.value[0]) return then(null)
      desk.readLeaf(model, (read) => {
        const manifest = read.ok && read.value ? readManifest(read.value) : null
        if (!manifest?.ok) return then(null)
        know(model, manifest.value)
        then(manifest.value)
      })
    })
  }

  const keep = (): void =>
    desk.write(
      [{ table: 'settings', key: KEPT, value: [...held.keys()] }],
      'relaxed',
      () => undefined,
    )

  const note = (model: Cid, isHeld: boolean): void => {
    if (isHeld === held.has(model)) return
    if (isHeld) remember(held, model, true, KNOWN_MAX)
    else held.delete(model)
    keep()
    // Adverts name them.
    desk.wake(desk.now())
  }

  const look = (model: Cid, then: (bits: Uint8Array<ArrayBuffer>) => void): void =>
    get(model, (manifest) => {
      if (manifest === null) {
        note(model, false)
        return then(new Uint8Array(0))
      }
      const names = manifest.body.blocks.map(leafNames)
      desk.hasLeaves(names.flat(), (has) => {
        const here = has.ok ? has.value.values() : [].values()
        const whole = names.map((block) => {
          const leaves = block.map(() => here.next().value === true)
          return leaves.length > 0 && leaves.every(Boolean)
        })
        const bits = blockBits(whole)
        remember(looked, model, { bits, at: desk.now() }, KNOWN_MAX)
        note(model, whole.includes(true))
        then(bits)
      })
    })

  const restore = (): void => {
    restored = true
    desk.read('settings', KEPT, (found) => {
      const names = found.ok && Array.isArray(found.value) ? (found.value as unknown[]) : []
      for (const name of names.slice(0, KNOWN_MAX))
        if (typeof name === 'string' && isCid(name)) look(name as Cid, () => undefined)
    })
  }

  return {
    know,
    get,
    /** Which blocks are here from their first leaf to their last. */
    blocks(model: Cid, then: (bits: Uint8Array<ArrayBuffer>) => void): void {
      const last = looked.get(model)
      if (last && desk.now() - last.at < FRESH_MS) then(last.bits)
      else look(model, then)
    },
    /** Something of it has come. */
    used(model: Cid): void {
      looked.delete(model)
      if (held.delete(model)) held.set(model, true)
      look(model, () => undefined)
    },
    held: (): readonly Cid[] => [...held.keys()].toReversed(),
    wake(): void {
      if (!restored) restore()
      if (held.size === 0) return
      if (desk.now() >= nextLook) {
        nextLook = ms(desk.now() + LOOK_MS)
        for (const model of held.keys()) look(model, () => undefined)
      }
      desk.wake(nextLook)
    },
    sizes: (): Size[] => [
      { what: 'manifests', held: known.size, limit: KNOWN_MAX },
      { what: 'models with whole blocks', held: held.size, limit: KNOWN_MAX },
    ],
  }
}

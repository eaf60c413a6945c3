/**
 * A language model from files that a page was given: opened without reading what is large, named leaf by leaf when
 * it is asked for the first time, and asked. The app and the library share this.
 */
import { err, ok, type Result } from '../base/result.ts'
import { manifestOf } from '../models/manifest-of.ts'
import { modelError } from '../models/model-error.ts'
import type { ModelResult } from '../models/model-error.ts'
import type { ModelFile } from '../models/model-file.ts'
import { openModel, type Model } from '../models/open-model.ts'
import type { ModelSource } from '../peer/models/session-view.ts'
import type { PortError } from '../ports.ts'
import { merkleRoot } from '../wire/merkle.ts'

export type LanguageModel = {
  readonly model: Model
  /** Of its weights. */
  readonly bytes: number
  /** What nodes are given of it. Named once, however often it is asked. @error unreadable, truncated, too-large */
  source(progress: (permille: number) => void): Promise<Result<ModelSource, PortError>>
}

/** A Blob has no name; what else than this could be one alone? */
const NAMELESS = 'model.gguf'

export const openLanguageModel = async (
  given: readonly (File | Blob)[],
): Promise<ModelResult<LanguageModel>> => {
  const [first] = given
  const folder = first instanceof File ? (first.webkitRelativePath.split('/').at(-2) ?? '') : ''
  const opened = await openModel(given.map(fileOf), folder)
  if (!opened.ok) return opened
  const model = opened.value
  const { embedding, norm, output, layers } = model.parts
  const weights = new Set([embedding, norm, output, ...layers.flatMap(Object.values)])
  let bytes = 0
  for (const weight of weights) if (weight) bytes += weight.to - weight.from
  let named: Promise<Result<ModelSource, PortError>> | null = null
  const hear = new Set<(permille: number) => void>()
  return ok({
    model,
    bytes,
    source(progress) {
      hear.add(progress)
      named ??= manifestOf(model, NAMING, (done, all) => {
        for (const each of hear) each(Math.floor((1_000 * done) / Math.max(1, all)))
      }).then((made) => {
        hear.clear()
        // What could not be read may be readable the next time.
        if (!made.ok) named = null
        return made.ok ? made : err(made.error)
      })
      return named
    },
  })
}

const NAMING = {
  digest: async (bytes: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)),
  root: merkleRoot,
}

const fileOf = (blob: File | Blob): ModelFile => {
  const name = blob instanceof File ? blob.name : NAMELESS
  return {
    name,
    size: blob.size,
    async read(from, to) {
      if (to > blob.size)
        return modelError('truncated', `${name} ends at ${blob.size}, ${to} was asked`)
      try {
        return ok(new Uint8Array(await blob.slice(from, to).arrayBuffer()))
      } catch (cause) {
        // The file was moved or changed since it was chosen.
        return modelError('unreadable', `${name}: ${String(cause)}`)
      }
    },
  }
}

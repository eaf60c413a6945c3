/** A model for virtual nodes: a few bytes a layer, and what its whole would answer without any nodes. */
import { rawCidOf } from '../src/base/leaf.ts'
import type { Cid, JobId } from '../src/base/ids.ts'
import { err, ok } from '../src/base/result.ts'
import { GREEDY } from '../src/models/sampling.ts'
import type { ModelSource, Talk } from '../src/peer/models/session-view.ts'
import { virtualModels } from '../src/sim/models.ts'
import { merkleRoot } from '../src/wire/merkle.ts'
import { cidOf, sha256 } from '../src/wire/codec.ts'

export const VIRTUAL = {
  layers: 6,
  width: 8,
  heads: 2,
  keyHeads: 1,
  headSize: 4,
  inner: 16,
  vocabulary: 32,
  context: 512,
  tied: false,
  eos: [] as number[],
}

export const virtualSource = (
  seed = 1,
  leafBytes = 40,
): ModelSource & { leaves: Map<Cid, Uint8Array<ArrayBuffer>> } => {
  const leaves = new Map<Cid, Uint8Array<ArrayBuffer>>()
  const digests: Uint8Array[] = []
  const blocks = Array.from({ length: VIRTUAL.layers + 2 }, (_, block) => {
    const bytes = Uint8Array.from({ length: leafBytes }, (_, i) => 37 * seed + 53 * block + i)
    const digest = new Uint8Array(sha256(bytes))
    digests.push(digest)
    leaves.set(rawCidOf(digest), bytes)
    return { bytes: leafBytes, tensors: [], leaves: digest }
  })
  return {
    leaves,
    manifest: {
      v: 1,
      kind: 'model',
      name: 'virtual',
      version: '1',
      license: 'mit',
      config: JSON.stringify(VIRTUAL),
      blocks,
      root: merkleRoot(digests),
    },
    read(leaf, then) {
      const found = leaves.get(leaf)
      then(found ? ok(found) : err({ code: 'unreadable', detail: leaf }))
    },
  }
}

export const PROMPT = Array.from({ length: 20 }, (_, i) => (7 * i) % VIRTUAL.vocabulary)

export type Heard = {
  ids: number[]
  logits: Float32Array | null
  rewound: number[]
  end: string | null | undefined
}

/** What is asked, and what was heard of it. */
export const virtualTalk = (
  source: ModelSource,
  more: Partial<Talk> = {},
): Talk & { heard: Heard } => {
  const heard: Heard = { ids: [], logits: null, rewound: [], end: undefined }
  return {
    source,
    job: cidOf({ v: 1, kind: 'talk', ask: 1 }) as JobId,
    title: 'a talk',
    promptIds: PROMPT,
    tokens: 40,
    sampling: GREEDY,
    seed: 0,
    price: 1_000,
    ...more,
    heard,
    prompted: (logits) => void (heard.logits = logits),
    token: (id) => void heard.ids.push(id),
    rewound(kept) {
      heard.ids.length = kept
      heard.rewound.push(kept)
    },
    ended(problem) {
      heard.end = problem?.code ?? null
    },
  }
}

/** The same tokens by all layers in one place. */
export const tokensAlone = (
  source: ModelSource,
  prompt: readonly number[],
  count: number,
): number[] => {
  const desk = virtualModels((then) => then())
  const spec = {
    id: 'all',
    model: { ...source.manifest, publisher: '' as never },
    from: 0,
    to: VIRTUAL.layers,
  }
  desk.openStage(
    spec,
    source.read,
    () => undefined,
    () => undefined,
  )
  const tokens = [...prompt]
  for (let at = 0; tokens.length < prompt.length + count; at = tokens.length - 1) {
    const input = tokens.slice(at)
    const step = { stage: 'all', session: 'one', at, count: input.length, input, top: 0 }
    desk.stepStage(
      step,
      () => 1,
      (done) => {
        if (!done.ok) throw new Error(done.error.code)
        const logits = new Float32Array(done.value.output.buffer)
        tokens.push(logits.indexOf(Math.max(...logits)))
      },
    )
  }
  return tokens.slice(prompt.length)
}

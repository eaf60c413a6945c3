/** Talks with a model of noise, as benchmarks have them: only their times are of interest. */
import { createHash } from 'node:crypto'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { JobId } from '../../src/base/ids.ts'
import { manifestOf } from '../../src/models/manifest-of.ts'
import { randomModel, type RandomSizes } from '../../src/models/random-model.ts'
import { GREEDY } from '../../src/models/sampling.ts'
import type { ModelSource, SessionView } from '../../src/peer/models/session-view.ts'
import type { NodeHandle } from '../../src/peer/view.ts'
import type { PortError } from '../../src/ports.ts'
import { cidOf } from '../../src/wire/codec.ts'
import { merkleRoot } from '../../src/wire/merkle.ts'

export const noiseSource = (sizes: RandomSizes): Promise<Result<ModelSource, PortError>> =>
  manifestOf(randomModel(sizes, 7), {
    digest: async (bytes) => createHash('sha256').update(bytes).digest(),
    root: merkleRoot,
  })

export type Told = {
  /** Between tokens, in milliseconds. */
  readonly gaps: readonly number[]
  readonly beganAt: number
  readonly endedAt: number
  readonly view: SessionView
}

export type NoiseAsked = {
  readonly source: ModelSource
  readonly prompt: readonly number[]
  readonly tokens: number
  /** The first ones wait for what is compiled and measured; they do not count. */
  readonly warm: number
  readonly stages?: number
  readonly limitMs: number
}

let talks = 0

export const tell = (
  handle: NodeHandle,
  { source, prompt, tokens, warm, stages, limitMs }: NoiseAsked,
): Promise<Result<Told, PortError>> =>
  new Promise((resolve) => {
    const at: number[] = []
    const view = (): SessionView => handle.view().sessions.find((each) => each.id === id)!
    const timer = setTimeout(() => {
      handle.stopTalk(id)
      resolve(err({ code: 'too-slow', detail: `no end of a talk within ${limitMs} ms` }))
    }, limitMs)
    const id = handle.talk({
      source,
      job: cidOf({ v: 1, kind: 'bench-talk', number: ++talks }) as JobId,
      title: 'a measured talk',
      promptIds: prompt,
      tokens,
      sampling: GREEDY,
      seed: 0,
      ...(stages === undefined ? {} : { stages }),
      price: 1_000,
      prompted: () => undefined,
      token() {
        at.push(performance.now())
      },
      rewound: (kept) => void (at.length = kept),
      ended(problem) {
        clearTimeout(timer)
        if (problem) return resolve(err({ code: problem.code, detail: problem.text }))
        const times = at.slice(warm)
        const gaps = times.slice(1).map((time, i) => time - times[i]!)
        resolve(ok({ gaps, beganAt: times[0]!, endedAt: times.at(-1)!, view: view() }))
      },
    })
  })

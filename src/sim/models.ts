/**
 * The shelf and the stages of a virtual node: leaves in memory, and layers that do to rows what no model does,
 * but in which every weight, every token before and every layer counts, so that whatever is lost shows.
 */
import { err, ok } from '../base/result.ts'
import type { Cid } from '../base/ids.ts'
import { candidateBytes, likeliest } from '../core/candidates.ts'
import type { Desk } from '../peer/desk.ts'
import { blocksOf, leafNames } from '../wire/manifest.ts'
import type { StageSpec, StageStep } from '../ports.ts'

type ModelDesk = Pick<
  Desk,
  | 'openStage'
  | 'stepStage'
  | 'forgetStage'
  | 'closeStage'
  | 'hasLeaves'
  | 'readLeaf'
  | 'writeLeaf'
  | 'keepLeaves'
  | 'letGoLeaves'
>

/** `width` and `vocabulary` are all that the configuration of a virtual model has. */
export type VirtualConfig = { readonly width: number; readonly vocabulary: number }

/** What each block's weights come to. */
type Open = { readonly spec: StageSpec; readonly weights: ReadonlyMap<number, number> }

/** @param cheat changes what a liar answers */
export const virtualModels = (
  later: (then: () => void) => void,
  cheat: (step: StageStep, rows: Float32Array<ArrayBuffer>) => void = () => undefined,
): ModelDesk => {
  const leaves = new Map<Cid, Uint8Array<ArrayBuffer>>()
  const open = new Map<string, Open>()
  /** What each token has left behind in each layer, by stage and session. */
  const past = new Map<string, number[][]>()

  const openStage: ModelDesk['openStage'] = (spec, read, progress, then) => {
    const names = blocksOf(spec, spec.model).flatMap((block) =>
      leafNames(spec.model.blocks[block]!).map((name) => ({ block, name })),
    )
    const weights = new Map<number, number>()
    const next = (i: number): void => {
      if (i === names.length) {
        open.set(spec.id, { spec, weights })
        return later(() => then(ok(null)))
      }
      const { block, name } = names[i]!
      read(name, (leaf) => {
        if (!leaf.ok) return later(() => then(leaf))
        weights.set(block, (weights.get(block) ?? 0) + leaf.value[0]! / 255)
        progress(Math.floor((1_000 * (i + 1)) / names.length))
        next(i + 1)
      })
    }
    next(0)
  }

  const stepStage: ModelDesk['stepStage'] = (step, _share, then) => {
    const stage = open.get(step.stage)
    if (stage === undefined) return later(() => then(err({ code: 'no-stage', detail: step.stage })))
    const key = `${step.stage} ${step.session}`
    const before = (past.get(key) ?? []).slice(0, step.at)
    if (before.length < step.at)
      return later(() => then(err({ code: 'gap', detail: `${before.length} of ${step.at}` })))
    const rows = rowsOf(step, stage, before)
    past.set(key, before)
    cheat(step, rows)
    const isLast = stage.spec.to === stage.spec.model.blocks.length - 2
    const chosen = isLast && step.top > 0 ? candidateBytes(likeliest(rows, step.top)) : null
    const output = chosen ?? new Uint8Array(rows.buffer)
    later(() => then(ok({ output, computeMs: 1 })))
  }

  return {
    openStage,
    stepStage,
    forgetStage: (stage, session) => void past.delete(`${stage} ${session}`),
    closeStage: (stage) => void open.delete(stage),
    hasLeaves: (names, then) => later(() => then(ok(names.map((name) => leaves.has(name))))),
    readLeaf: (name, then) => later(() => then(ok(leaves.get(name) ?? null))),
    writeLeaf: (name, bytes, then) =>
      later(() => {
        leaves.set(name, bytes)
        then(ok(null))
      }),
    keepLeaves: () => undefined,
    letGoLeaves: () => undefined,
  }
}

/** Each token's row after the layers; what it leaves behind goes to `before`. */
const rowsOf = (
  { input, count }: StageStep,
  { spec, weights }: Open,
  before: number[][],
): Float32Array<ArrayBuffer> => {
  const { width, vocabulary } = JSON.parse(spec.model.config) as VirtualConfig
  const rows = new Float32Array(count * width)
  const given = input instanceof Uint8Array ? new Float32Array(input.slice().buffer) : null
  for (let t = 0; t < count; t++) {
    const row = rows.subarray(t * width, (t + 1) * width)
    row.forEach((_, i) => {
      row[i] = given?.[t * width + i] ?? Math.sin((input[t] as number) * (i + 1))
    })
    const left: number[] = []
    for (let layer = spec.from; layer < spec.to; layer++) {
      const memory = before.reduce((sum, token, i) => sum + token[layer - spec.from]! / (i + 2), 0)
      const bias = weights.get(layer + 1)! + layer + memory
      row.forEach((x, i) => {
        row[i] = Math.sin(1.7 * x + bias + i)
      })
      left.push(row.reduce((sum, x) => sum + x, 0))
    }
    before.push(left)
  }
  if (spec.to < spec.model.blocks.length - 2) return rows
  const last = rows.subarray((count - 1) * width)
  return Float32Array.from({ length: vocabulary }, (_, id) =>
    last.reduce((sum, x, i) => sum + x * Math.sin((id + 1) * (i + 1) * 1.3), 0),
  )
}

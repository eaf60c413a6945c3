/** The layers of a model over nodes, as squares: which stage holds which, and how far it is. */
import type { SessionView, StageView } from '../peer/models/session-view.ts'
import { nickname } from './nickname.ts'
import { chat as t } from './text/chat.ts'

export type Cell = {
  readonly layer: number
  /** Null while no node has been found for it. */
  readonly stage: StageView | null
}

export const cellsOf = (layers: number, stages: readonly StageView[]): readonly Cell[] =>
  Array.from({ length: layers }, (_, layer) => ({
    layer,
    stage: stages.find(({ from, to }) => from <= layer && layer < to) ?? null,
  }))

/** Colours repeat after these, letters do not. */
const COLOURS = 8

/** That of the first stage with the same node: layers that move take the colour of who takes them. */
export const colourOf = (stage: StageView, stages: readonly StageView[]): number => {
  const first = stages.find(({ node }) => node !== null && node === stage.node)
  return (first ?? stage).index % COLOURS
}

/** A, B ... Z, then A1, B1 ...: a stage is told by more than its colour. */
export const letterOf = (index: number): string =>
  String.fromCharCode(65 + (index % 26)) + (index < 26 ? '' : String(Math.floor(index / 26)))

export const holderOf = ({ node }: Pick<StageView, 'node'>): string =>
  node === null ? t.map.nobody : nickname(node)

/** Layers as a person counts them: from 1, both ends included. */
export const layersOf = ({ from, to }: Pick<StageView, 'from' | 'to'>): string =>
  t.map.layers(from + 1, to)

export const stateOf = ({ node, state }: Pick<StageView, 'node' | 'state'>): string =>
  node === null && state === 'calling' ? t.map.looking : t.map.states[state]

/** The whole map in one sentence, for whoever does not see it. */
export const mapWords = (layers: number, stages: readonly StageView[]): string => {
  if (stages.length === 0) return t.map.unassigned(layers)
  return stages
    .map((stage) => `${layersOf(stage)}: ${holderOf(stage)}, ${stateOf(stage)}`)
    .join('; ')
}

/** What became of a node that is gone, and who took over. */
export const recoveryWords = (session: SessionView, at: number): string => {
  const { lost, code, ms, replayed, stage: index } = session.recoveries[at]!
  const stage = session.stages[index]
  const token = replayed - session.promptTokens
  return t.recovery({
    lost: nickname(lost),
    why: t.whys[code] ?? t.whys['gone']!,
    token,
    layers: stage ? layersOf(stage) : null,
    to: stage && isLast(session, at) && stage.node !== null ? nickname(stage.node) : null,
    ms,
  })
}

/** Whether a stage has not been moved again since. */
const isLast = ({ recoveries }: SessionView, at: number): boolean =>
  !recoveries.slice(at + 1).some(({ stage }) => stage === recoveries[at]!.stage)

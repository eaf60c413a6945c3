/** What asking a language model would come to: its layers, what nodes would have to hold, and the price. */
import { blocksFor, stageBytes, STAGES_MAX } from '../src/core/plan/stages.ts'
import {
  addWork,
  billOf,
  costedModel,
  NO_WORK,
  stageWork,
  runBytes,
  tableBytes,
} from '../src/core/stage-cost.ts'
import { PRICE_MILLI_MAX } from '../src/core/price.ts'
import { mayShare } from '../src/models/license.ts'
import { blockParts } from '../src/models/llama/block-parts.ts'
import { configText } from '../src/models/llama/config-text.ts'
import { roomAfter } from '../src/models/read-prompt.ts'
import { answersFor } from '../src/models/sampling.ts'
import { splitLayers } from '../src/models/split-layers.ts'
import type { PreparedTalk } from './prepare-talk.ts'
import { credits, plural, span, table } from './terminal.ts'

/** Tokens that a price is told for. */
const PRICED = 100

export type TalkPlan = {
  readonly model: { readonly name: string; readonly license: string; readonly layers: number }
  readonly promptTokens: number
  /** New ones at most: as many as were asked for, or as the model has room for. */
  readonly tokens: number
  /** Bytes of weights: the first end, each layer, the last end. */
  readonly blocks: readonly number[]
  /** As they would be with as many equal nodes as were asked for. */
  readonly stages: readonly {
    readonly from: number
    readonly to: number
    readonly weightBytes: number
    readonly memoryBytes: number
  }[]
  readonly microCreditsPer100Tokens: number
}

/** @param nodes that there would be, where the spec leaves it open */
export const talkPlan = (
  { spec, model, promptIds }: PreparedTalk,
  nodes: number,
): TalkPlan | null => {
  const { config, parts, name, license } = model
  const text = configText(config)
  const blocks = blockParts(parts, config).map((block) => ({
    bytes: block.reduce((sum, { weight }) => sum + weight.to - weight.from, 0),
  }))
  const costed = text.ok ? costedModel({ config: text.value, blocks }) : null
  if (costed === null) return null
  const { layers, tied } = costed.shape
  const places = Math.min(config.context, promptIds.length + spec.tokens)
  const room = roomAfter(config.context, promptIds.length)
  const sizes = {
    blocks: blocks.map(({ bytes }) => bytes),
    tied,
    tableBytes: tableBytes(costed.shape, { from: 0, to: 1 }, places),
    runBytes: runBytes(costed.shape, { from: 0, to: layers }, places, false),
  }
  const ranges = splitLayers(layers, Math.min(STAGES_MAX, spec.stages || nodes))
  const answers = answersFor(spec.sampling, costed.shape.vocabulary, promptIds.length)
  const work = (range: (typeof ranges)[number]): number =>
    billOf(
      Array.from({ length: PRICED }, (_, i) =>
        stageWork(
          costed,
          { ...range, ...answers },
          { at: promptIds.length + i, count: 1, replay: false },
        ),
      ).reduce(addWork, NO_WORK),
      spec.budget === 0 ? 0 : PRICE_MILLI_MAX,
    )
  return {
    model: { name, license, layers },
    promptTokens: promptIds.length,
    tokens: Math.min(spec.tokens, room),
    blocks: sizes.blocks,
    stages: ranges.map(({ from, to }) => ({
      from,
      to,
      weightBytes: blocksFor(sizes, from, to).reduce((sum, block) => sum + sizes.blocks[block]!, 0),
      memoryBytes: stageBytes(sizes, from, to),
    })),
    microCreditsPer100Tokens: ranges.reduce((sum, range) => sum + work(range), 0),
  }
}

const size = (bytes: number): string =>
  bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`

export const talkPlanInWords = (plan: TalkPlan, isFree: boolean): string => {
  const { model, blocks, stages } = plan
  const inner = blocks.slice(1, -1)
  const [least, most] = [Math.min(...inner), Math.max(...inner)]
  const may = mayShare(model.license)
  const each = least === most ? size(most) : `${size(least)} to ${size(most)}`
  return [
    `${model.name}, license ${model.license || 'unknown'}`,
    ...(may.kind === 'ask' ? [`${may.why} --share says that you may pass it on.`] : []),
    `${model.layers} layers of ${each}; ${size(blocks[0]!)} before the first, ${size(blocks.at(-1)!)} after the last`,
    `${plural(plan.promptTokens, 'token')} of the prompt, ${plan.tokens} new at most`,
    '',
    `spread over ${plural(stages.length, 'equal node')}${stages.length === 1 ? '' : ', or fewer where that is faster'}:`,
    table(
      ['stage', 'layers', 'weights', 'with keys and values'],
      stages.map(({ from, to, weightBytes, memoryBytes }, i) => [
        String(i),
        span(from, to),
        size(weightBytes),
        size(memoryBytes),
      ]),
    ),
    '',
    isFree
      ? 'free; nothing was sent'
      : `${credits(plan.microCreditsPer100Tokens)} credits for ${PRICED} tokens; nothing was sent`,
  ].join('\n')
}

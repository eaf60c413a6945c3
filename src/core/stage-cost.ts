/**
 * What a stage of a model costs, by formula from shapes: requester, node and any auditor compute the same whole
 * numbers. For each feed: the products of its layers for its tokens, every weight once, the keys and values that
 * are looked at and written, and the rows that go in and out (docs/decisions/0013).
 */
import {
  bytes as byteCount,
  flop as flopCount,
  microCredits,
  type MicroCredits,
} from '../base/units.ts'
import { CANDIDATE_BYTES, CANDIDATES_MAX } from './candidates.ts'
import { meteredCost, PRICE_MILLI_MAX } from './price.ts'

/** What a model's configuration says of sizes. */
export type StageShape = {
  readonly layers: number
  readonly width: number
  readonly heads: number
  readonly keyHeads: number
  readonly headSize: number
  readonly inner: number
  readonly vocabulary: number
  readonly context: number
  /** Whether the table of the first block makes the logits, too. */
  readonly tied: boolean
}

/** Layers [from, to) of a model. */
export type StageRange = { readonly from: number; readonly to: number }

/** A model as far as its costs go: its sizes, and the bytes of its blocks, the two ends among them. */
export type CostedModel = {
  readonly shape: StageShape
  readonly blocks: readonly { readonly bytes: number }[]
}

/** What the last stage answers: how many of the likeliest tokens, or all logits where that is 0. */
export type StageAnswers = {
  readonly top: number
  /** To the feed that ends at this place all logits are answered all the same: a prompt's end. */
  readonly whole: number
}

export const ALL_LOGITS: StageAnswers = { top: 0, whole: 0 }

export type AskedStage = StageRange & StageAnswers

export type StageFeed = { readonly at: number; readonly count: number; readonly replay: boolean }

export type StageWork = {
  /** Operations; a multiply-add counts as two. */
  readonly flop: number
  /** Bytes read and written once per operand. */
  readonly moved: number
  /** Bytes sent to the stage and back. */
  readonly wire: number
}

/** Far above any model, and so low that the sums below stay whole. */
const SHAPE_MOST = {
  layers: 1_024,
  width: 2 ** 17,
  heads: 4_096,
  keyHeads: 4_096,
  headSize: 4_096,
  inner: 2 ** 20,
  vocabulary: 2 ** 22,
  context: 2 ** 27,
} as const

/** Feeds of one bill, and tokens of one feed, at most: what sums have to stay whole for. */
export const BILL_FEEDS = 32
export const FEED_TOKENS = 128
const NUMBER_BYTES = 4
/** Operations of one byte, as prices count them, and some room. */
const PER_BYTE = 32

/** What a manifest says of costs; null where its configuration lacks a size, or makes no model that there is. */
export const costedModel = ({
  config,
  blocks,
}: {
  readonly config: string
  readonly blocks: CostedModel['blocks']
}): CostedModel | null => {
  const shape = readShape(config)
  if (shape === null || blocks.length !== shape.layers + 2) return null
  const model = { shape, blocks }
  const feed = { at: shape.context, count: FEED_TOKENS, replay: false }
  const all = { from: 0, to: shape.layers, top: CANDIDATES_MAX, whole: 0 }
  const { flop, moved } = stageWork(model, all, feed)
  return BILL_FEEDS * Math.max(flop, PER_BYTE * moved) <= Number.MAX_SAFE_INTEGER ? model : null
}

const readShape = (config: string): StageShape | null => {
  let json: unknown
  try {
    json = JSON.parse(config)
  } catch {
    return null
  }
  if (typeof json !== 'object' || json === null) return null
  const found = json as Readonly<Record<string, unknown>>
  const isSize = ([name, most]: [string, number]): boolean => {
    const size = found[name]
    return Number.isSafeInteger(size) && (size as number) >= 1 && (size as number) <= most
  }
  if (!Object.entries(SHAPE_MOST).every(isSize)) return null
  const size = (name: keyof typeof SHAPE_MOST): number => found[name] as number
  return {
    layers: size('layers'),
    width: size('width'),
    heads: size('heads'),
    keyHeads: size('keyHeads'),
    headSize: size('headSize'),
    inner: size('inner'),
    vocabulary: size('vocabulary'),
    context: size('context'),
    tied: found['tied'] === true,
  }
}

/** What one feed makes a stage do. */
export const stageWork = (
  { shape, blocks }: CostedModel,
  stage: AskedStage,
  { at, count, replay }: StageFeed,
): StageWork => {
  const { from, to } = stage
  const { width, headSize, inner, vocabulary, layers } = shape
  const [query, key] = [shape.heads * headSize, shape.keyHeads * headSize]
  const isLast = to === layers
  // Queries, keys, values and what becomes of them; then gate, up and down.
  const products = 2 * width * (2 * query + 2 * key) + 6 * width * inner
  // A token looks at itself and at all before it: a product with each key, and one with each value.
  const looks = count * at + (count * (count + 1)) / 2
  const chosenAmong = isLast && topOf(stage, { at, count }) > 0 ? vocabulary : 0
  const logits = isLast ? 2 * width * vocabulary + chosenAmong : 0
  const flop = (to - from) * (count * products + 4 * query * looks) + logits
  const into = from === 0 ? 4 * count : 4 * count * width
  const out = answerBytes(shape, stage, { at, count })
  const table = from === 0 ? 4 * count * width : 0
  // All that are there are read, and those of the feed are written.
  const remembered = (to - from) * 2 * key * 4 * (at + 2 * count)
  const weights = weightBytes({ shape, blocks }, { from, to })
  const moved = weights + table + remembered + into + 4 * chosenAmong + out
  return { flop, moved, wire: into + (replay ? 0 : out) }
}

type Places = Pick<StageFeed, 'at' | 'count'>

/** How many of the likeliest tokens the last stage answers to a feed; 0 for all logits. */
export const topOf = ({ top, whole }: StageAnswers, { at, count }: Places): number =>
  at + count === whole ? 0 : top

/** Rows of f32, or logits, or the likeliest tokens, of what is not only replayed. */
export const answerBytes = (
  { layers, width, vocabulary }: Pick<StageShape, 'layers' | 'width' | 'vocabulary'>,
  stage: AskedStage,
  feed: Places,
): number => {
  if (stage.to < layers) return 4 * feed.count * width
  const top = topOf(stage, feed)
  return top > 0 ? CANDIDATE_BYTES * top : 4 * vocabulary
}

/** Every weight that a stage multiplies with, as it travels. Of the table of tokens only some rows are read. */
const weightBytes = ({ shape, blocks }: CostedModel, { from, to }: StageRange): number => {
  const own = blocks.slice(from + 1, to + 1).reduce((sum, { bytes }) => sum + bytes, 0)
  if (to < shape.layers) return own
  return own + (blocks.at(-1)?.bytes ?? 0) + (shape.tied ? (blocks[0]?.bytes ?? 0) : 0)
}

/** What it takes to have the weights where runs read them, which is charged where it is for nothing. */
export const loadWork = (model: CostedModel, range: StageRange): StageWork => ({
  flop: 0,
  moved: weightBytes(model, range),
  wire: 0,
})

export const NO_WORK: StageWork = { flop: 0, moved: 0, wire: 0 }

export const addWork = (a: StageWork, b: StageWork): StageWork => ({
  flop: a.flop + b.flop,
  moved: a.moved + b.moved,
  wire: a.wire + b.wire,
})

/** What is left of some work when a part of it is taken away. */
export const lessWork = (all: StageWork, part: StageWork): StageWork => ({
  flop: all.flop - part.flop,
  moved: all.moved - part.moved,
  wire: all.wire - part.wire,
})

/** The metered cost of some feeds together. */
export const costOfWork = ({ flop, moved, wire }: StageWork): MicroCredits =>
  meteredCost({
    flop: flopCount(flop),
    bytes: byteCount(moved),
    wireBytes: byteCount(wire),
    // Feeds of one token would cost more than they are worth, were each of them a dispatch.
    dispatches: 1,
  })

/** What a bill for it says. @param price thousandths of the metered cost */
export const billOf = (work: StageWork, price: number): MicroCredits => {
  const cost = costOfWork(work) * price
  const rest = cost % PRICE_MILLI_MAX
  return microCredits((cost - rest) / PRICE_MILLI_MAX + (rest > 0 ? 1 : 0))
}

/** Tokens of one run are padded to one of these: each is a program of its own (src/models/stage-programs.ts). */
export const RUN_SIZES = [1, 16, 64, FEED_TOKENS] as const

/**
 * Talks that have one token each in one run, where they wait at the same time: of more a kernel would have more sums than
 * registers (kernels/tensor/templates/matmul-row.ts). Each is a program of its own, too.
 */
export const TALK_SIZES = [2, 3, 4] as const
/** For tables of one size. */
export const PROGRAMS = RUN_SIZES.length + TALK_SIZES.length

/** The first tables have room for a short talk. */
const LEAST_PLACES = 256

/** Tables double until so many places fit, and what the last run pads a full context with. */
export const capacityFor = (
  { context }: Pick<StageShape, 'context'>,
  places: number,
  before = 0,
): number => {
  let capacity = Math.max(LEAST_PLACES, before)
  while (capacity < places) capacity *= 2
  return Math.min(capacity, context + FEED_TOKENS)
}

/**
 * Bytes of what runs make of tokens between a stage's weights: a model with few weights can be made to take gigabytes
 * there. On a GPU each program has memory of its own. On a processor one run at a time takes some, here and in
 * WebAssembly: its rows and logits, the tables of one layer as a prompt reads them, and all its looks; and programs have
 * tables of turns.
 */
export const runBytes = (
  shape: StageShape,
  { from, to }: StageRange,
  places: number,
  onProcessor: boolean,
): number => {
  const { width, heads, keyHeads, headSize, inner, vocabulary, layers } = shape
  const row = 2 * width + (2 * heads + 2 * keyHeads) * headSize + 3 * inner
  const logits = to === layers ? vocabulary : 0
  if (!onProcessor) {
    const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0)
    const [rows, talks] = [sum(RUN_SIZES), sum(TALK_SIZES)]
    return NUMBER_BYTES * ((rows + talks) * row + (RUN_SIZES.length + talks) * logits)
  }
  const capacity = capacityFor(shape, places + FEED_TOKENS)
  const tables = 2 * keyHeads * headSize * capacity
  const looks = heads * FEED_TOKENS * capacity
  const turns = (to - from) * PROGRAMS * headSize * capacity
  return NUMBER_BYTES * (2 * (FEED_TOKENS * row + logits + tables) + looks + turns)
}

/** Bytes of the keys and values of one session that may become so long. */
export const tableBytes = (shape: StageShape, { from, to }: StageRange, places: number): number => {
  const { keyHeads, headSize } = shape
  const capacity = capacityFor(shape, places + FEED_TOKENS)
  return NUMBER_BYTES * (to - from) * 2 * keyHeads * headSize * capacity
}

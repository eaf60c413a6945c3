/**
 * Which node gets which layers of a model: consecutive ranges, in an order in which those come first who hold
 * early layers already, so that the slowest stage is as fast as it can be and nobody gets more than fits.
 */
import { err, ok, type Result } from '../../base/result.ts'
import type { Did } from '../../base/ids.ts'

export type StageCandidate = {
  readonly node: Did
  /** Bytes that it would take. */
  readonly room: number
  /** Micro-credits of metered cost a second; 0 = not known. */
  readonly speed: number
  /** Which blocks of the model it holds: the first end, the layers, the last end. */
  readonly holds: readonly boolean[]
}

export type ModelSize = {
  /** Bytes of the first end, of each layer, and of the last end. */
  readonly blocks: readonly number[]
  /** The last stage needs the first block, too. */
  readonly tied: boolean
  /** Bytes of keys and values of one layer. */
  readonly tableBytes: number
  /** Bytes of what a run makes on its way through a stage. */
  readonly runBytes: number
}

export type StageRange = { readonly node: Did; readonly from: number; readonly to: number }

export type NoRoom = {
  readonly code: 'no-room'
  /** Bytes that all would need, and that there are. */
  readonly needed: number
  readonly room: number
  /** The layer that needs most by itself, from 0, and what it needs. */
  readonly layer: number
  readonly largest: number
  /** The most that one node lends. */
  readonly roomiest: number
}

/** Nodes that one model is spread over at most: each is a hop for every token. */
export const STAGES_MAX = 32
/** As many where a model fits on fewer. */
const STAGES_USUAL = 8

/** Some tokens' worth of time: bytes that are there already are preferred, but not at any price. */
const TOKENS_PLANNED = 256
const FETCH_BYTES_PER_SECOND = 10_000_000
/** 1 micro-credit pays for 50 kB read (core/price.ts), and a token reads every weight once. */
const BYTES_PER_MICRO = 50_000

/** Blocks that a stage with layers [from, to) needs. */
export const blocksFor = (
  { blocks, tied }: Pick<ModelSize, 'blocks' | 'tied'>,
  from: number,
  to: number,
): readonly number[] => {
  const layers = blocks.length - 2
  const isLast = to === layers
  const own = Array.from({ length: to - from }, (_, i) => from + 1 + i)
  const first = from === 0 || (isLast && tied) ? [0] : []
  return [...first, ...own, ...(isLast ? [layers + 1] : [])]
}

export const stageBytes = (model: ModelSize, from: number, to: number): number =>
  bytesWithin(model, model.blocks)(from, to) + (to - from) * model.tableBytes + model.runBytes

/** @param wanted so many nodes, or as many as there are room for; as many as make it faster if absent */
export const planStages = (
  model: ModelSize,
  candidates: readonly StageCandidate[],
  wanted?: number,
): Result<readonly StageRange[], NoRoom> => {
  const usual = usualSpeed(candidates)
  const bySpeed = candidates.toSorted(
    (a, b) => (b.speed || usual) - (a.speed || usual) || b.room - a.room,
  )
  const byRoom = candidates.toSorted((a, b) => b.room - a.room)
  const counts = wanted === undefined ? [STAGES_USUAL, STAGES_MAX] : [Math.min(wanted, STAGES_MAX)]
  for (const count of counts) {
    const orders = [bySpeed.slice(0, count), roomyEnds(byRoom.slice(0, count))]
    for (const mayLeaveOut of wanted === undefined ? [true] : [false, true])
      for (const order of orders) {
        const ranges = divide(model, inOrder(order), { usual, mayLeaveOut })
        if (ranges !== null) return ok(ranges)
      }
  }
  return err(noRoom(model, byRoom.slice(0, counts.at(-1))))
}

/** One node for a range that another has left. */
export const planReplacement = (
  model: ModelSize,
  { from, to }: Pick<StageRange, 'from' | 'to'>,
  candidates: readonly StageCandidate[],
): Did | null => {
  const usual = usualSpeed(candidates)
  const able = candidates.filter(({ room }) => room >= stageBytes(model, from, to))
  const cost = (candidate: StageCandidate): number => secondsOn(model, candidate, usual)(from, to)
  return able.toSorted((a, b) => cost(a) - cost(b))[0]?.node ?? null
}

const noRoom = (model: ModelSize, candidates: readonly StageCandidate[]): NoRoom => {
  const layers = model.blocks.length - 2
  const each = Array.from({ length: layers }, (_, i) => stageBytes(model, i, i + 1))
  const largest = Math.max(...each)
  return {
    code: 'no-room',
    needed: stageBytes(model, 0, layers),
    room: candidates.reduce((sum, { room }) => sum + room, 0),
    layer: each.indexOf(largest),
    largest,
    roomiest: Math.max(0, ...candidates.map(({ room }) => room)),
  }
}

const usualSpeed = (candidates: readonly StageCandidate[]): number => {
  const known = candidates.map(({ speed }) => speed).filter((speed) => speed > 0)
  return known.toSorted((a, b) => a - b)[known.length >> 1] ?? 1
}

/** What is at both ends of a model is large: the table of lookups, and what makes logits. */
const roomyEnds = (byRoom: readonly StageCandidate[]): readonly StageCandidate[] => [
  ...byRoom.slice(1),
  ...byRoom.slice(0, 1),
]

/** Who holds early layers comes early; who holds none has no wish, and comes last. */
const inOrder = (nodes: readonly StageCandidate[]): readonly StageCandidate[] => {
  const middle = ({ holds }: StageCandidate): number => {
    const held = holds.flatMap((is, i) => (is ? [i] : []))
    return held.length === 0 ? Infinity : held.reduce((sum, i) => sum + i, 0) / held.length
  }
  const known = nodes.map((node) => ({ node, at: middle(node) }))
  return known.toSorted((a, b) => (a.at === b.at ? 0 : a.at - b.at)).map(({ node }) => node)
}

/** Bytes of what a stage with layers [from, to) needs, by the bytes of each block. */
const bytesWithin = (
  { tied }: Pick<ModelSize, 'tied'>,
  blocks: readonly number[],
): ((from: number, to: number) => number) => {
  const layers = blocks.length - 2
  const before = [0]
  for (const bytes of blocks.slice(1, -1)) before.push(before.at(-1)! + bytes)
  return (from, to) => {
    const isLast = to === layers
    const first = from === 0 || (isLast && tied) ? blocks[0]! : 0
    return first + before[to]! - before[from]! + (isLast ? blocks[layers + 1]! : 0)
  }
}

/** For so many tokens: reading the weights each time, and bringing once what is not there. */
const secondsOn = (
  model: ModelSize,
  { speed, holds }: StageCandidate,
  usual: number,
): ((from: number, to: number) => number) => {
  const read = bytesWithin(model, model.blocks)
  const missing = bytesWithin(
    model,
    model.blocks.map((bytes, block) => (holds[block] === true ? 0 : bytes)),
  )
  const perByte = TOKENS_PLANNED / BYTES_PER_MICRO / (speed || usual)
  return (from, to) => read(from, to) * perByte + missing(from, to) / FETCH_BYTES_PER_SECOND
}

/** The slowest of them is as fast as can be: by how many layers the first nodes can take, one node more each time. */
const divide = (
  model: ModelSize,
  nodes: readonly StageCandidate[],
  { usual, mayLeaveOut }: { readonly usual: number; readonly mayLeaveOut: boolean },
): readonly StageRange[] | null => {
  const layers = model.blocks.length - 2
  const bytes = bytesWithin(model, model.blocks)
  const best = [
    Array.from({ length: layers + 1 }, (_, to) => ({ seconds: to === 0 ? 0 : Infinity, from: 0 })),
  ]
  nodes.forEach((node, i) => {
    const before = best[i]!
    const seconds = secondsOn(model, node, usual)
    best.push(
      before.map((without, to) => {
        let found = { seconds: mayLeaveOut ? without.seconds : Infinity, from: to }
        for (let from = to - 1; from >= 0; from--) {
          if (bytes(from, to) + (to - from) * model.tableBytes + model.runBytes > node.room) break
          const slowest = Math.max(before[from]!.seconds, seconds(from, to))
          if (slowest < found.seconds) found = { seconds: slowest, from }
        }
        return found
      }),
    )
  })
  if (best.at(-1)![layers]!.seconds === Infinity) return null
  const ranges: StageRange[] = []
  for (let i = nodes.length, to = layers; i > 0; i--) {
    const { from } = best[i]![to]!
    if (from < to) ranges.unshift({ node: nodes[i - 1]!.node, from, to })
    to = from
  }
  return ranges
}

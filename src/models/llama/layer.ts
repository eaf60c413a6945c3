/**
 * One layer: attention over the tokens before, then the gated feed-forward part, each added to what came in. Where
 * several talks have their tokens in one run, each looks back over its own tables, and all else is done with the rows
 * of all of them at once.
 */
import { linear } from '../linear.ts'
import type { ValueId } from '../../../kernels/tensor/graph.ts'
import type { Tensor } from '../../../kernels/tensor/tensor.ts'
import type { GraphWriter } from '../graph-writer.ts'
import type { LlamaConfig } from './config.ts'
import type { LayerTensors } from './range-tensors.ts'

export type LayerContext = {
  readonly write: GraphWriter
  readonly config: LlamaConfig
  /** Tokens of each talk. */
  readonly fresh: number
  readonly talks: readonly TalkPlaces[]
  readonly cos: ValueId
  readonly sin: ValueId
}

/** Where one talk is. */
export type TalkPlaces = {
  /** Tokens before [1], and with the fresh ones [1]. */
  readonly past: ValueId
  readonly length: ValueId
  /** Of the fresh tokens [1, fresh]. */
  readonly places: ValueId
}

/** Of one talk. */
export type Tables = readonly [keys: ValueId, values: ValueId]

type Made = { readonly hidden: ValueId; readonly tables: readonly Tables[] }

/** @param row which of the fresh tokens anything is asked of behind the layer [1]; null for all of them */
export const writeLayer = (
  context: LayerContext,
  layer: LayerTensors,
  hidden: ValueId,
  before: readonly Tables[],
  row: ValueId | null,
): Made => {
  const { write, config, talks } = context
  const { heads, keyHeads, headSize } = config
  const pick = (x: ValueId): ValueId => (row === null ? x : write.node('Gather', [x, row]))
  const input = norm(context, hidden, layer.attentionNorm)
  const projected = projections(context, layer, input)
  // Behind the products: a processor has what is done row by row up to here as one model for all sizes of run.
  const asked = row === null ? context : alone(context, row)
  const q = turned(asked, apart(asked, pick(projected[0]!), heads, layer.qNorm))
  const k = turned(context, apart(context, projected[1]!, keyHeads, layer.kNorm))
  const v = byTalk(context, apart(context, projected[2]!, keyHeads, null))
  const keep = (cache: ValueId, next: ValueId, { past }: TalkPlaces): ValueId =>
    write.node('TensorScatter', [cache, next, past], { axis: 2 })
  const tables = talks.map((talk, i): Tables => {
    const [keys, values] = before[i]!
    return [keep(keys, k[i]!, talk), keep(values, v[i]!, talk)]
  })
  const seen = asked.talks.map(({ length }, i) =>
    write.node('Attention', [q[i]!, ...tables[i]!, null, null, null, length], { is_causal: 1 }),
  )
  const all = seen.length === 1 ? seen[0]! : write.node('Concat', seen, { axis: 0 })
  const rows = write.node('Transpose', [all], { perm: [0, 2, 1, 3] })
  const sizes = [talks.length * asked.fresh, heads * headSize]
  const flat = write.node('Reshape', [rows, write.whole('flat', sizes)])
  const attended = write.node('Add', [pick(hidden), linear(write, flat, layer.o, layer.oBias)])
  return { hidden: write.node('Add', [attended, inner(asked, layer, attended)]), tables }
}

/** As if a fresh token of each talk were the only one, and those before it had been there. */
const alone = (context: LayerContext, row: ValueId): LayerContext => {
  const { write, talks } = context
  const behind = write.node('Add', [row, write.whole('one', [1])])
  const last = talks.map(({ past, places }) => ({
    past,
    length: write.node('Add', [past, behind]),
    places: write.node('Gather', [places, row], { axis: 1 }),
  }))
  return { ...context, fresh: 1, talks: last }
}

/** Queries, keys and values: of one product where their weights are one matrix. */
const projections = (
  { write, config }: LayerContext,
  { qkv }: LayerTensors,
  x: ValueId,
): readonly ValueId[] => {
  const all = qkv.map(({ weight, bias }) => linear(write, x, weight, bias))
  if (all.length > 1) return all
  const { heads, keyHeads, headSize } = config
  let from = 0
  return [heads, keyHeads, keyHeads].map((some) => {
    const begin = from
    from += some * headSize
    return write.slice(all[0]!, 1, [begin, from])
  })
}

const norm = ({ write, config }: LayerContext, x: ValueId, scale: Tensor): ValueId =>
  write.node('RMSNormalization', [x, write.constant('scale', scale)], { epsilon: config.epsilon })

/** [talks, heads, fresh, size], each head by itself in its norm. */
const apart = (context: LayerContext, x: ValueId, heads: number, scale: Tensor | null): ValueId => {
  const { write, config, fresh, talks } = context
  const sizes = [talks.length, fresh, heads, config.headSize]
  const split = write.node('Reshape', [x, write.whole('split', sizes)])
  const each = scale === null ? split : norm(context, split, scale)
  return write.node('Transpose', [each], { perm: [0, 2, 1, 3] })
}

/** [1, heads, fresh, size] of each talk. */
const byTalk = ({ write, talks }: LayerContext, x: ValueId): readonly ValueId[] =>
  talks.length === 1 ? [x] : talks.map((_, i) => write.slice(x, 0, [i, i + 1]))

/** The same, turned: after they were taken apart, so that whoever reads them can turn them on the way. */
const turned = (context: LayerContext, x: ValueId): readonly ValueId[] => {
  const { write, config, talks, cos, sin } = context
  const { turned: some, interleaved } = config.rope
  return byTalk(context, x).map((own, i) =>
    write.node('RotaryEmbedding', [own, cos, sin, talks[i]!.places], {
      interleaved: interleaved ? 1 : 0,
      ...(some === config.headSize ? {} : { rotary_embedding_dim: some }),
    }),
  )
}

const inner = (context: LayerContext, layer: LayerTensors, x: ValueId): ValueId => {
  const { write } = context
  const input = norm(context, x, layer.innerNorm)
  const gate = write.node('Swish', [linear(write, input, layer.gate, layer.gateBias)])
  const up = linear(write, input, layer.up, layer.upBias)
  const both = write.node('Mul', [gate, up])
  return linear(write, both, layer.down, layer.downBias)
}

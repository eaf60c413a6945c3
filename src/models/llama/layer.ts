/** One layer: attention over the tokens before, then the gated feed-forward part, each added to what came in. */
import { linear } from '../linear.ts'
import type { ValueId } from '../../../kernels/tensor/graph.ts'
import type { Tensor } from '../../../kernels/tensor/tensor.ts'
import type { GraphWriter } from '../graph-writer.ts'
import type { LlamaConfig } from './config.ts'
import type { LayerTensors } from './range-tensors.ts'

export type LayerContext = {
  readonly write: GraphWriter
  readonly config: LlamaConfig
  readonly fresh: number
  /** Tokens before [1], and with the fresh ones [1]. */
  readonly past: ValueId
  readonly length: ValueId
  /** Of the fresh tokens [1, fresh]. */
  readonly places: ValueId
  readonly cos: ValueId
  readonly sin: ValueId
}

type Made = { readonly hidden: ValueId; readonly keys: ValueId; readonly values: ValueId }

/** @param row which of the fresh tokens anything is asked of behind the layer [1]; null for all of them */
export const writeLayer = (
  context: LayerContext,
  layer: LayerTensors,
  hidden: ValueId,
  before: readonly [keys: ValueId, values: ValueId],
  row: ValueId | null,
): Made => {
  const { write, config } = context
  const { heads, keyHeads, headSize } = config
  const pick = (x: ValueId): ValueId => (row === null ? x : write.node('Gather', [x, row]))
  const input = norm(context, hidden, layer.attentionNorm)
  const projected = projections(context, layer, input)
  // Behind the products: a processor has what is done row by row up to here as one model for all sizes of run.
  const asked = row === null ? context : alone(context, row)
  const q = turned(asked, apart(asked, pick(projected[0]!), heads, layer.qNorm))
  const k = turned(context, apart(context, projected[1]!, keyHeads, layer.kNorm))
  const v = apart(context, projected[2]!, keyHeads, null)
  const keep = (cache: ValueId, next: ValueId): ValueId =>
    write.node('TensorScatter', [cache, next, context.past], { axis: 2 })
  const [keys, values] = [keep(before[0], k), keep(before[1], v)]
  const seen = write.node('Attention', [q, keys, values, null, null, null, asked.length], {
    is_causal: 1,
  })
  const rows = write.node('Transpose', [seen], { perm: [0, 2, 1, 3] })
  const flat = write.node('Reshape', [rows, write.whole('flat', [asked.fresh, heads * headSize])])
  const attended = write.node('Add', [pick(hidden), linear(write, flat, layer.o, layer.oBias)])
  return { hidden: write.node('Add', [attended, inner(asked, layer, attended)]), keys, values }
}

/** As if a fresh token were the only one, and those before it had been there. */
const alone = (context: LayerContext, row: ValueId): LayerContext => {
  const { write, past, places } = context
  const behind = write.node('Add', [row, write.whole('one', [1])])
  return {
    ...context,
    fresh: 1,
    length: write.node('Add', [past, behind]),
    places: write.node('Gather', [places, row], { axis: 1 }),
  }
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
    const begin = write.whole('begin', [from])
    from += some * headSize
    const ends = [write.whole('end', [from]), write.whole('columns', [1])]
    return write.node('Slice', [all[0]!, begin, ...ends])
  })
}

const norm = ({ write, config }: LayerContext, x: ValueId, scale: Tensor): ValueId =>
  write.node('RMSNormalization', [x, write.constant('scale', scale)], { epsilon: config.epsilon })

/** [1, heads, fresh, size], each head by itself in its norm. */
const apart = (context: LayerContext, x: ValueId, heads: number, scale: Tensor | null): ValueId => {
  const { write, config, fresh } = context
  const split = write.node('Reshape', [x, write.whole('split', [1, fresh, heads, config.headSize])])
  const each = scale === null ? split : norm(context, split, scale)
  return write.node('Transpose', [each], { perm: [0, 2, 1, 3] })
}

const turned = ({ write, config, places, cos, sin }: LayerContext, x: ValueId): ValueId => {
  const { turned: some, interleaved } = config.rope
  return write.node('RotaryEmbedding', [x, cos, sin, places], {
    interleaved: interleaved ? 1 : 0,
    ...(some === config.headSize ? {} : { rotary_embedding_dim: some }),
  })
}

const inner = (context: LayerContext, layer: LayerTensors, x: ValueId): ValueId => {
  const { write } = context
  const input = norm(context, x, layer.innerNorm)
  const gate = write.node('Swish', [linear(write, input, layer.gate, layer.gateBias)])
  const up = linear(write, input, layer.up, layer.upBias)
  const both = write.node('Mul', [gate, up])
  return linear(write, both, layer.down, layer.downBias)
}

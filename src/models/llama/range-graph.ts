/**
 * Some consecutive layers of a model as a tensor graph: `fresh` tokens in, and the keys and values of those
 * before in tables of a fixed size, so that one graph serves every length. What lies behind the tokens that are
 * there is never looked at.
 */
import { GraphWriter } from '../graph-writer.ts'
import { linear } from '../linear.ts'
import { writeLayer } from './layer.ts'
import type { Graph, ValueId } from '../../../kernels/tensor/graph.ts'
import type { TensorType } from '../../../kernels/tensor/tensor.ts'
import type { StateIds } from '../../../kernels/tensor/bound.ts'
import type { ropeTables } from './rope.ts'
import type { LlamaConfig } from './config.ts'
import type { LayerRange, RangeTensors } from './range-tensors.ts'

export type RangeSize = {
  /** Tokens in one run, padding among them. */
  readonly fresh: number
  /** Tokens that the tables have room for. */
  readonly capacity: number
  /** How many of the likeliest tokens the last range answers; 0 for all logits. */
  readonly top: number
  /** For as many places. */
  readonly rope: ReturnType<typeof ropeTables>
}

/**
 * Inputs: token ids [fresh] or numbers [fresh, width]; how many tokens came before [1]; for the last range which
 * of the fresh ones the logits are of [1]; tables of keys and of values of each layer. Outputs: numbers
 * [fresh, width] or logits [1, vocabulary], of which there may be only the largest [1, top] and their tokens
 * [1, top], and the tables again.
 */
export type RangeGraph = {
  readonly graph: Graph
  readonly inputs: readonly TensorType[]
  /** The tables, which the engine keeps. */
  readonly states: readonly StateIds[]
}

export const rangeGraph = (
  config: LlamaConfig,
  { range, tensors }: { readonly range: LayerRange; readonly tensors: RangeTensors },
  { fresh, capacity, top, rope: { cos, sin } }: RangeSize,
): RangeGraph => {
  const write = new GraphWriter()
  const types: TensorType[] = []
  const input = (name: string, element: TensorType['element'], shape: number[]): ValueId => {
    types.push({ element, shape })
    return write.input(name)
  }
  const { embedding, output } = tensors
  const begin =
    embedding === null
      ? input('hidden', 'f32', [fresh, config.width])
      : write.node('Gather', [
          write.constant('embedding', embedding),
          input('tokens', 'i64', [fresh]),
        ])
  const past = input('past', 'i64', [1])
  const last = output === null ? null : input('last', 'i64', [1])
  const places = write.node('Add', [
    past,
    write.whole(
      'order',
      Array.from({ length: fresh }, (_, i) => i),
    ),
  ])
  const context = {
    write,
    config,
    fresh,
    past,
    length: write.node('Add', [past, write.whole('fresh', [fresh])]),
    places: write.node('Reshape', [places, write.whole('row', [1, fresh])]),
    cos: write.constant('cos', cos),
    sin: write.constant('sin', sin),
  }
  const cache = [1, config.keyHeads, capacity, config.headSize]
  const states: StateIds[] = []
  let hidden = begin
  for (const [i, layer] of tensors.layers.entries()) {
    const at = range.from + i
    const row = fresh > 1 && i === tensors.layers.length - 1 ? last : null
    const before = [input(`keys ${at}`, 'f32', cache), input(`values ${at}`, 'f32', cache)] as const
    const made = writeLayer(context, layer, hidden, before, row)
    hidden = made.hidden
    states.push({ input: before[0], output: made.keys }, { input: before[1], output: made.values })
  }
  const caches = states.map((state) => state.output)
  if (output === null || last === null)
    return { graph: write.graph([hidden, ...caches]), inputs: types, states }
  const norm = write.node('RMSNormalization', [hidden, write.constant('norm', output.norm)], {
    epsilon: config.epsilon,
  })
  const logits = linear(write, norm, output.weight, null)
  const answers =
    top === 0
      ? [logits]
      : write.nodes('TopK', [logits, write.whole('top', [top])], ['logits', 'ids'])
  return { graph: write.graph([...answers, ...caches]), inputs: types, states }
}

/**
 * Some consecutive layers of a model as a tensor graph: `fresh` tokens of each of `talks` in, and the keys and values
 * of those before in tables of a fixed size, so that one graph serves every length. What lies behind the tokens that
 * are there is never looked at.
 */
import { GraphWriter } from '../graph-writer.ts'
import { linear } from '../linear.ts'
import { writeLayer, type Tables, type TalkPlaces } from './layer.ts'
import type { Graph, ValueId } from '../../../kernels/tensor/graph.ts'
import type { TensorType } from '../../../kernels/tensor/tensor.ts'
import type { StateIds } from '../../../kernels/tensor/bound.ts'
import type { ropeTables } from './rope.ts'
import type { LlamaConfig } from './config.ts'
import type { LayerRange, RangeTensors } from './range-tensors.ts'

export type RangeSize = {
  /** Whose tokens are in one run, each with tables of their own; one token each where they are several. */
  readonly talks: number
  /** Tokens of each, padding among them. */
  readonly fresh: number
  /** Tokens that the tables have room for. */
  readonly capacity: number
  /** How many of the likeliest tokens the last range answers; 0 for all logits. */
  readonly top: number
  /** For as many places. */
  readonly rope: ReturnType<typeof ropeTables>
}

/**
 * Inputs: token ids [rows] or numbers [rows, width] of the fresh tokens of all talks; how many tokens came before in
 * each [talks]; for the last range, where they are several of one talk, which of them the logits are of [1]; tables
 * of keys and of values of each layer, for each talk. Outputs: numbers [rows, width] or logits [talks, vocabulary], of
 * which there may be only the largest [talks, top] and their tokens [talks, top], and the tables again.
 */
export type RangeGraph = {
  readonly graph: Graph
  readonly inputs: readonly TensorType[]
  /** The tables, which the engine keeps: of one talk after the other. */
  readonly states: readonly StateIds[]
}

export const rangeGraph = (
  config: LlamaConfig,
  { range, tensors }: { readonly range: LayerRange; readonly tensors: RangeTensors },
  { talks, fresh, capacity, top, rope: { cos, sin } }: RangeSize,
): RangeGraph => {
  const write = new GraphWriter()
  const types: TensorType[] = []
  const input = (name: string, element: TensorType['element'], shape: number[]): ValueId => {
    types.push({ element, shape })
    return write.input(name)
  }
  const { embedding, output } = tensors
  const rows = talks * fresh
  const begin =
    embedding === null
      ? input('hidden', 'f32', [rows, config.width])
      : write.node('Gather', [
          write.constant('embedding', embedding),
          input('tokens', 'i64', [rows]),
        ])
  const past = input('past', 'i64', [talks])
  const last = output === null || fresh === 1 ? null : input('last', 'i64', [1])
  const context = {
    ...{ write, config, fresh },
    talks: placesOf(write, past, { talks, fresh }),
    cos: write.constant('cos', cos),
    sin: write.constant('sin', sin),
  }
  const cache = [1, config.keyHeads, capacity, config.headSize]
  const states = context.talks.map((): StateIds[] => [])
  let hidden = begin
  for (const [i, layer] of tensors.layers.entries()) {
    const at = range.from + i
    const before = states.map((): Tables => {
      return [input(`keys ${at}`, 'f32', cache), input(`values ${at}`, 'f32', cache)]
    })
    const row = i === tensors.layers.length - 1 ? last : null
    const made = writeLayer(context, layer, hidden, before, row)
    hidden = made.hidden
    for (const [talk, own] of states.entries())
      own.push(...before[talk]!.map((id, n) => ({ input: id, output: made.tables[talk]![n]! })))
  }
  const all = states.flat()
  const caches = all.map((state) => state.output)
  if (output === null)
    return { graph: write.graph([hidden, ...caches]), inputs: types, states: all }
  const norm = write.node('RMSNormalization', [hidden, write.constant('norm', output.norm)], {
    epsilon: config.epsilon,
  })
  const logits = linear(write, norm, output.weight, null)
  const answers =
    top === 0
      ? [logits]
      : write.nodes('TopK', [logits, write.whole('top', [top])], ['logits', 'ids'])
  return { graph: write.graph([...answers, ...caches]), inputs: types, states: all }
}

/** Of each talk, computed for all at once. */
const placesOf = (
  write: GraphWriter,
  past: ValueId,
  { talks, fresh }: Pick<RangeSize, 'talks' | 'fresh'>,
): readonly TalkPlaces[] => {
  const order = Array.from({ length: fresh }, (_, i) => i)
  const begins = write.node('Reshape', [past, write.whole('column', [talks, 1])])
  const places = write.node('Add', [begins, write.whole('order', order)])
  const lengths = write.node('Add', [past, write.whole('fresh', [fresh])])
  if (talks === 1) return [{ past, places, length: lengths }]
  return Array.from({ length: talks }, (_, i) => ({
    past: write.slice(past, 0, [i, i + 1]),
    places: write.slice(places, 0, [i, i + 1]),
    length: write.slice(lengths, 0, [i, i + 1]),
  }))
}

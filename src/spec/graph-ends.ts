/** What a graph reads and makes, as the inputs and outputs of a spec: from its text, or open until its model is there. */
import { elements, type DType } from '../../kernels/kernel.ts'
import { dtypeOf } from '../../kernels/tensor/packing.ts'
import { readGraphText } from '../../kernels/tensor/read-graph-text.ts'
import { OWN_FORMATS, type InputKind, type InputRule, type OutputRule } from './program.ts'
import type { GraphText } from '../../kernels/tensor/graph-text.ts'

/** The input that is a file of a model. */
export const MODEL = 'model'

/** Elements one by one, as a graph's inputs are. */
export type Word = 'f32' | 'i32'

export type GivenEnd = {
  readonly kind: InputKind | null
  readonly dtype: DType | null
  readonly shape: readonly number[]
}

const ownEnd = (dtype: Word, shape: readonly number[]): InputRule => ({
  dtype,
  kinds: ['npy', dtype, 'random', 'range'],
  shape,
  own: true,
})

/** `text` empty: a model is to come, and whatever else is named. An empty shape is any. */
export const graphInputs = (
  text: string,
  given: Readonly<Record<string, GivenEnd>>,
): Readonly<Record<string, InputRule>> => {
  const shapeOf = (name: string): readonly number[] => given[name]?.shape ?? []
  const graph = textOf(text)
  if (graph === null) {
    const others = Object.entries(given).filter(([name]) => name !== MODEL)
    const own = others.map(([name, { kind, dtype }]) => {
      const word = (dtype ?? kind) === 'i32' ? 'i32' : 'f32'
      return [name, { ...ownEnd(word, shapeOf(name)), later: true as const }] as const
    })
    const model: InputRule = { dtype: 'u8', kinds: ['onnx'], shape: [0], own: true }
    return { [MODEL]: model, ...Object.fromEntries(own) }
  }
  const rules: Record<string, InputRule> = {}
  for (const { name, element, shape, source } of graph.inputs) {
    const dtype = dtypeOf({ element, shape: [] }) as Word
    if (source === null) rules[name] = ownEnd(dtype, shape ?? shapeOf(name))
    else {
      const end = Math.max(source.at + elements(shape ?? []), rules[source.tensor]?.shape[0] ?? 0)
      rules[source.tensor] = ownEnd(dtype, [end])
    }
  }
  return rules
}

/** null where nobody knows yet. */
export const graphOutputs = (text: string): Readonly<Record<string, OutputRule>> | null => {
  const graph = textOf(text)?.graph
  if (graph === undefined) return null
  return Object.fromEntries(
    graph.outputs.map((id) => [graph.values[id]!, { formats: OWN_FORMATS }]),
  )
}

/** A text that cannot be read has been refused before. */
const textOf = (text: string): GraphText | null => {
  const read = text === '' ? null : readGraphText(text)
  return read?.ok === true ? read.value : null
}

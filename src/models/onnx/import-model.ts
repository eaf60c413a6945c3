/**
 * A model's file as what a job computes: the text of its graph, and its weights in lines of their own. What is
 * not covered is refused here, all of it at once, by operator and node.
 */
import { plainName, writeGraphText, type TextInput } from '../../../kernels/tensor/graph-text.ts'
import { nodeLabel } from '../../../kernels/tensor/graph.ts'
import { LINES, lift, withoutConstantNodes, type Lifted } from '../../../kernels/tensor/lift.ts'
import { opByName } from '../../../kernels/tensor/ops.ts'
import { refuse } from '../../../kernels/tensor/outcome.ts'
import { readModel, type InputInfo } from './read-model.ts'
import type { Graph, Node } from '../../../kernels/tensor/graph.ts'
import type { Outcome } from '../../../kernels/tensor/outcome.ts'

export type ImportedModel = {
  readonly text: string
  /** By their names in the text. A dimension that is a text is free. */
  readonly inputs: readonly InputInfo[]
  readonly outputs: readonly string[]
  readonly lines: Lifted['lines']
  /** The name in the text of a value of the file; undefined where there is none. */
  nameOf(value: string): string | undefined
}

/** Uncovered operators that are named; who brings more of them needs another model anyway. */
const NAMED_MAX = 8

export const importModel = (bytes: Uint8Array): Outcome<ImportedModel> => {
  const read = readModel(bytes)
  if (!read.ok) return read
  const { inputs } = read.value
  const graph = withoutConstantNodes(read.value.graph)
  const uncovered = graph.nodes.flatMap(lacking)
  if (uncovered.length > 0) {
    const more = uncovered.length > NAMED_MAX ? `, and ${uncovered.length - NAMED_MAX} more` : ''
    const error = refuse(
      'unknown-op',
      `not covered: ${uncovered.slice(0, NAMED_MAX).join('; ')}${more}`,
    )
    return { ok: false, error }
  }
  const names = plainNames(graph)
  const { graph: left, lifted, lines } = lift(graph, names)
  const own = inputs.map(({ element, dimensions }, i): TextInput => {
    const fixed = dimensions.filter((size) => typeof size === 'number')
    const shape = fixed.length === dimensions.length ? fixed : null
    return { name: names[graph.inputs[i]!]!, element, shape, source: null }
  })
  return {
    ok: true,
    value: {
      text: writeGraphText(left, names, [...own, ...lifted]),
      inputs: inputs.map((info, i) => ({ ...info, name: own[i]!.name })),
      outputs: graph.outputs.map((id) => names[id]!),
      lines,
      nameOf: (value) => names[graph.values.indexOf(value)],
    },
  }
}

/** What of a node nobody here knows. */
const lacking = (node: Node): readonly string[] => {
  const op = opByName(node.domain, node.op)
  if (op === undefined) return [nodeLabel(node)]
  return [...node.attributes.keys()]
    .filter((name) => !Object.hasOwn(op.attributes, name))
    .map((name) => `${nodeLabel(node)}, attribute ${name}`)
}

/** Those that a person meets come first, and keep the names they have as far as there is only one of each. */
const plainNames = ({ inputs, outputs, values }: Graph): string[] => {
  const names: string[] = []
  const taken = new Set<string>(['_', 'model', ...LINES])
  for (const id of [...inputs, ...outputs, ...values.keys()]) {
    if (names[id] !== undefined) continue
    const plain = plainName(values[id]!)
    let name = plain
    for (let n = 2; taken.has(name); n++) name = `${plain}_${n}`
    taken.add(name)
    names[id] = name
  }
  return names
}

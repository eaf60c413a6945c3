/**
 * A graph as lines of text: what a person writes in a spec, what a job is named by, and what a task carries.
 *
 *     opset 24
 *     input x f32                         given as it is; its shape is that of what is given
 *     input w f32[784,128] weights@4096   784 * 128 numbers of `weights`, from the 4096th on
 *     const axes i64[1] -1
 *     h = MatMul(x, w)                    # what a person calls the node
 *     p, _ = Split(h, ) axis=1 num_outputs=2
 *     y = Gelu(p) approximate="tanh"
 *     output y
 *
 * Values are named once, before they are read. Nothing between commas is an optional input that is left
 * out, `_` an output that nobody wants. Numbers have the digits that bring them back exactly; `nan`, `inf` and
 * `-inf` are numbers too. An attribute is a number, a text in JSON's quotes, or a list of them in brackets;
 * a tensor is `f32[2](1 2)`.
 */
import { isFloat } from './tensor.ts'
import type { Attribute, Graph, Node, ValueId } from './graph.ts'
import type { ElementType, Shape, Tensor, TensorType } from './tensor.ts'

/** Where an input's numbers lie: a line of some tensor, from a place on. */
export type Source = { readonly tensor: string; readonly at: number }

export type TextInput = {
  readonly name: string
  readonly element: ElementType
  /** null: as what is given. */
  readonly shape: Shape | null
  /** null: all of what is given under its name. */
  readonly source: Source | null
}

/** `inputs` as those of the graph. */
export type GraphText = { readonly graph: Graph; readonly inputs: readonly TextInput[] }

/** The newest operator set that the operators were written for. */
export const NEWEST_OPSET = 24

const NAME_MAX = 100
/** A node's name is for people: longer ones say no more. */
const LABEL_MAX = 48

/** A name that can be read back; those of two values may have become the same. */
export const plainName = (name: string): string =>
  `_${name.slice(-NAME_MAX)}`
    .replace(/[^A-Za-z0-9_.]/g, '_')
    .replace(/^_+(?=[A-Za-z])|^_+(?=_)/, '')

/** @param names of the values, by id: each plain, not `_`, and no other's */
export const writeGraphText = (
  { opset, nodes, constants, outputs }: Graph,
  names: readonly string[],
  inputs: readonly TextInput[],
): string =>
  [
    `opset ${opset}`,
    ...inputs.map(inputLine),
    ...[...constants].map(([id, tensor]) => `const ${names[id]!} ${tensorText(tensor, ' ', '')}`),
    ...nodes.map((node) => nodeLine(node, names)),
    `output ${outputs.map((id) => names[id]!).join(' ')}`,
  ].join('\n')

const inputLine = ({ name, element, shape, source }: TextInput): string => {
  const type = shape === null ? element : typeText({ element, shape })
  return `input ${name} ${type}${source === null ? '' : ` ${source.tensor}@${source.at}`}`
}

const nodeLine = ({ op, name, inputs, outputs, attributes }: Node, names: readonly string[]) => {
  const id = (missing: string) => (each: ValueId | null) => (each === null ? missing : names[each]!)
  const label = name.replace(/[^\x21-\x7e]+/g, ' ').trim()
  return [
    `${outputs.map(id('_')).join(', ')} = ${op}(${inputs.map(id('')).join(', ')})`,
    ...[...attributes].map(([key, value]) => `${key}=${attributeText(value)}`),
    ...(label === '' ? [] : ['#', label.slice(-LABEL_MAX).trim()]),
  ].join(' ')
}

const attributeText = (value: Attribute): string => {
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if ('tensor' in value) return tensorText(value.tensor, '(', ')')
  return `[${value.map((each) => (typeof each === 'number' ? numberText(each) : JSON.stringify(each))).join(',')}]`
}

const typeText = ({ element, shape }: TensorType): string => `${element}[${shape.join(',')}]`

const tensorText = (tensor: Tensor, open: string, close: string): string => {
  const held = isFloat(tensor.element) ? Math.fround : (x: number): number => x
  return `${typeText(tensor)}${open}${Array.from(tensor.data, (x) => numberText(held(x))).join(' ')}${close}`
}

/** JavaScript's own digits read back to the same number, but for the sign of zero. */
const numberText = (x: number): string => {
  if (Number.isNaN(x)) return 'nan'
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf'
  return Object.is(x, -0) ? '-0' : String(x)
}

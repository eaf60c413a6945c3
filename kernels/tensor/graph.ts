/** A tensor graph: nodes in an order in which they can run, joined by numbered values. */
import type { Tensor } from './tensor.ts'

export type ValueId = number

export type Attribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly tensor: Tensor }

export type Node = {
  /** ONNX's name of the operator; `domain` is empty for ONNX's own. */
  readonly op: string
  readonly domain: string
  readonly name: string
  /** null stands for an optional one that is left out. */
  readonly inputs: readonly (ValueId | null)[]
  readonly outputs: readonly (ValueId | null)[]
  readonly attributes: ReadonlyMap<string, Attribute>
}

export type Graph = {
  /** Version of ONNX's operator set that the nodes are written in. */
  readonly opset: number
  /** Names of the values, by id. */
  readonly values: readonly string[]
  readonly nodes: readonly Node[]
  readonly inputs: readonly ValueId[]
  readonly outputs: readonly ValueId[]
  readonly constants: ReadonlyMap<ValueId, Tensor>
}

/** How a person finds the node: its name where it has one, and its operator. */
export const nodeLabel = ({ name, op, domain }: Node): string =>
  [name, domain === '' ? op : `${domain}.${op}`].filter((word) => word !== '').join(' ')

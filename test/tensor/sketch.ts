/**
 * A graph while it is drawn by chance. Of every value it knows how large it can be and how far rounding can
 * take it, so that what engines answer can be held to that, and to no more.
 */
import { elements } from '../../kernels/kernel.ts'
import { OPSET, type Trial } from './one-node.ts'
import type { Attribute, Node, ValueId } from '../../kernels/tensor/graph.ts'
import type { Shape, Tensor } from '../../kernels/tensor/tensor.ts'

/** Roundings of one operator, generously: an exp is off by 17 units in the last place. */
const ROUNDING = 2 ** -19
/** References are slow, and numbers beyond these are not worth comparing. */
const MAX_ELEMENTS = 3000
const MAX_SIZE = 100
const MAX_ERROR = 1e-2

export type Made = {
  readonly id: ValueId
  readonly shape: Shape
  /** No element is larger. */
  readonly size: number
  /** No two engines are further apart. */
  readonly error: number
}

export type Step = {
  readonly op: string
  readonly inputs: readonly (ValueId | null)[]
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Of each output: shape, largest element, and what becomes of the inputs' errors. */
  readonly outputs: readonly Omit<Made, 'id'>[]
}

export type RandomTrial = Trial & { /** By output. */ readonly errors: readonly number[] }

export class Sketch {
  readonly nodes: Node[] = []
  readonly constants = new Map<ValueId, Tensor>()
  readonly values: Made[] = []
  readonly inputs: { readonly id: ValueId; readonly tensor: Tensor }[] = []
  #count = 0

  input(tensor: Tensor, size: number): void {
    const id = this.#count++
    this.inputs.push({ id, tensor })
    this.values.push({ id, shape: tensor.shape, size, error: 0 })
  }

  constant(tensor: Tensor): ValueId {
    const id = this.#count++
    this.constants.set(id, tensor)
    return id
  }

  /** Unless something would get out of hand: then nothing is added. */
  add({ op, inputs, attributes = {}, outputs }: Step): void {
    const made = outputs.map((output) => ({
      ...output,
      error: output.error + output.size * ROUNDING,
      id: this.#count++,
    }))
    const fits = made.every(
      ({ shape, size, error }) =>
        elements(shape) <= MAX_ELEMENTS && size <= MAX_SIZE && error <= MAX_ERROR,
    )
    if (!fits) return
    const named = new Map(Object.entries(attributes))
    const ids = made.map(({ id }) => id)
    this.nodes.push({ op, domain: '', name: '', inputs, outputs: ids, attributes: named })
    this.values.push(...made)
  }

  trial(outputs: readonly Made[]): RandomTrial {
    const graph = {
      opset: OPSET,
      values: Array.from({ length: this.#count }, (_, i) => `v${i}`),
      nodes: this.nodes,
      inputs: this.inputs.map(({ id }) => id),
      outputs: outputs.map(({ id }) => id),
      constants: this.constants,
    }
    const inputs = this.inputs.map(({ tensor }) => tensor)
    return { graph, inputs, errors: outputs.map(({ error }) => error + 1e-6) }
  }
}

/** Writes a tensor graph node by node. */
import type { Attribute, Graph, Node, ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

/** The first operator set with a cache of keys that has a fixed size. */
const OPSET = 24

export class GraphWriter {
  readonly #values: string[] = []
  readonly #nodes: Node[] = []
  readonly #inputs: ValueId[] = []
  readonly #constants = new Map<ValueId, Tensor>()
  readonly #known = new Map<Tensor, ValueId>()

  input(name: string): ValueId {
    const id = this.#value(name)
    this.#inputs.push(id)
    return id
  }

  /** The same tensor is one value, however often it is asked for. */
  constant(name: string, tensor: Tensor): ValueId {
    const known = this.#known.get(tensor)
    if (known !== undefined) return known
    const id = this.#value(name)
    this.#constants.set(id, tensor)
    this.#known.set(tensor, id)
    return id
  }

  whole(name: string, numbers: readonly number[]): ValueId {
    const data = Float64Array.from(numbers)
    return this.constant(name, { element: 'i64', shape: [data.length], data })
  }

  /** Its only output. `op` is ONNX's name, or that of another domain after a dot. */
  node(
    op: string,
    inputs: readonly (ValueId | null)[],
    attributes: Readonly<Record<string, Attribute>> = {},
    name = op,
  ): ValueId {
    return this.nodes(op, inputs, [name], attributes)[0]!
  }

  /** Its outputs, by their names. */
  nodes(
    op: string,
    inputs: readonly (ValueId | null)[],
    names: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): readonly ValueId[] {
    const outputs = names.map((name) => this.#value(name))
    const dot = op.lastIndexOf('.')
    this.#nodes.push({
      op: op.slice(dot + 1),
      domain: op.slice(0, Math.max(0, dot)),
      name: names[0]!,
      inputs,
      outputs,
      attributes: new Map(Object.entries(attributes)),
    })
    return outputs
  }

  /** From one place of an axis up to another. */
  slice(x: ValueId, axis: number, [from, to]: readonly [number, number]): ValueId {
    const ends = [this.whole('begin', [from]), this.whole('end', [to]), this.whole('axis', [axis])]
    return this.node('Slice', [x, ...ends])
  }

  graph(outputs: readonly ValueId[]): Graph {
    return {
      opset: OPSET,
      values: this.#values,
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs,
      constants: this.#constants,
    }
  }

  #value(name: string): ValueId {
    return this.#values.push(name) - 1
  }
}

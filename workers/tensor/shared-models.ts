/**
 * Models in WebAssembly's memory, each once, however many programs ask it: a stage has a program for each size of
 * run, all with the same weights. They are known by what they compute and by the tensors that they were made of.
 */
import type { Attribute, Graph, ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { PreparedModel } from './wasm-runner.ts'

/** Who has it closes it; it is there until the last one does. */
export type SharedModel = Pick<PreparedModel, 'run' | 'close'>

type Held = { readonly model: PreparedModel; readers: number }

export class SharedModels {
  readonly #held = new Map<string, Held>()

  /** null where there is none yet. */
  take(key: string): SharedModel | null {
    const held = this.#held.get(key)
    if (held === undefined) return null
    held.readers++
    return {
      run: (inputs, outputs) => held.model.run(inputs, outputs),
      close: async () => {
        if (--held.readers > 0) return
        this.#held.delete(key)
        await held.model.close()
      },
    }
  }

  /** Its maker is its first reader. */
  put(key: string, model: PreparedModel): SharedModel {
    this.#held.set(key, { model, readers: 0 })
    return this.take(key)!
  }
}

/** So few numbers are told rather than their tensor, which may be another one the next time. */
const TOLD = 64
export const isTold = ({ data }: Tensor): boolean => data.length > 0 && data.length <= TOLD

const names = new WeakMap<Tensor, number>()
let named = 0

/** What is the same for graphs that differ in the numbers of their values and the sizes of their inputs only. */
export const sharedKey = (
  { opset, nodes, inputs, outputs, constants }: Graph,
  types: ReadonlyMap<ValueId, TensorType>,
): string => {
  const places = new Map<ValueId, number>()
  const place = (id: ValueId | null): number | null => {
    if (id === null) return null
    const known = places.get(id) ?? places.size
    places.set(id, known)
    return known
  }
  return JSON.stringify([
    opset,
    inputs.map((id) => [place(id), types.get(id)!.element]),
    nodes.map((node) => [
      node.domain,
      node.op,
      node.inputs.map(place),
      node.outputs.map(place),
      [...node.attributes].map(([name, value]) => [name, attributeKey(value)]),
    ]),
    outputs.map(place),
    [...constants].map(([id, tensor]) => [place(id), tensorKey(tensor)]),
  ])
}

const attributeKey = (value: Attribute): unknown =>
  typeof value === 'object' && 'tensor' in value ? tensorKey(value.tensor) : value

const tensorKey = (tensor: Tensor): unknown => {
  const { element, shape, data } = tensor
  if (isTold(tensor)) return [element, shape, [...data]]
  const known = names.get(tensor) ?? ++named
  names.set(tensor, known)
  return known
}

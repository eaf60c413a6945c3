/** The name of a bound graph: what has the same name computes the same, constants and all. */
import { isFloat } from '../../kernels/tensor/tensor.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Attribute, ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

/** Weights are large, and the same ones come again and again. */
const digests = new WeakMap<Tensor, Promise<string>>()

export const graphKey = async ({ graph, types, known, nodes }: Bound): Promise<string> => {
  const tensors: Promise<string>[] = []
  const tensor = (value: Tensor): number => tensors.push(digestOf(value))
  const typeOf = (id: ValueId): string => {
    const { element, shape } = types.get(id)!
    return `${id} ${element} ${shape.join(',')}`
  }
  const attribute = (value: Attribute): unknown => {
    if (typeof value === 'number') return numberText(value)
    if (typeof value === 'string') return value
    return 'tensor' in value
      ? { tensor: tensor(value.tensor) }
      : value.map((one) => (typeof one === 'number' ? numberText(one) : one))
  }
  const read = new Set([...nodes.flatMap(({ node }) => node.inputs), ...graph.outputs])
  const text = JSON.stringify([
    graph.opset,
    graph.inputs.map(typeOf),
    graph.outputs,
    [...known].filter(([id]) => read.has(id)).map(([id, value]) => [typeOf(id), tensor(value)]),
    nodes.map(({ node }) => [
      node.op,
      node.domain,
      node.inputs,
      node.outputs,
      [...node.attributes]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => [name, attribute(value)]),
    ]),
  ])
  return digest(new TextEncoder().encode(`${text}\n${(await Promise.all(tensors)).join('\n')}`))
}

/** JSON knows no -0, NaN and infinities. */
const numberText = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

const digestOf = (value: Tensor): Promise<string> => {
  const known = digests.get(value)
  if (known !== undefined) return known
  const { data, element, shape } = value
  // The same numbers may lie in arrays of several kinds.
  const flat = isFloat(element) && element !== 'f64' ? asFloats(data) : Float64Array.from(data)
  const made = digest(new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength)).then(
    (found) => `${element} ${shape.join(',')} ${found}`,
  )
  digests.set(value, made)
  return made
}

const asFloats = (data: Tensor['data']): Float32Array<ArrayBuffer> =>
  data instanceof Float32Array ? (data as Float32Array<ArrayBuffer>) : Float32Array.from(data)

const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')

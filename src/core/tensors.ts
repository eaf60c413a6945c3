/** The memory of a job: a place for each tensor of its plan, and none of their own for those that lie in others. */
import { allocate, elements, viewAs, type TensorData } from '../../kernels/kernel.ts'
import type { Plan } from './plan.ts'

/** `inputs` are taken as they are; all else is zero. */
export const openTensors = (
  { tensors, views }: Plan,
  inputs: Readonly<Record<string, TensorData>>,
): Map<string, TensorData> => {
  const opened = new Map<string, TensorData>()
  const own = Object.entries(tensors).filter(([name]) => !Object.hasOwn(views, name))
  for (const [name, { dtype, shape }] of own) {
    const given = Object.hasOwn(inputs, name) ? inputs[name] : undefined
    opened.set(name, given ?? allocate(dtype, elements(shape)))
  }
  for (const [name, { tensor, at }] of Object.entries(views)) {
    const { dtype, shape } = tensors[name]!
    const { buffer, byteOffset } = opened.get(tensor)!
    // Views are of words, four bytes each.
    const bytes = new Uint8Array(buffer, byteOffset + 4 * at, 4 * elements(shape))
    opened.set(name, viewAs(dtype, bytes))
  }
  return opened
}

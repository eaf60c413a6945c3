/**
 * The check of a part of a model, operator by operator, in the order in which it ran. A value that is shown is
 * held to what its operator makes of the values before it, and then stands for itself: what comes after
 * has to follow from it, as it did on the device. Products are checked by projections; all else is computed again,
 * in float64. Between two shown values lie formulas only: how far their rounding can take them is carried
 * along (`graph-errors.ts`).
 */
import { inputsOf, type GraphTask } from '../../../kernels/graph.ts'
import { addsUp } from '../../../kernels/tensor/certainty.ts'
import { nodeLabel } from '../../../kernels/tensor/graph.ts'
import { asAnswered, isRounded, mostRounding } from '../../../kernels/tensor/half-floats.ts'
import { unpack } from '../../../kernels/tensor/packing.ts'
import { compute } from '../../../kernels/tensor/reference.ts'
import { isFloat, toGpu } from '../../../kernels/tensor/tensor.ts'
import { freivaldsFloat } from './freivalds-float.ts'
import { errorsOf, sensitivityOf, strayIn } from './graph-errors.ts'
import { productsOf } from './graph-products.ts'
import type { TensorData } from '../../../kernels/kernel.ts'
import type { BoundNode } from '../../../kernels/tensor/bound.ts'
import type { ValueId } from '../../../kernels/tensor/graph.ts'
import type { Tensor } from '../../../kernels/tensor/tensor.ts'
import type { Prng } from '../../base/prng.ts'
import type { Allowed, Known } from './graph-errors.ts'
import type { Checking, Rejection, Verdict } from './verdict.ts'

type Search = Generator<number, Verdict | null>

export function* checkGraph(
  task: GraphTask,
  reads: readonly TensorData[],
  result: TensorData,
  random: Prng,
): Checking {
  const { bound, packing } = task
  const { graph, known, types, nodes } = bound
  const starts = new Map(graph.outputs.map((id, i) => [id, packing.starts[i]!] as const))
  const shownOf = (id: ValueId | null): Shown | null => {
    const at = id === null ? undefined : starts.get(id)
    if (at === undefined) return null
    const tensor = unpack(result, at, types.get(id!)!)
    const { buffer, byteOffset } = result
    return { tensor, words: new Int32Array(buffer, byteOffset + 4 * at, tensor.data.length) }
  }
  const values = new Map<ValueId, Known>()
  for (const [id, tensor] of known) values.set(id, { tensor, error: 0 })
  for (const [i, tensor] of inputsOf(task, reads).entries())
    values.set(graph.inputs[i]!, { tensor, error: 0 })
  for (const [i, made] of nodes.entries()) {
    const inputs = made.call.inputs.map((_, at) => values.get(made.node.inputs[at] ?? -1) ?? null)
    const wrong = yield* checkNode(made, inputs, made.node.outputs.map(shownOf), values, random)
    if (wrong !== null) return wrong
    yield (i + 1) / nodes.length
  }
  return { kind: 'accepted', check: 'op-by-op' }
}

/** A value as it came: as numbers, and as the bits of whole ones. */
type Shown = { readonly tensor: Tensor; readonly words: Int32Array }

/** Adds what the node makes to the values: as it was shown, or as it should be. */
function* checkNode(
  made: BoundNode,
  inputs: readonly (Known | null)[],
  shown: readonly (Shown | null)[],
  values: Map<ValueId, Known>,
  random: Prng,
): Search {
  const { outputs } = made.node
  const given = inputs.map((input) => input?.tensor ?? null)
  const first = shown[0]?.tensor
  const exact = first !== undefined && !isRounded(first.element)
  const parts = exact ? productsOf(made, given, first.data as TensorData) : null
  if (parts !== null) {
    for (const { sides, product } of parts) {
      // One after another, and the bias at the end.
      const found = yield* freivaldsFloat(sides, product, random, sides.k + 1)
      if (found.kind === 'rejected') return rejected(made, found.code, found.detail)
    }
    values.set(outputs[0]!, { tensor: first!, error: 0 })
    return null
  }
  const wants = compute(made, given)
  const errors = errorsOf(made, inputs, wants)
  for (const [i, id] of outputs.entries()) {
    if (id === null) continue
    const [tensor, own, error] = [wants[i]!, shown[i] ?? null, errors[i]!]
    const fault =
      own === null ? null : differs(made, given, { i, want: tensor, error, own }, random)
    if (fault !== null) return fault
    const stands = own !== null && isFloat(tensor.element)
    values.set(id, stands ? { tensor: own.tensor, error: 0 } : { tensor, error: error.most })
  }
  return null
}

type Claim = {
  /** Which output of its node. */
  readonly i: number
  readonly want: Tensor
  readonly error: Allowed
  readonly own: Shown
}

const differs = (
  made: BoundNode,
  given: readonly (Tensor | null)[],
  { i, want, error, own }: Claim,
  random: Prng,
): Verdict | null => {
  const { data } = own.tensor
  const place = (at: number, code: Rejection): Verdict =>
    rejected(made, code, `${data[at]} in place of ${want.data[at]} at ${at}`)
  if (!isFloat(want.element)) {
    const held = toGpu(want)
    const at = own.words.findIndex((word, j) => word !== held[j])
    return at < 0 ? null : place(at, 'bits-differ')
  }
  const answered = asAnswered(want).data
  const allowed = (at: number): number =>
    data[at] === answered[at] ? Infinity : error.at(at) + mostRounding(want.element, want.data[at]!)
  const stray = strayIn(data, want.data, allowed)
  if (stray < 0) return null
  // Sums that nearly cancel, and the like: rounding may do more to them than it usually does.
  const more = addsUp(made) ? sensitivityOf(made, given, i, want, random) : 0
  const at = more === 0 ? stray : strayIn(data, want.data, (j) => allowed(j) + more)
  return at < 0 ? null : place(at, Number.isFinite(data[at]) ? 'out-of-tolerance' : 'not-finite')
}

const rejected = ({ node }: BoundNode, code: Rejection, detail: string): Verdict => ({
  kind: 'rejected',
  check: 'op-by-op',
  code,
  detail: `${nodeLabel(node)}: ${detail}`,
})

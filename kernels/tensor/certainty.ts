/**
 * What is known of a value by somebody who did not compute it. Its numbers are `exact` if they are given, or
 * shown by whoever computed them, or follow from such without any rounding. Formulas round, and devices
 * round differently: what is behind some of them is known to within an error. An operator that is
 * neither is computed again from exact numbers only, and what it rounds is shown.
 */
import { textOf } from './op.ts'
import { isFloat } from './tensor.ts'
import type { Bound, BoundNode } from './bound.ts'
import type { ValueId } from './graph.ts'
import type { Call } from './op.ts'

export type Certainty =
  /** Moves numbers, chooses among them, or turns their sign. What they are off by does not grow. */
  | 'exact'
  /** A formula of each element that has no jumps. */
  | 'smooth'
  | 'whole'

/** Beside those without a formula, which only move. */
const CHOOSES: ReadonlySet<string> = new Set([
  ...['Abs', 'CenterCropPad', 'Clip', 'Gather', 'GatherElements', 'GatherND', 'GlobalMaxPool'],
  ...['Max', 'MaxPool', 'Min', 'Neg', 'ReduceMax', 'ReduceMin', 'Relu', 'ReverseSequence'],
  ...['Trilu', 'Where'],
])
/** It counts in steps, which adds up. */
const COUNTS = 'Range'

const SMOOTH: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Sum', 'Mean', 'PRelu', 'LeakyRelu', 'Elu', 'Celu', 'Selu'],
  ...[
    'HardSigmoid',
    'HardSwish',
    'Mish',
    'Gelu',
    'SwiGLU',
    'Swish',
    'Sigmoid',
    'Softplus',
    'Softsign',
  ],
  ...['Exp', 'Erf', 'Sin', 'Cos', 'Atan', 'Sinh', 'Cosh', 'Tanh', 'Asinh'],
])
/** Without jumps too, as long as what it divides by is certain: next to zero everything is far apart. */
const DIVIDES = 'Div'

/** Those that add up, or multiply, what may nearly cancel: how far rounding takes them depends on the numbers. */
const ADDS: ReadonlySet<string> = new Set([
  ...['AffineGrid', 'Attention', 'AveragePool', 'BatchNormalization', 'CausalConvWithState'],
  ...['Col2Im', 'ConvTranspose', 'CumProd', 'CumSum', 'DFT', 'DeformConv', 'Det', 'Einsum', 'GRU'],
  ...['Gemm', 'GlobalAveragePool', 'GlobalLpPool', 'GridSample', 'LRN', 'LSTM', 'LinearAttention'],
  ...['LpPool', 'NegativeLogLikelihoodLoss', 'RNN', 'STFT', 'SoftmaxCrossEntropyLoss'],
  ...['GroupNormalization', 'InstanceNormalization', 'LayerNormalization', 'LogSoftmax'],
  ...['LpNormalization', 'Mean', 'MeanVarianceNormalization', 'RMSNormalization', 'ReduceL1'],
  ...['ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMean', 'ReduceProd', 'ReduceSum'],
  ...['ReduceSumSquare', 'Resize', 'RotaryEmbedding', 'ScatterElements', 'ScatterND'],
  'Sum',
])

/**
 * Sums of products whose weights have one sign. Asked with sizes in place of numbers, their references say
 * what each place adds up, which is what its roundings are measured by.
 */
const SUMS: ReadonlySet<string> = new Set([
  ...['AveragePool', 'Conv', 'ConvTranspose', 'CumSum', 'Einsum', 'GlobalAveragePool', 'MatMul'],
  ...['ReduceMean', 'ReduceSum', 'ReduceSumSquare'],
])

const hasThreshold = ({ attributes }: Call): boolean =>
  /threshold/i.test(JSON.stringify(attributes.get('activations') ?? null))

/**
 * Those that round before they jump: next to a jump, honest devices are on either side of it, and nobody can tell
 * them from others. To jump from numbers that are shown is no trouble.
 */
const JUMPS: Readonly<Record<string, (call: Call) => boolean>> = {
  QuantizeLinear: () => true,
  DynamicQuantizeLinear: () => true,
  QLinearConv: () => true,
  QLinearMatMul: () => true,
  RoiAlign: () => true,
  GridSample: (call) =>
    textOf(call, 'mode', 'linear') === 'nearest' || textOf(call, 'padding_mode', '') === 'border',
  RNN: hasThreshold,
  GRU: hasThreshold,
  LSTM: hasThreshold,
}

export const jumps = ({ op, call }: BoundNode): boolean => JUMPS[op.name]?.(call) ?? false

export const isSum = ({ op }: BoundNode): boolean => SUMS.has(op.name)

export const addsUp = ({ op }: BoundNode): boolean => ADDS.has(op.name)

export const certaintyOf = (
  { op, call, node }: BoundNode,
  isExact: (id: ValueId) => boolean,
): Certainty => {
  if (!call.outputs.every(({ element }) => isFloat(element))) return 'whole'
  if (CHOOSES.has(op.name) || (op.flop === undefined && op.name !== COUNTS)) return 'exact'
  const divides = op.name === DIVIDES && isExact(node.inputs[1]!)
  return divides || SMOOTH.has(op.name) ? 'smooth' : 'whole'
}

/**
 * What a device has to show beside the outputs: float numbers that are rounded by more than a formula, and
 * those that such operators read. In the order in which they are made.
 */
export const witnessesOf = ({ graph, types, known, nodes }: Bound): readonly ValueId[] => {
  const shown = new Set(graph.outputs)
  const exact = new Set<ValueId>([...known.keys(), ...graph.inputs, ...shown])
  const isOpen = (id: ValueId | null): id is ValueId =>
    id !== null && isFloat(types.get(id)!.element) && !exact.has(id)
  const show = (ids: readonly (ValueId | null)[]): void => {
    for (const id of ids.filter(isOpen)) {
      shown.add(id)
      exact.add(id)
    }
  }
  for (const made of nodes) {
    const { inputs, outputs } = made.node
    const certainty = certaintyOf(made, (id) => exact.has(id))
    if (certainty === 'whole') show(inputs)
    const follows = certainty === 'exact' && !inputs.some(isOpen)
    if (follows) for (const id of outputs) if (id !== null) exact.add(id)
    if (certainty === 'whole') show(outputs.filter((id) => isRead(id, nodes)))
  }
  const made = nodes.flatMap(({ node }) => node.outputs)
  const answered = new Set(graph.outputs)
  return made.filter((id) => id !== null && shown.has(id) && !answered.has(id)) as ValueId[]
}

const isRead = (id: ValueId | null, nodes: readonly BoundNode[]): boolean =>
  nodes.some(({ node }) => node.inputs.includes(id))

/**
 * What ONNX Runtime 1.30 answers, but not as ONNX says: seen by trying every operator against its reference.
 * Such nodes are kept from it.
 */
import { floatOf, intOf, intsOf, textOf } from '../../kernels/tensor/op.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import type { BoundNode } from '../../kernels/tensor/bound.ts'
import type { Call } from '../../kernels/tensor/op.ts'

/** Windows that pad by themselves, with gaps or with steps wider than the window, lie elsewhere. */
const placesWindowsElsewhere = (call: Call): boolean => {
  if (!textOf(call, 'auto_pad', '').startsWith('SAME')) return false
  const kernel = intsOf(call, 'kernel_shape') ?? []
  const [gaps, steps] = [intsOf(call, 'dilations') ?? [], intsOf(call, 'strides') ?? []]
  return gaps.some((gap) => gap > 1) || steps.some((step, i) => step > kernel[i]!)
}

const hasScales = ({ known }: Call): boolean => (known[2]?.data.length ?? 0) > 0

/** An axis of one element has its place at the end, and not at the beginning. */
const hasOneElement = (call: Call): boolean =>
  intOf(call, 'align_corners', 0) !== 0 && (call.known[1]?.data.slice(2).includes(1) ?? false)

/** Of these functions it takes another alpha where none is given. */
const OTHER_ALPHA: ReadonlySet<unknown> = new Set(['affine', 'scaledtanh', 'thresholdedrelu'])
const lacksAlpha = ({ attributes }: Call): boolean => {
  const names = attributes.get('activations')
  const some = Array.isArray(names) ? names.map((name) => String(name).toLowerCase()) : []
  return !attributes.has('activation_alpha') && some.some((name) => OTHER_ALPHA.has(name))
}

/**
 * It adds up in f32, one after another in four lanes: ten thousand equal numbers are off by 1e-4, a million by
 * 1 %. A reference adds in f64, and is as fast.
 */
const LONG_SUM = 512
const addsLong = ({ inputs, outputs }: Call): boolean =>
  sizeOf(inputs[0]!) > LONG_SUM * sizeOf(outputs[0]!)
const sumsLong = ({ inputs: [x], known }: Call): boolean => {
  const axis = known[1]?.data[0] ?? 0
  return (x!.shape.at(axis) ?? 0) > LONG_SUM
}

const DIFFERENCES: Readonly<Record<string, (call: Call) => boolean>> = {
  AffineGrid: hasOneElement,
  AveragePool: placesWindowsElsewhere,
  CumSum: sumsLong,
  GlobalAveragePool: addsLong,
  ReduceL1: addsLong,
  ReduceL2: addsLong,
  ReduceLogSum: addsLong,
  ReduceLogSumExp: addsLong,
  ReduceMean: addsLong,
  ReduceSum: addsLong,
  ReduceSumSquare: addsLong,
  LpPool: placesWindowsElsewhere,
  MaxPool: placesWindowsElsewhere,
  RNN: lacksAlpha,
  GRU: lacksAlpha,
  LSTM: lacksAlpha,
  // What should vanish does not quite, and a length makes it take more or less of half a spectrum.
  DFT: () => true,
  // A window is laid over real numbers only.
  STFT: ({ inputs }) => inputs[0]!.shape.at(-1) === 2 && (inputs[2] ?? null) !== null,
  // A cap is put on scores in another order, and hidden scores come out as the lowest number instead of -∞.
  Attention: (call) =>
    floatOf(call, 'softcap', 0) !== 0 || intOf(call, 'qk_matmul_output_mode', 0) === 2,
  // Places are taken for those of the output it would have chosen itself.
  MaxUnpool: ({ inputs }) => inputs.length > 2 && inputs[2] !== null,
  // Reads beyond the tensor.
  Pad: (call) => textOf(call, 'mode', 'constant') === 'wrap',
  // Corners are aligned to the whole places, however many the scale says.
  Resize: (call) => {
    const mode = textOf(call, 'coordinate_transformation_mode', 'half_pixel')
    return mode === 'tf_crop_and_resize' || (mode === 'align_corners' && hasScales(call))
  },
}

export const isAnsweredOtherwise = ({ op, call }: BoundNode): boolean =>
  DIFFERENCES[op.name]?.(call) ?? false

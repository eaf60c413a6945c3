/** HannWindow, HammingWindow and BlackmanWindow, and MelWeightMatrix: tables for spectra, from a few numbers. */
import { refuse } from '../outcome.ts'
import { intOf, knownInts } from '../op.ts'
import { elementOf } from './cast.ts'
import { list } from '../draw.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Refusal } from '../outcome.ts'
import type { Shape, Tensor, TensorType } from '../tensor.ts'

/** Any more could not have come from a few numbers by mistake. */
const MAX_NUMBERS = 2 ** 20

/** A table of numbers that are all known: its shape, or null, and its numbers. */
const tableOp = (
  base: Pick<Op, 'name' | 'inputs' | 'attributes' | 'shapeInputs' | 'cases'>,
  shapeOf: (call: Call) => Shape | null,
  numbers: (call: Call) => Float64Array,
): Op => ({
  ...base,
  infer(call): readonly TensorType[] | Refusal {
    const element = elementOf(intOf(call, 'output_datatype', 1))
    if (element === null) return refuse('unsupported', 'a type that is no number')
    const shape = shapeOf(call)
    if (shape === null) return refuse('bad-shape', 'no table has these sizes')
    const count = shape.reduce((a, b) => a * b, 1)
    return count > MAX_NUMBERS ? refuse('too-large', `${count} numbers`) : [{ element, shape }]
  },
  reference: (call) => [numbers(call)],
  lower: (call, _, build) => [build.constant({ ...call.outputs[0]!, data: numbers(call) })],
})

const lengthOf = (call: Call): number => Math.trunc(knownInts(call, 0)?.[0] ?? -1)

/** A sum of cosines of the first multiples of the angle. */
const taper = (name: string, weights: readonly number[]): Op =>
  tableOp(
    {
      name,
      inputs: [1, 1],
      attributes: { output_datatype: 'int', periodic: 'int' },
      shapeInputs: [0],
      cases: {
        'any length': (draw: Draw): Sample => {
          const size: Tensor = {
            element: 'i64',
            shape: [],
            data: Float64Array.of(draw.whole(1, 20)),
          }
          return { attributes: { periodic: draw.whole(0, 1) }, inputs: [size] }
        },
      },
    },
    (call) => (lengthOf(call) >= 0 ? [lengthOf(call)] : null),
    (call) => {
      const length = lengthOf(call)
      // A periodic one is one place longer, and that place is left out.
      const turns = Math.max(1, intOf(call, 'periodic', 1) === 0 ? length - 1 : length)
      return Float64Array.from({ length }, (_, i) =>
        weights.reduce(
          (sum, weight, k) => sum + weight * Math.cos((2 * Math.PI * k * i) / turns),
          0,
        ),
      )
    },
  )

const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700)
const hertz = (at: number): number => 700 * (10 ** (at / 2595) - 1)

type Bank = { readonly bins: number; readonly bands: number; readonly edges: readonly number[] }

/** Bins of the spectrum where the triangles begin, peak and end; null where the numbers make no sense. */
const bankOf = (call: Call): Bank | null => {
  const [bands, length, rate, low, high] = [0, 1, 2, 3, 4].map(
    (i) => knownInts(call, i)?.[0] ?? NaN,
  )
  const bins = Math.floor(length! / 2) + 1
  if (!(bands! >= 0 && bands! < MAX_NUMBERS && bins >= 1 && rate! > 0)) return null
  const [from, to] = [mel(low!), mel(high!)]
  const edges = Array.from({ length: bands! + 2 }, (_, i) =>
    Math.floor(((length! + 1) * hertz(from + (i * (to - from)) / (bands! + 2))) / rate!),
  )
  return edges.every((edge) => edge >= 0 && edge < bins) ? { bins, bands: bands!, edges } : null
}

const melWeightMatrix = tableOp(
  {
    name: 'MelWeightMatrix',
    inputs: [5, 5],
    attributes: { output_datatype: 'int' },
    shapeInputs: [0, 1, 2, 3, 4],
    cases: {
      'a bank of triangles': (draw: Draw): Sample => {
        const edges = [0, 4000].map((x): Tensor => {
          return { element: 'f32', shape: [], data: Float64Array.of(x) }
        })
        const whole = [draw.whole(1, 9), draw.pick([16, 31, 64]), 8192]
        return { inputs: [...whole.map((x) => ({ ...list(x), shape: [] })), ...edges] }
      },
    },
  },
  (call) => {
    const bank = bankOf(call)
    return bank === null ? null : [bank.bins, bank.bands]
  },
  (call) => {
    const { bins, bands, edges } = bankOf(call)!
    const out = new Float64Array(bins * bands)
    for (let band = 0; band < bands; band++) {
      const [low, peak, high] = [edges[band]!, edges[band + 1]!, edges[band + 2]!]
      for (let bin = low; bin <= peak; bin++)
        out[bin * bands + band] = low === peak ? 1 : (bin - low) / (peak - low)
      for (let bin = peak; bin < high; bin++) out[bin * bands + band] = (high - bin) / (high - peak)
    }
    return out
  },
)

export const TAPERS: readonly Op[] = [
  taper('HannWindow', [0.5, -0.5]),
  // As ONNX has it: 25 / 46 and the rest, where others say 0.54.
  taper('HammingWindow', [25 / 46, -21 / 46]),
  taper('BlackmanWindow', [0.42, -0.5, 0.08]),
  melWeightMatrix,
]

/** Numbers as numbers of another type. A GPU holds all floats as f32 and all integers as i32. */
import { gpuElement, isFloat, sizeOf } from '../tensor.ts'
import { roundingOf, roundTo } from '../half-floats.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf } from '../op.ts'
import { narrowText } from './pointwise-op.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { ElementType } from '../tensor.ts'

/** TensorProto.DataType of onnx.proto, as far as there are numbers in it. */
const TYPES: Readonly<Record<number, ElementType>> = {
  1: 'f32',
  2: 'u8',
  3: 'i8',
  4: 'u16',
  5: 'i16',
  6: 'i32',
  7: 'i64',
  9: 'bool',
  10: 'f16',
  11: 'f64',
  12: 'u32',
  13: 'u64',
  16: 'bf16',
  21: 'u4',
  22: 'i4',
  25: 'u2',
  26: 'i2',
}

const NUMBERS: ReadonlyMap<ElementType, number> = new Map(
  Object.entries(TYPES).map(([number, element]) => [element, Number(number)]),
)

export const elementOf = (dataType: number): ElementType | null => TYPES[dataType] ?? null
export const dataTypeOf = (element: ElementType): number => NUMBERS.get(element)!

const castText = (from: ElementType, to: ElementType, x: string): string => {
  if (to === 'bool') return `select(I(0), I(1), ${x} != ${isFloat(from) ? 'F' : 'I'}(0))`
  if (isFloat(to)) return rounded(to, isFloat(from) ? x : `F(${x})`)
  return narrowText(to, isFloat(from) ? `I(${x})` : x)
}

const rounded = (to: ElementType, x: string): string => {
  const round = roundingOf(to)
  return round === null ? x : `${round.name}(${x})`
}

const castOp = (
  base: Pick<Op, 'name' | 'inputs' | 'attributes' | 'cases'>,
  target: (call: Call) => ElementType | null,
): Op => ({
  ...base,
  infer(call) {
    const element = target(call)
    if (element === null) return refuse('unsupported', 'a cast to something that is no number')
    return [{ element, shape: inputOf(call, 0).shape }]
  },
  flop: (call) => sizeOf(call.outputs[0]!),
  reference(call, [x]) {
    const { element } = call.outputs[0]!
    const whole = !isFloat(element) && element !== 'bool'
    return [Float64Array.from(x!.data, (v) => (whole ? Math.trunc(v) : roundTo(element, v)))]
  },
  lower(call, [x], build) {
    const { element } = call.outputs[0]!
    const from = inputOf(call, 0).element
    const round = roundingOf(element)
    if (from === element || (isFloat(from) && isFloat(element) && round === null)) return [x!]
    const text = ([name]: readonly string[]): string => castText(from, element, name!)
    return [build.pointwise(gpuElement(element), [x!], text, round === null ? [] : [round])]
  },
})

const drawAny = (draw: Draw): Sample['inputs'][number] =>
  draw.pick([
    draw.floats(draw.shape(3), -100, 100),
    draw.integers(draw.shape(3), -100, 100, 'i32'),
    draw.bools(draw.shape(3)),
  ])

const cast = castOp(
  {
    name: 'Cast',
    inputs: [1, 1],
    attributes: { to: 'int', saturate: 'int', round_mode: 'text' },
    cases: {
      'any to any': (draw) => ({
        attributes: { to: draw.pick([1, 3, 6, 7, 9]) },
        inputs: [drawAny(draw)],
      }),
      'to 16 bits, from the smallest to the largest': (draw) => {
        const data = Float32Array.from({ length: 64 }, () => {
          return (draw.chance(0.5) ? -1 : 1) * 2 ** (draw.whole(-2600, 1700) / 100)
        })
        return {
          attributes: { to: draw.pick([10, 16]) },
          inputs: [{ element: 'f32', shape: [64], data }],
        }
      },
    },
  },
  (call) => elementOf(intOf(call, 'to', 0)),
)

const castLike = castOp(
  {
    name: 'CastLike',
    inputs: [2, 2],
    attributes: { saturate: 'int', round_mode: 'text' },
    cases: { 'any to any': (draw) => ({ inputs: [drawAny(draw), drawAny(draw)!] }) },
  },
  (call) => inputOf(call, 1).element,
)

export const CASTS: readonly Op[] = [cast, castLike]

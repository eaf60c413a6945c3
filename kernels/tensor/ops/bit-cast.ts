/** BitCast: the same bits as a number of another type of the same size. */
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf } from '../op.ts'
import { elementOf } from './cast.ts'
import { narrowText } from './pointwise-op.ts'
import type { Draw } from '../draw.ts'
import type { Op } from '../op.ts'
import type { ElementType } from '../tensor.ts'

/** Those whose bits are there: other floats are held as f32, and integers of 64 bits in 32. */
const BITS: Readonly<Partial<Record<ElementType, number>>> = {
  bool: 8,
  i8: 8,
  u8: 8,
  i16: 16,
  u16: 16,
  i32: 32,
  u32: 32,
  f32: 32,
}

const recast = (from: ElementType, to: ElementType, x: number): number => {
  if (from === 'f32' && to !== 'f32') return new Int32Array(Float32Array.of(x).buffer)[0]!
  if (to === 'f32' && from !== 'f32') return new Float32Array(Int32Array.of(x).buffer)[0]!
  return x
}

const recastText = (from: ElementType, to: ElementType, x: string): string => {
  if (from === 'f32') return to === 'f32' ? x : `bitcast<I>(${x})`
  if (to === 'f32') return `bitcast<F>(${x})`
  return to === 'bool' ? `select(I(0), I(1), ${x} != I(0))` : narrowText(to, x)
}

export const bitCast: Op = {
  name: 'BitCast',
  inputs: [1, 1],
  attributes: { to: 'int' },
  infer(call) {
    const { element: from, shape } = inputOf(call, 0)
    const element = elementOf(intOf(call, 'to', 0))
    const bits = element === null ? undefined : BITS[element]
    if (bits === undefined || BITS[from] === undefined)
      return refuse(
        'unsupported',
        `the bits of ${from} as ${element ?? 'a type that is no number'}`,
      )
    return bits === BITS[from]
      ? [{ element: element!, shape }]
      : refuse('bad-attribute', `the bits of ${from} as ${element!}, which has ${bits}`)
  },
  flop: (call) => sizeOf(call.outputs[0]!),
  reference(call, [x]) {
    const { element } = call.outputs[0]!
    return [Float64Array.from(x!.data, (value) => recast(x!.element, element, value))]
  },
  lower(call, [x], build) {
    const { element } = call.outputs[0]!
    const from = inputOf(call, 0).element
    const text = ([value]: readonly string[]): string => recastText(from, element, value!)
    return [build.pointwise(gpuElement(element), [x!], text)]
  },
  cases: {
    'floats as whole numbers': (draw) => ({
      attributes: { to: draw.pick([6, 12]) },
      inputs: [draw.floats(draw.shape(2))],
    }),
    'whole numbers as floats': (draw) => ({
      attributes: { to: 1 },
      // Exponents from -26 to 100: no NaN, which has many bits and one name.
      inputs: [draw.integers(draw.shape(2), 0x32800000, 0x71800000, draw.pick(['i32', 'u32']))],
    }),
    'with a sign or without': (draw) => ({ ...draw.pick(SIGNS)(draw) }),
  },
}

const SIGNS = [
  (draw: Draw) => ({
    attributes: { to: 3 },
    inputs: [draw.integers(draw.shape(2), 0, 255, 'u8')],
  }),
  (draw: Draw) => ({
    attributes: { to: 2 },
    inputs: [draw.integers(draw.shape(2), -128, 127, 'i8')],
  }),
  (draw: Draw) => ({
    attributes: { to: 5 },
    inputs: [draw.integers(draw.shape(2), 0, 65_535, 'u16')],
  }),
]

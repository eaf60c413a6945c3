/** Operators whose result follows from shapes and attributes: they are folded and never reach a kernel. */
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf, intsOf, knownInts, tensorOf } from '../op.ts'
import { list } from '../draw.ts'
import type { Call, Op } from '../op.ts'
import type { Tensor } from '../tensor.ts'

const sizesOf = (call: Call): readonly number[] => {
  const { shape } = inputOf(call, 0)
  const end = call.attributes.has('end') ? intOf(call, 'end', 0) : undefined
  return shape.slice(intOf(call, 'start', 0), end)
}

/** What is lowered although it is known: the reference's numbers as a constant. */
const asConstant: Op['lower'] = function (this: Op, call, _, build) {
  const [data] = this.reference(call, call.known)
  return [build.constant({ ...call.outputs[0]!, data: data! })]
}

const shape: Op = {
  name: 'Shape',
  inputs: [1, 1],
  attributes: { start: 'int', end: 'int' },
  fromShapes: true,
  infer: (call) => [{ element: 'i64', shape: [sizesOf(call).length] }],
  reference: (call) => [Float64Array.from(sizesOf(call))],
  lower: asConstant,
  cases: {
    'a part': (draw) => ({
      attributes: { start: draw.whole(-4, 4), end: draw.whole(-4, 4) },
      inputs: [draw.floats(draw.shape(3))],
    }),
  },
}

const size: Op = {
  name: 'Size',
  inputs: [1, 1],
  attributes: {},
  fromShapes: true,
  infer: () => [{ element: 'i64', shape: [] }],
  reference: (call) => [Float64Array.of(sizeOf(inputOf(call, 0)))],
  lower: asConstant,
  cases: { 'any shape': (draw) => ({ inputs: [draw.floats(draw.shape(3))] }) },
}

/** The tensor in one of the attributes that a Constant may have. */
const valueOf = (call: Call): Tensor | null => {
  const tensor = tensorOf(call, 'value')
  if (tensor !== null) return tensor
  for (const [name, element] of [
    ['value_float', 'f32'],
    ['value_int', 'i64'],
    ['value_floats', 'f32'],
    ['value_ints', 'i64'],
  ] as const) {
    const value = call.attributes.get(name)
    if (typeof value === 'number') return { element, shape: [], data: Float64Array.of(value) }
    const numbers = intsOf(call, name)
    if (numbers !== null)
      return { element, shape: [numbers.length], data: Float64Array.from(numbers) }
  }
  return null
}

const constant: Op = {
  name: 'Constant',
  inputs: [0, 0],
  attributes: {
    value: 'tensor',
    value_float: 'float',
    value_floats: 'floats',
    value_int: 'int',
    value_ints: 'ints',
  },
  infer(call) {
    const tensor = valueOf(call)
    if (tensor === null) return refuse('bad-attribute', 'a constant without a value')
    return [{ element: tensor.element, shape: tensor.shape }]
  },
  reference: (call) => [valueOf(call)!.data],
  lower: asConstant,
  cases: {
    'a tensor': (draw) => ({ attributes: { value: { tensor: draw.floats([2, 3]) } }, inputs: [] }),
    integers: () => ({ attributes: { value_ints: [3, -1] }, inputs: [] }),
  },
}

const constantOfShape: Op = {
  name: 'ConstantOfShape',
  inputs: [1, 1],
  attributes: { value: 'tensor' },
  shapeInputs: [0],
  infer(call) {
    const element = tensorOf(call, 'value')?.element ?? 'f32'
    return [{ element, shape: knownInts(call, 0) ?? [] }]
  },
  reference(call) {
    const value = tensorOf(call, 'value')?.data[0] ?? 0
    return [new Float64Array(sizeOf(call.outputs[0]!)).fill(value)]
  },
  lower(call, _, build) {
    const { element, shape: sizes } = call.outputs[0]!
    const value = tensorOf(call, 'value')?.data[0] ?? 0
    return [build.literal(gpuElement(element), sizes, value)]
  },
  cases: {
    ones: (draw) => ({
      attributes: { value: { tensor: { element: 'f32', shape: [1], data: Float32Array.of(1) } } },
      inputs: [list(...draw.shape(3))],
    }),
    zeros: (draw) => ({ inputs: [list(...draw.shape(2))] }),
  },
}

export const SHAPES: readonly Op[] = [shape, size, constant, constantOfShape]

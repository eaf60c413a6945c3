/** Tensors that follow from coordinates: Trilu, OneHot, EyeLike and Range. */
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisIn, inputOf, intOf, knownInts } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { list } from '../draw.ts'
import { elementOf } from './cast.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'
import type { Tensor } from '../tensor.ts'

const isUpper = (call: Call): boolean => intOf(call, 'upper', 1) !== 0
const diagonalOf = (call: Call): number =>
  Math.max(-(2 ** 30), Math.min(2 ** 30, knownInts(call, 1)?.[0] ?? 0))

const trilu: Op = {
  name: 'Trilu',
  inputs: [1, 2],
  attributes: { upper: 'int' },
  shapeInputs: [1],
  infer: (call) =>
    inputOf(call, 0).shape.length < 2 ? refuse('bad-shape', 'no matrix') : [inputOf(call, 0)],
  flop: (call) => sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const diagonal = diagonalOf(call)
    return [
      fill(x!.shape, (at) => {
        const above = at.at(-1)! - at.at(-2)!
        const kept = isUpper(call) ? above >= diagonal : above <= diagonal
        return kept ? x!.data[placeOf(x!.shape, at)]! : 0
      }),
    ]
  },
  lower(call, [x], build) {
    const { element, shape } = call.outputs[0]!
    const kind = gpuElement(element)
    const sign = isUpper(call) ? '>=' : '<='
    return [
      nest(build, {
        element: kind,
        shape,
        inputs: [x!],
        body({ shader, out, inputs }) {
          const kept = `${out.at(-1)} - ${out.at(-2)} ${sign} ${diagonalOf(call)}`
          return `select(${kind}(0), ${shader.read(inputs[0]!, out)}, ${kept})`
        },
      }),
    ]
  },
  cases: {
    'any diagonal': (draw) => {
      const x = draw.floats(draw.shape(draw.whole(2, 4)))
      const k = { element: 'i64', shape: [], data: Float64Array.of(draw.whole(-9, 9)) } as const
      return { attributes: { upper: draw.whole(0, 1) }, inputs: [x, draw.chance(0.7) ? k : null] }
    },
  },
}

const hotAxis = (call: Call): number | null =>
  axisIn(intOf(call, 'axis', -1), inputOf(call, 0).shape.length + 1)
const depthOf = (call: Call): number => Math.trunc(knownInts(call, 1)?.[0] ?? -1)

const oneHot: Op = {
  name: 'OneHot',
  inputs: [3, 3],
  attributes: { axis: 'int' },
  shapeInputs: [1],
  infer(call) {
    const [indices, values] = [inputOf(call, 0), inputOf(call, 2)]
    const axis = hotAxis(call)
    if (axis === null || depthOf(call) < 0 || sizeOf(values) !== 2)
      return refuse('bad-shape', 'no such axis or depth, or not two values')
    return [{ element: values.element, shape: indices.shape.toSpliced(axis, 0, depthOf(call)) }]
  },
  flop: (call) => sizeOf(call.outputs[0]!),
  reference(call, [indices, , values]) {
    const axis = hotAxis(call)!
    const depth = depthOf(call)
    return [
      fill(call.outputs[0]!.shape, (at) => {
        const index = Math.trunc(indices!.data[placeOf(indices!.shape, at.toSpliced(axis, 1))]!)
        return values!.data[(index < 0 ? index + depth : index) === at[axis] ? 1 : 0]!
      }),
    ]
  },
  lower(call, [indices, , values], build) {
    const axis = hotAxis(call)!
    const { element, shape } = call.outputs[0]!
    return [
      nest(build, {
        element: gpuElement(element),
        shape,
        inputs: [indices!, build.reshape(values!, [2])],
        body({ shader, out, inputs }) {
          const index = shader.let(`i32(${shader.read(inputs[0]!, out.toSpliced(axis, 1))})`)
          const hot = `select(${index}, ${index} + ${depthOf(call)}, ${index} < 0) == ${out[axis]!}`
          const [off, on] = [shader.read(inputs[1]!, ['0']), shader.read(inputs[1]!, ['1'])]
          return `select(${off}, ${on}, ${hot})`
        },
      }),
    ]
  },
  cases: {
    'any axis': (draw) => {
      const shape = draw.shape(draw.whole(0, 3))
      const depth = draw.whole(1, 6)
      const indices = draw.chance(0.5)
        ? draw.integers(shape, -depth - 1, depth)
        : { ...draw.integers(shape, -depth, depth - 1), element: 'f32' as const }
      const attributes = { axis: draw.whole(-shape.length - 1, shape.length) }
      return { attributes, inputs: [indices, list(depth), draw.floats([2])] }
    },
  },
}

const eyeLike: Op = {
  name: 'EyeLike',
  inputs: [1, 1],
  attributes: { dtype: 'int', k: 'int' },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    const asked = call.attributes.has('dtype') ? elementOf(intOf(call, 'dtype', 1)) : element
    if (asked === null) return refuse('unsupported', 'a type that is no number')
    return shape.length === 2
      ? [{ element: asked, shape }]
      : refuse('bad-shape', 'it takes a matrix')
  },
  reference: (call) => [
    fill(call.outputs[0]!.shape, ([i, j]) => (j! - i! === intOf(call, 'k', 0) ? 1 : 0)),
  ],
  lower(call, _, build) {
    const { element, shape } = call.outputs[0]!
    const kind = gpuElement(element)
    const diagonal = intOf(call, 'k', 0)
    const body = ({ out }: { readonly out: readonly string[] }): string =>
      `select(${kind}(0), ${kind}(1), ${out[1]} - ${out[0]} == ${diagonal})`
    return [nest(build, { element: kind, shape, inputs: [], body })]
  },
  cases: {
    'a diagonal': (draw) => ({
      attributes: { k: draw.whole(-3, 3), dtype: draw.pick([1, 6]) },
      inputs: [draw.integers([4, 5], 0, 9, 'i32')],
    }),
  },
}

/** Any more could not have come from three numbers by mistake. */
const MAX_RANGE = 2 ** 24

const rangeSize = (call: Call): number => {
  const [start, limit, delta] = [0, 1, 2].map((i) => knownInts(call, i)?.[0] ?? NaN)
  return Math.max(0, Math.ceil((limit! - start!) / delta!))
}

const numbersFrom = (start: number, delta: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => start + i * delta)

const range: Op = {
  name: 'Range',
  inputs: [3, 3],
  attributes: {},
  shapeInputs: [0, 1, 2],
  infer(call) {
    const count = rangeSize(call)
    // Not a number where the step is zero.
    if (!(count <= MAX_RANGE)) return refuse('bad-shape', 'a range without end')
    return [{ element: inputOf(call, 0).element, shape: [count] }]
  },
  reference: (_, [start, limit, delta]: readonly (Tensor | null)[]) => {
    const [from, to, by] = [start!.data[0]!, limit!.data[0]!, delta!.data[0]!]
    return [numbersFrom(from, by, Math.max(0, Math.ceil((to - from) / by)))]
  },
  lower(call, _, build) {
    const [start, , delta] = [0, 1, 2].map((i) => knownInts(call, i)![0]!)
    const data = numbersFrom(start!, delta!, rangeSize(call))
    return [build.constant({ ...call.outputs[0]!, data })]
  },
  cases: {
    'either direction': (draw) => {
      const scalar = (x: number): Tensor => ({
        element: 'f32',
        shape: [],
        data: Float64Array.of(x),
      })
      return {
        inputs: draw
          .pick([
            [1, 5, 2],
            [10, 4, -1.5],
            [3, 1, 1],
            [0, 1, 0.25],
          ])
          .map(scalar),
      }
    },
  },
}

export const PATTERNS: readonly Op[] = [trilu, oneHot, eyeLike, range]

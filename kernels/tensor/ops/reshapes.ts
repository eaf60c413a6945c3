/** The same elements in the same order under another shape: nothing is moved. */
import { broadcast, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axesIn, inputOf, intOf, intsOrInput, knownInts } from '../op.ts'
import { list } from '../draw.ts'
import { stretched } from './stretched.ts'
import type { AttributeKind, Call, Op, Sample } from '../op.ts'
import type { Draw } from '../draw.ts'
import type { Shape } from '../tensor.ts'

type ReshapeSpec = {
  readonly name: string
  readonly inputs?: readonly [number, number]
  readonly attributes?: Readonly<Record<string, AttributeKind>>
  readonly shapeInputs?: readonly number[]
  shape(call: Call): Shape | null
  readonly cases: Op['cases']
}

const reshapeOp = ({ name, inputs = [1, 1], shape, ...rest }: ReshapeSpec): Op => ({
  attributes: {},
  ...rest,
  name,
  inputs,
  infer(call) {
    const { element, shape: own } = inputOf(call, 0)
    const next = shape(call)
    if (next === null || sizeOf({ shape: next }) !== sizeOf({ shape: own }))
      return refuse('bad-shape', `[${own.join(', ')}] does not fit [${next?.join(', ') ?? ''}]`)
    return [{ element, shape: next }]
  },
  reference: (_, [x]) => [x!.data],
  lower: (call, [x], build) => [build.reshape(x!, call.outputs[0]!.shape)],
})

/** 0 keeps a dimension (unless `allowzero`), one -1 takes what is left. */
const reshaped = (call: Call): Shape | null => {
  const own = inputOf(call, 0).shape
  const asked = intsOrInput(call, 'shape', 1)
  if (asked === null) return null
  const keeps = intOf(call, 'allowzero', 0) === 0
  const sizes = asked.map((size, i) => (size === 0 && keeps ? (own[i] ?? 0) : size))
  const open = sizes.indexOf(-1)
  if (open === -1) return sizes
  const others = sizes.reduce((product, size, i) => (i === open ? product : product * size), 1)
  return sizes.with(open, others === 0 ? 0 : sizeOf({ shape: own }) / others)
}

const flattened = (call: Call): Shape | null => {
  const { shape } = inputOf(call, 0)
  const axis = intOf(call, 'axis', 1)
  const at = axis < 0 ? axis + shape.length : axis
  if (at < 0 || at > shape.length) return null
  return [sizeOf({ shape: shape.slice(0, at) }), sizeOf({ shape: shape.slice(at) })]
}

const squeezed = (call: Call): Shape | null => {
  const { shape } = inputOf(call, 0)
  const named = intsOrInput(call, 'axes', 1)
  if (named === null) return shape.filter((size) => size !== 1)
  const axes = axesIn(named, shape.length)
  if (axes === null || axes.some((axis) => shape[axis] !== 1)) return null
  return shape.filter((_, i) => !axes.includes(i))
}

const unsqueezed = (call: Call): Shape | null => {
  const { shape } = inputOf(call, 0)
  const named = intsOrInput(call, 'axes', 1)
  const axes = named === null ? null : axesIn(named, shape.length + named.length)
  if (axes === null) return null
  const left = [...shape]
  return Array.from({ length: shape.length + axes.length }, (_, i) =>
    axes.includes(i) ? 1 : left.shift()!,
  )
}

const expanded = (call: Call): Shape | null =>
  broadcast(inputOf(call, 0).shape, knownInts(call, 1) ?? [])

const expand: Op = {
  name: 'Expand',
  inputs: [2, 2],
  attributes: {},
  shapeInputs: [1],
  infer(call) {
    const shape = expanded(call)
    if (shape === null) return refuse('bad-shape', 'the input does not stretch to that')
    return [{ element: inputOf(call, 0).element, shape }]
  },
  reference: (call, [x]) => [stretched(x!, call.outputs[0]!.shape)],
  lower: (call, [x], build) => [build.expand(x!, call.outputs[0]!.shape)],
  cases: {
    'any shape': (draw) => {
      const shape = draw.shape(draw.whole(1, 4))
      const asked = draw.narrowed(shape)
      return { inputs: [draw.floats(draw.narrowed(shape)), list(...asked)] }
    },
  },
}

const identity = reshapeOp({
  name: 'Identity',
  shape: (call) => inputOf(call, 0).shape,
  cases: { 'any shape': (draw) => ({ inputs: [draw.floats(draw.shape(draw.whole(0, 4)))] }) },
})

const reshape = reshapeOp({
  name: 'Reshape',
  inputs: [1, 2],
  attributes: { allowzero: 'int', shape: 'ints' },
  shapeInputs: [1],
  shape: reshaped,
  cases: {
    'parts joined': (draw) => {
      const [a, b, c] = draw.shape(3)
      const asked = draw.pick([[a! * b!, c!], [a!, -1], [0, -1], [-1], [a!, 1, b!, c!]])
      return { inputs: [draw.floats([a!, b!, c!]), list(...asked)] }
    },
  },
})

const flatten = reshapeOp({
  name: 'Flatten',
  attributes: { axis: 'int' },
  shape: flattened,
  cases: {
    'any axis': (draw) => ({
      attributes: { axis: draw.whole(-3, 3) },
      inputs: [draw.floats(draw.shape(3))],
    }),
  },
})

const squeeze = reshapeOp({
  name: 'Squeeze',
  inputs: [1, 2],
  attributes: { axes: 'ints' },
  shapeInputs: [1],
  shape: squeezed,
  cases: {
    'some axes': (draw): Sample => ({
      inputs: [draw.floats([1, 3, 1, 2]), list(draw.pick([0, -2]))],
    }),
    'axes as an attribute': (draw: Draw): Sample => ({
      opset: 11,
      attributes: { axes: [0, 2] },
      inputs: [draw.floats([1, 3, 1, 2])],
    }),
    'whatever is 1': (draw) => ({ inputs: [draw.floats(draw.shape(4))] }),
  },
})

const unsqueeze = reshapeOp({
  name: 'Unsqueeze',
  inputs: [1, 2],
  attributes: { axes: 'ints' },
  shapeInputs: [1],
  shape: unsqueezed,
  cases: {
    'some axes': (draw) => ({
      inputs: [draw.floats(draw.shape(2)), list(...draw.order(4).slice(2))],
    }),
    'axes as an attribute': (draw) => ({
      opset: 11,
      attributes: { axes: [0, 2] },
      inputs: [draw.floats(draw.shape(2))],
    }),
  },
})

export const RESHAPES: readonly Op[] = [identity, reshape, flatten, squeeze, unsqueeze, expand]

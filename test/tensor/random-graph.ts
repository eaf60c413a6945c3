/** Graphs by chance: formulas, movement, reductions, norms, windows, products; values with one reader and with several. */
import { elements } from '../../kernels/kernel.ts'
import { bind } from '../../kernels/tensor/bind.ts'
import { Draw, list } from '../../kernels/tensor/draw.ts'
import { sameShape } from '../../kernels/tensor/tensor.ts'
import { Sketch, type Made, type RandomTrial } from './sketch.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Attribute } from '../../kernels/tensor/graph.ts'
import type { Shape, Tensor } from '../../kernels/tensor/tensor.ts'

/** Draws an operator on `x`; it may find nothing that fits, and draw none. */
type Grow = (sketch: Sketch, draw: Draw, x: Made) => void

/** Steep nowhere: what rounding did to the input, it does not make larger. */
const UNARY = ['Relu', 'Neg', 'Abs', 'Tanh', 'Sigmoid', 'LeakyRelu', 'Softsign', 'Softplus']

const unary: Grow = (sketch, draw, { id, shape, size, error }) =>
  sketch.add({ op: draw.pick(UNARY), inputs: [id], outputs: [{ shape, size: size + 1, error }] })

const axisOf = (draw: Draw, { shape }: Made): number => draw.whole(0, shape.length - 1)

const both = (a: Made, b: Made, op: string): Pick<Made, 'size' | 'error'> => {
  if (op === 'Mul') return { size: a.size * b.size, error: a.size * b.error + b.size * a.error }
  const size = op === 'Max' || op === 'Min' ? Math.max(a.size, b.size) : a.size + b.size
  return { size, error: a.error + b.error }
}

const BINARY = ['Add', 'Sub', 'Mul', 'Max', 'Min']

const binary: Grow = (sketch, draw, x) => {
  const others = sketch.values.filter(({ shape }) => sameShape(shape, x.shape))
  const [other, op] = [draw.pick(others), draw.pick(BINARY)]
  sketch.add({ op, inputs: [x.id, other.id], outputs: [{ shape: x.shape, ...both(x, other, op) }] })
}

const biased: Grow = (sketch, draw, x) => {
  const shape = draw.narrowed(x.shape)
  const bias = { id: sketch.constant(draw.floats(shape, -1, 1)), shape, size: 1, error: 0 }
  const op = draw.pick(BINARY)
  sketch.add({ op, inputs: [x.id, bias.id], outputs: [{ shape: x.shape, ...both(x, bias, op) }] })
}

/** An operator that only moves elements, or leaves some out. */
const moved = (
  sketch: Sketch,
  x: Made,
  op: string,
  shape: Shape,
  constants: readonly Tensor[] = [],
  attributes: Record<string, Attribute> = {},
): void => {
  const inputs = [x.id, ...constants.map((tensor) => sketch.constant(tensor))]
  sketch.add({ op, inputs, attributes, outputs: [{ ...x, shape }] })
}

const transpose: Grow = (sketch, draw, x) => {
  const perm = draw.order(x.shape.length)
  moved(
    sketch,
    x,
    'Transpose',
    perm.map((i) => x.shape[i]!),
    [],
    { perm },
  )
}

const reshape: Grow = (sketch, draw, x) => {
  const at = draw.whole(0, x.shape.length)
  const parts = [x.shape.slice(0, at), x.shape.slice(at)].map(elements)
  const shape = draw.pick([parts, [parts[0]!, 1, parts[1]!], [...x.shape.slice(0, at), parts[1]!]])
  moved(sketch, x, 'Reshape', shape, [list(...shape)])
}

const slice: Grow = (sketch, draw, x) => {
  const axis = axisOf(draw, x)
  const size = x.shape[axis]!
  if (draw.chance(0.4)) {
    const backwards = [list(-1), list(-size - 1), list(axis), list(-1)]
    return moved(sketch, x, 'Slice', x.shape, backwards)
  }
  const start = draw.whole(0, size - 1)
  const end = draw.whole(start + 1, size)
  const lists = [list(start), list(end), list(axis)]
  return moved(sketch, x, 'Slice', x.shape.with(axis, end - start), lists)
}

const gather: Grow = (sketch, draw, x) => {
  const axis = axisOf(draw, x)
  const places = draw.integers([draw.whole(1, 6)], -x.shape[axis]!, x.shape[axis]! - 1)
  moved(sketch, x, 'Gather', x.shape.with(axis, places.shape[0]!), [places], { axis })
}

const pad: Grow = (sketch, draw, x) => {
  const pads = Array.from({ length: 2 * x.shape.length }, () => draw.whole(0, 2))
  const shape = x.shape.map((size, i) => size + pads[i]! + pads[i + x.shape.length]!)
  moved(sketch, x, 'Pad', shape, [list(...pads)], { mode: draw.pick(['constant', 'edge', 'wrap']) })
}

const tile: Grow = (sketch, draw, x) => {
  const repeats = x.shape.map(() => draw.pick([1, 1, 2]))
  moved(
    sketch,
    x,
    'Tile',
    x.shape.map((size, i) => size * repeats[i]!),
    [list(...repeats)],
  )
}

const concat: Grow = (sketch, draw, x) => {
  const axis = axisOf(draw, x)
  const alike = sketch.values.filter(
    ({ shape }) =>
      shape.length === x.shape.length && sameShape(shape.with(axis, 1), x.shape.with(axis, 1)),
  )
  const other = draw.pick(alike)
  const shape = x.shape.with(axis, x.shape[axis]! + other.shape[axis]!)
  const [size, error] = [Math.max(x.size, other.size), Math.max(x.error, other.error)]
  sketch.add({
    op: 'Concat',
    inputs: [x.id, other.id],
    attributes: { axis },
    outputs: [{ shape, size, error }],
  })
}

const split: Grow = (sketch, draw, x) => {
  const axis = axisOf(draw, x)
  const first = draw.whole(0, x.shape[axis]!)
  const sizes = [first, x.shape[axis]! - first].filter((size) => size > 0)
  const outputs = sizes.map((size) => ({ ...x, shape: x.shape.with(axis, size) }))
  const inputs = [x.id, sketch.constant(list(...sizes))]
  sketch.add({ op: 'Split', inputs, attributes: { axis }, outputs })
}

const reduce: Grow = (sketch, draw, x) => {
  const axes = draw.order(x.shape.length).slice(0, draw.whole(1, 2))
  const op = draw.pick(['ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceMean', 'ReduceL1'])
  const keepdims = draw.whole(x.shape.length > axes.length ? 0 : 1, 1)
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1)
  const gain = op === 'ReduceSum' || op === 'ReduceL1' ? count : 1
  const kept = x.shape.flatMap((size, i) =>
    axes.includes(i) ? (keepdims === 1 ? [1] : []) : [size],
  )
  const inputs = [x.id, sketch.constant(list(...axes))]
  const output = { shape: kept, size: gain * x.size, error: gain * x.error }
  sketch.add({ op, inputs, attributes: { keepdims }, outputs: [output] })
}

const softmax: Grow = (sketch, draw, x) => {
  const op = draw.pick(['Softmax', 'LogSoftmax'])
  const size = op === 'Softmax' ? 1 : 2 * x.size + 10
  // An exponent's rounding counts as much as the exponent is large.
  const error = 2 * x.error + x.size * 2 ** -20
  sketch.add({
    op,
    inputs: [x.id],
    attributes: { axis: axisOf(draw, x) },
    outputs: [{ shape: x.shape, size, error }],
  })
}

/** With an epsilon that keeps rows which are nearly constant from being blown up. */
const norm: Grow = (sketch, draw, x) => {
  const [op, axis] = [draw.pick(['LayerNormalization', 'RMSNormalization']), axisOf(draw, x)]
  const scale = sketch.constant(draw.floats(x.shape.slice(axis), -1, 1))
  const attributes = { axis, epsilon: 0.1 }
  const size = Math.sqrt(elements(x.shape.slice(axis)))
  const error = 10 * (x.error + x.size * 2 ** -20) * (1 + size)
  sketch.add({ op, inputs: [x.id, scale], attributes, outputs: [{ shape: x.shape, size, error }] })
}

const product: Grow = (sketch, draw, x) => {
  const inner = x.shape.at(-1)!
  const columns = draw.whole(1, 8)
  const weights = sketch.constant(draw.floats([inner, columns], -1, 1))
  const shape = [...x.shape.slice(0, -1), columns]
  const output = { shape, size: inner * x.size, error: inner * (x.error + x.size * 2 ** -22) }
  sketch.add({ op: 'MatMul', inputs: [x.id, weights], outputs: [output] })
}

const pool: Grow = (sketch, draw, x) => {
  if (x.shape.length < 3 || x.shape.length > 5) return
  const spatial = x.shape.slice(2)
  const kernel = spatial.map((size) => draw.whole(1, Math.min(3, size)))
  const attributes = {
    kernel_shape: kernel,
    pads: [...kernel, ...kernel].map((k) => Math.floor(k / 2)),
  }
  const shape = [
    ...x.shape.slice(0, 2),
    ...spatial.map((size, i) => size + 2 * Math.floor(kernel[i]! / 2) - kernel[i]! + 1),
  ]
  sketch.add({
    op: draw.pick(['MaxPool', 'AveragePool']),
    inputs: [x.id],
    attributes,
    outputs: [{ ...x, shape }],
  })
}

const conv: Grow = (sketch, draw, x) => {
  if (x.shape.length < 3 || x.shape.length > 5) return
  const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]]
  const [filters, kernel] = [draw.whole(1, 5), spatial.map(() => draw.pick([1, 3]))]
  const weights = sketch.constant(draw.floats([filters, channels, ...kernel], -0.5, 0.5))
  const terms = 0.5 * channels * elements(kernel)
  const pads = [...kernel, ...kernel].map((k) => Math.floor(k / 2))
  const output = {
    shape: [batch, filters, ...spatial],
    size: terms * x.size,
    error: terms * (x.error + x.size * 2 ** -22),
  }
  sketch.add({ op: 'Conv', inputs: [x.id, weights], attributes: { pads }, outputs: [output] })
}

const attention: Grow = (sketch, draw, x) => {
  if (x.shape.length !== 4 || x.size > 4) return
  // Scores are as steep as queries and keys are large.
  const score = 2 * Math.sqrt(x.shape[3]!) * x.size * (x.error + x.size * 2 ** -20)
  const error = x.error + 2 * x.size * score
  const attributes = { is_causal: draw.whole(0, 1) }
  sketch.add({
    op: 'Attention',
    inputs: [x.id, x.id, x.id],
    attributes,
    outputs: [{ ...x, error }],
  })
}

const running: Grow = (sketch, draw, x) => {
  const axis = axisOf(draw, x)
  const gain = x.shape[axis]!
  const attributes = { reverse: draw.whole(0, 1), exclusive: draw.whole(0, 1) }
  const inputs = [x.id, sketch.constant(list(axis))]
  const output = { shape: x.shape, size: gain * x.size, error: gain * x.error }
  sketch.add({ op: 'CumSum', inputs, attributes, outputs: [output] })
}

const chosen: Grow = (sketch, draw, x) => {
  const other = draw.pick(sketch.values.filter(({ shape }) => sameShape(shape, x.shape)))
  const test = sketch.constant(draw.bools(draw.narrowed(x.shape)))
  const [size, error] = [Math.max(x.size, other.size), Math.max(x.error, other.error)]
  sketch.add({
    op: 'Where',
    inputs: [test, x.id, other.id],
    outputs: [{ shape: x.shape, size, error }],
  })
}

/** Weights so small that what a moment is off by is halved with each one after it. */
const recurrent: Grow = (sketch, draw, x) => {
  if (x.shape.length !== 3) return
  const [moments, batch, features] = x.shape as [number, number, number]
  const hidden = draw.whole(1, 4)
  const weights = draw.floats([1, hidden, features], -0.5, 0.5)
  const state = draw.floats([1, hidden, hidden], -0.5 / hidden, 0.5 / hidden)
  const attributes = { direction: draw.pick(['forward', 'reverse']), hidden_size: hidden }
  const error = features * (x.error + x.size * 2 ** -20)
  const inputs = [x.id, sketch.constant(weights), sketch.constant(state)]
  const output = { shape: [moments, 1, batch, hidden], size: 1, error }
  sketch.add({ op: 'RNN', inputs, attributes, outputs: [output] })
}

const ALL: readonly Grow[] = [
  ...[unary, unary, unary, binary, binary, biased, biased, biased, transpose, transpose],
  ...[reshape, slice, gather, pad, tile, concat, split, reduce, softmax, norm, product],
  ...[pool, conv, attention, running, chosen, recurrent],
]

export const randomGraph = (seed: number): RandomTrial => {
  const draw = new Draw(seed)
  const sketch = new Sketch()
  const shape = draw.shape(draw.whole(1, 4))
  for (let i = draw.whole(1, 3); i > 0; i--) sketch.input(draw.floats(shape), 3)
  for (let i = draw.whole(2, 14); i > 0; i--) draw.pick(ALL)(sketch, draw, draw.pick(sketch.values))
  const outputs = new Set([sketch.values.at(-1)!, draw.pick(sketch.values)])
  return sketch.trial([...outputs])
}

export const boundOf = ({ graph, inputs }: RandomTrial): Bound => {
  const bound = bind(graph, inputs)
  if (!bound.ok) throw new Error(bound.error.detail)
  return bound.value
}

/** Drawn outputs may be inputs, or known beforehand: asked for are those that are computed. */
export const computedOf = (trial: RandomTrial): RandomTrial => {
  const made = new Set(boundOf(trial).nodes.flatMap(({ node }) => node.outputs))
  const { graph, errors } = trial
  const kept = graph.outputs.map((id) => made.has(id))
  return {
    ...trial,
    graph: { ...graph, outputs: graph.outputs.filter((_, i) => kept[i]) },
    errors: errors.filter((_, i) => kept[i]),
  }
}

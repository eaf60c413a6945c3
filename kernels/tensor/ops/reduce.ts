/** Reductions over any axes: a term for each element, something that combines them, a finish. */
import { isInf, log as logOf } from '../wgsl-math.ts'
import { gpuElement, isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axesIn, inputOf, intOf, intsOrInput } from '../op.ts'
import { reduce } from '../templates/reduce.ts'
import { transposeView } from '../view.ts'
import { list } from '../draw.ts'
import type { Build } from '../build.ts'
import type { Call, Op } from '../op.ts'
import type { Fold } from '../templates/fold.ts'
import type { Tensor } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'

type Reduction = {
  readonly kind: Fold
  readonly term?: { compute(x: number): number; wgsl(x: string): string }
  readonly finish?: { compute(found: number): number; wgsl(found: string): string }
  /** Divides by the number of elements. */
  readonly mean?: true
  readonly positive?: true
}

const COMBINE: Record<Fold, { initial: number; compute(a: number, b: number): number }> = {
  sum: { initial: 0, compute: (a, b) => a + b },
  prod: { initial: 1, compute: (a, b) => a * b },
  max: { initial: -Infinity, compute: Math.max },
  min: { initial: Infinity, compute: Math.min },
}

/** What is left of an axis list: the reduced axes in order, or what is wrong. */
const reducedAxes = (call: Call): readonly number[] | null => {
  const rank = inputOf(call, 0).shape.length
  const axes = intsOrInput(call, 'axes', 1)
  if (axes !== null && axes.length > 0) return axesIn(axes, rank)
  const none = intOf(call, 'noop_with_empty_axes', 0) !== 0
  return none ? [] : Array.from({ length: rank }, (_, i) => i)
}

const reducedShape = (call: Call, axes: readonly number[]): number[] => {
  const keep = intOf(call, 'keepdims', 1) !== 0
  return inputOf(call, 0).shape.flatMap((size, i) =>
    axes.includes(i) ? (keep ? [1] : []) : [size],
  )
}

/** Combines the terms of `x` over the axes; the result has the shape of what is kept. */
const reduceValue = (
  build: Build,
  x: Value,
  axes: readonly number[],
  { kind, term }: Pick<Reduction, 'kind' | 'term'>,
): Lazy => {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const terms =
    term === undefined ? x : build.pointwise(x.element, [x], ([name]) => term.wgsl(name!))
  const order = [...kept, ...axes]
  return reduce(
    build,
    build.move(terms, (view) => transposeView(view, order)),
    axes.length,
    kind,
  )
}

const reduction = (name: string, spec: Reduction): Op => ({
  name,
  inputs: [1, 2],
  attributes: { axes: 'ints', keepdims: 'int', noop_with_empty_axes: 'int' },
  shapeInputs: [1],
  infer(call) {
    const axes = reducedAxes(call)
    if (axes === null) return refuse('bad-shape', 'there is no such axis')
    return [{ element: inputOf(call, 0).element, shape: reducedShape(call, axes) }]
  },
  flop: (call) => sizeOf(inputOf(call, 0)),
  reference: (call, [x]) => [reduceNumbers(call, spec, x!)],
  lower(call, [x], build) {
    const axes = reducedAxes(call)!
    const { shape, element } = call.outputs[0]!
    const found = build.reshape(reduceValue(build, x!, axes, spec), shape)
    const count = axes.reduce((product, i) => product * x!.shape[i]!, 1)
    const { finish, mean } = spec
    if (finish === undefined && mean !== true) return [found]
    const alias = isFloat(element) ? 'F' : 'I'
    const text = ([name]: readonly string[]): string =>
      mean === true ? `${name} / ${alias}(${count})` : finish!.wgsl(name!)
    return [build.pointwise(gpuElement(element), [found], text, [logOf])]
  },
  cases: casesOf(spec.positive === true ? 0.1 : -2),
})

/** Straight from the definition: every element goes to the place that it is reduced to. */
const reduceNumbers = (
  call: Call,
  { kind, term, finish, mean }: Reduction,
  x: Tensor,
): Float64Array => {
  const { initial, compute } = COMBINE[kind]
  const termOf = term?.compute ?? ((value: number) => value)
  const { data } = x
  const found = new Float64Array(sizeOf(call.outputs[0]!)).fill(initial)
  eachRow(call, x, (first, length, start, step) => {
    if (step === 0) {
      let one = found[start]!
      for (let i = first; i < first + length; i++) one = compute(one, termOf(data[i]!))
      found[start] = one
      return
    }
    for (let i = 0; i < length; i++) {
      const place = start + i * step
      found[place] = compute(found[place]!, termOf(data[first + i]!))
    }
  })
  const count = reducedAxes(call)!.reduce((product, axis) => product * x.shape[axis]!, 1)
  return found.map((sum) => (mean === true ? sum / count : (finish?.compute(sum) ?? sum)))
}

/** Runs along the last dimension: their first element and length, and where they go in the result. */
const eachRow = (
  call: Call,
  { shape }: Tensor,
  run: (first: number, length: number, place: number, step: number) => void,
): void => {
  const axes = new Set(reducedAxes(call)!)
  const steps = [...shape]
  let size = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    steps[axis] = axes.has(axis) ? 0 : size
    if (!axes.has(axis)) size *= shape[axis]!
  }
  const length = shape.at(-1) ?? 1
  for (let first = 0; first < sizeOf({ shape }); first += length) {
    let rest = first / length
    let place = 0
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      place += (rest % shape[axis]!) * steps[axis]!
      rest = Math.floor(rest / shape[axis]!)
    }
    run(first, length, place, steps.at(-1) ?? 0)
  }
}

/** Few numbers far from 1, as a product of thousands would not stay within f32. */
const LONG: Op['cases'] = {
  'long rows': (draw) => ({
    inputs: [draw.floats([draw.whole(1, 3), 16_389], 0.999, 1.001), list(1)],
  }),
  'long columns': (draw) => ({
    inputs: [draw.floats([1203, draw.pick([4, 3, 8])], 0.999, 1.001), list(0)],
  }),
  'many rows': (draw) => ({
    attributes: { keepdims: draw.whole(0, 1) },
    inputs: [draw.floats([4 * draw.whole(64, 70), draw.whole(16, 300)], 0.999, 1.001), list(1)],
  }),
  'rows of rows': (draw) => ({
    inputs: [draw.floats([70, 3, draw.whole(299, 302)], 0.999, 1.001), list(0, -1)],
  }),
}

const casesOf = (low: number): Op['cases'] => ({
  'some axes as an input': (draw) => {
    const rank = draw.whole(1, 4)
    const axes = draw.order(rank).slice(0, draw.whole(1, rank))
    const signed = axes.map((axis) => (draw.chance(0.5) ? axis - rank : axis))
    const attributes = { keepdims: draw.whole(0, 1) }
    return { attributes, inputs: [draw.floats(draw.shape(rank), low, 2), list(...signed)] }
  },
  'all axes': (draw) => ({
    attributes: { keepdims: draw.whole(0, 1) },
    inputs: [draw.floats(draw.shape(draw.whole(0, 3)), low, 2), null],
  }),
  'no axes': (draw) => ({
    attributes: { noop_with_empty_axes: 1 },
    inputs: [draw.floats(draw.shape(2), low < 0 ? 0.1 : low, 2), null],
  }),
  'axes as an attribute': (draw) => ({
    opset: 11,
    attributes: { axes: [1] },
    inputs: [draw.floats(draw.shape(3), low, 2)],
  }),
})

/** The largest is taken out first: exp of it could be too large for f32. */
const logSumExp: Op = {
  ...reduction('ReduceLogSumExp', { kind: 'sum' }),
  flop: (call) => 4 * sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const finite = (peak: number): number => (Number.isFinite(peak) ? peak : 0)
    const peaks = reduceNumbers(call, { kind: 'max' }, x!).map(finite)
    const data = new Float64Array(x!.data.length)
    eachRow(call, x!, (first, length, place, step) => {
      for (let i = 0; i < length; i++)
        data[first + i] = x!.data[first + i]! - peaks[place + i * step]!
    })
    const term = { compute: Math.exp, wgsl: (name: string): string => `exp(${name})` }
    const sums = reduceNumbers(call, { kind: 'sum', term }, { ...x!, data })
    return [sums.map((sum, i) => Math.log(sum) + peaks[i]!)]
  },
  lower(call, [x], build) {
    const axes = reducedAxes(call)!
    const { shape } = call.outputs[0]!
    const input = build.realise(x!)
    const kept = input.shape.map((size, i) => (axes.includes(i) ? 1 : size))
    const found = reduceValue(build, input, axes, { kind: 'max' })
    const finite = ([peak]: readonly string[]): string =>
      `select(${peak}, F(0.0), is_inf(${peak!}))`
    const peak = build.realise(build.pointwise('f32', [found], finite, [isInf]))
    const wide = build.expand(build.reshape(peak, kept), input.shape)
    const less = build.pointwise('f32', [input, wide], ([value, most]) => `exp(${value} - ${most})`)
    const sum = reduceValue(build, less, axes, { kind: 'sum' })
    const log = build.pointwise(
      'f32',
      [sum, peak],
      ([total, most]) => `log_of(${total}) + ${most}`,
      [logOf],
    )
    return [build.reshape(log, shape)]
  },
}

const square = { compute: (x: number): number => x * x, wgsl: (x: string): string => `${x} * ${x}` }
const size = { compute: Math.abs, wgsl: (x: string): string => `abs(${x})` }
const log = { compute: Math.log, wgsl: (x: string): string => `log_of(${x})` }
const root = { compute: Math.sqrt, wgsl: (x: string): string => `sqrt(${x})` }

const sum = reduction('ReduceSum', { kind: 'sum' })
const min = reduction('ReduceMin', { kind: 'min' })

/** What they have in common is tried with two of them. */
export const REDUCTIONS: readonly Op[] = [
  { ...sum, cases: { ...sum.cases, ...LONG } },
  { ...min, cases: { ...min.cases, ...LONG } },
  reduction('ReduceMean', { kind: 'sum', mean: true }),
  reduction('ReduceMax', { kind: 'max' }),
  reduction('ReduceProd', { kind: 'prod' }),
  reduction('ReduceSumSquare', { kind: 'sum', term: square }),
  reduction('ReduceL1', { kind: 'sum', term: size }),
  reduction('ReduceL2', { kind: 'sum', term: square, finish: root }),
  reduction('ReduceLogSum', { kind: 'sum', finish: log, positive: true }),
  logSumExp,
]

/** Softmax and its logarithm along an axis; up to opset 12 along all axes from one on. */
import { exp, log } from '../wgsl-math.ts'
import { sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisIn, inputOf, intOf } from '../op.ts'
import { reduce } from '../templates/reduce.ts'
import { rows } from '../templates/rows.ts'
import { transposeView } from '../view.ts'
import type { Build } from '../build.ts'
import type { Call, Op } from '../op.ts'
import type { Statistic } from '../templates/row-kernel.ts'
import type { Lazy, Value } from '../value.ts'

/** Longer rows are not walked by one workgroup, as a slice cannot be less than that. */
const MAX_ROW = 2 ** 17

/** The axes that make a row, the last ones of an order that brings them there. */
export type Layout = { readonly order: readonly number[]; readonly rowRank: number }

export const layoutOf = (call: Call): Layout | null => {
  const rank = inputOf(call, 0).shape.length
  const old = call.opset < 13
  const axis = axisIn(intOf(call, 'axis', old ? 1 : -1), rank)
  if (axis === null) return null
  const all = Array.from({ length: rank }, (_, i) => i)
  if (old) return { order: all, rowRank: rank - axis }
  return { order: [...all.filter((i) => i !== axis), axis], rowRank: 1 }
}

const peak: Statistic = { combine: 'max', term: ({ inputs }) => inputs[0]! }
/** NaN has to stay: SwiftShader's own exp makes an infinity of it. */
const total: Statistic = {
  combine: 'sum',
  term: ({ inputs, statistics }) => `exp_of(${inputs[0]} - F(${statistics[0]}))`,
}

type Formula = (x: string, most: string, sum: string) => string

/** Long rows are walked by many. */
const byReductions = (build: Build, value: Value, rowRank: number, wgsl: Formula): Lazy => {
  const x = build.realise(value)
  const { shape } = x
  const spread = (statistic: Value): Lazy =>
    build.expand(
      build.reshape(
        build.realise(statistic),
        shape.map((size, i) => (i < shape.length - rowRank ? size : 1)),
      ),
      shape,
    )
  const most = spread(reduce(build, x, rowRank, 'max'))
  const powers = build.pointwise('f32', [x, most], ([a, b]) => `exp_of(${a} - ${b})`, [exp])
  const sum = spread(reduce(build, powers, rowRank, 'sum'))
  return build.pointwise('f32', [x, most, sum], ([a, b, c]) => wgsl(a!, b!, c!), [exp, log])
}

const softmaxOp = (
  name: string,
  compute: (x: number, most: number, sum: number) => number,
  wgsl: Formula,
): Op => ({
  name,
  inputs: [1, 1],
  attributes: { axis: 'int' },
  infer: (call) =>
    layoutOf(call) === null ? refuse('bad-shape', 'there is no such axis') : [inputOf(call, 0)],
  flop: (call) => 6 * sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const { shape, data } = x!
    const { order, rowRank } = layoutOf(call)!
    const axes = order.slice(order.length - rowRank)
    const [first, last] = [axes[0]!, axes.at(-1)!]
    const length = sizeOf({ shape: shape.slice(first, last + 1) })
    const step = sizeOf({ shape: shape.slice(last + 1) })
    const out = new Float64Array(data.length)
    for (let n = 0; n < data.length / length; n++) {
      const start = Math.floor(n / step) * length * step + (n % step)
      const places = Array.from({ length }, (_, i) => start + i * step)
      const most = places.reduce((found, at) => Math.max(found, data[at]!), -Infinity)
      const sum = places.reduce((found, at) => found + Math.exp(data[at]! - most), 0)
      for (const at of places) out[at] = compute(data[at]!, most, sum)
    }
    return [out]
  },
  lower(call, [x], build) {
    const { order, rowRank } = layoutOf(call)!
    const moved = build.move(x!, (view) => transposeView(view, order))
    const length = sizeOf({ shape: moved.shape.slice(moved.shape.length - rowRank) })
    const found =
      length > MAX_ROW
        ? byReductions(build, moved, rowRank, wgsl)
        : rows(build, {
            element: 'f32',
            shape: moved.shape,
            rowRank,
            inputs: [moved],
            statistics: [peak, total],
            body: ({ inputs, statistics }) => {
              const [most, sum] = [`F(${statistics[0]})`, `F(${statistics[1]})`]
              return wgsl(inputs[0]!, most, sum)
            },
            functions: [exp, log],
          })
    if (order.every((axis, i) => axis === i)) return [found]
    const back = order.map((_, i) => order.indexOf(i))
    return [build.move(found, (view) => transposeView(view, back))]
  },
  cases: {
    'any axis': (draw) => {
      const rank = draw.whole(1, 4)
      const attributes = { axis: draw.whole(-rank, rank - 1) }
      return { attributes, inputs: [draw.floats(draw.shape(rank), -20, 20)] }
    },
    'all axes from one on, as in opset 12': (draw) => ({
      opset: 12,
      attributes: { axis: draw.whole(0, 2) },
      inputs: [draw.floats(draw.shape(3))],
    }),
    'long rows': (draw) => {
      const rows = draw.chance(0.5)
      const shape = rows ? [2, 140_001] : [140_004, 3]
      return { attributes: { axis: rows ? 1 : 0 }, inputs: [draw.floats(shape, -20, 20)] }
    },
    'large numbers': () => ({
      inputs: [{ element: 'f32', shape: [2, 2], data: Float32Array.of(1e4, 1e4 + 1, -1e30, 3) }],
    }),
  },
})

export const SOFTMAX: readonly Op[] = [
  softmaxOp(
    'Softmax',
    (x, most, sum) => Math.exp(x - most) / sum,
    (x, most, sum) => `exp(${x} - ${most}) / ${sum}`,
  ),
  softmaxOp(
    'LogSoftmax',
    (x, most, sum) => x - most - Math.log(sum),
    (x, most, sum) => `${x} - ${most} - log_of(${sum})`,
  ),
]

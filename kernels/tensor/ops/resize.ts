/** Resize, and Upsample, which came before it: weighted places of the input, axis by axis. */
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axesIn, floatOf, inputOf, intOf, intsOf, knownInts, textOf } from '../op.ts'
import { list } from '../draw.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import { COORDINATES, ROUNDINGS, tapsOf } from './resize-taps.ts'
import type { Axis, Filter, Taps } from './resize-taps.ts'
import type { Draw } from '../draw.ts'
import type { Attribute } from '../graph.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Tensor } from '../tensor.ts'

/** Those of an axis are a table of the program; more than this is no picture. */
const MAX_WEIGHTS = 2 ** 20
/** Each resized axis binds a table: with the input that is what one kernel may read. */
const MAX_AXES = 5

type Plan = {
  /** One for each axis of the input. */
  readonly axes: readonly Axis[]
  readonly filter: Filter
}

const MODES: Readonly<Record<string, Filter['mode']>> = {
  nearest: 'nearest',
  linear: 'linear',
  bilinear: 'linear',
  cubic: 'cubic',
}

const filterOf = (call: Call, old: boolean): Filter | null => {
  const mode = MODES[textOf(call, 'mode', 'nearest')]
  const coordinates = old
    ? 'asymmetric'
    : textOf(call, 'coordinate_transformation_mode', 'half_pixel')
  const rounding = old ? 'floor' : textOf(call, 'nearest_mode', 'round_prefer_floor')
  if (mode === undefined || !COORDINATES.includes(coordinates) || !ROUNDINGS.includes(rounding))
    return null
  return {
    mode,
    coordinates,
    rounding,
    cubic: floatOf(call, 'cubic_coeff_a', -0.75),
    antialias: intOf(call, 'antialias', 0) !== 0 && mode !== 'nearest',
    excludeOutside: intOf(call, 'exclude_outside', 0) !== 0,
  }
}

const given = (call: Call, i: number): readonly number[] | null => {
  const numbers = knownInts(call, i)
  return numbers === null || numbers.length === 0 ? null : numbers
}

/** Before opset 11, and for Upsample, there were scales only. */
const isOld = (call: Call, name: string): boolean => name === 'Upsample' || call.opset < 11

const scalesOf = (
  call: Call,
  sizes: readonly number[],
  asked: readonly number[],
): readonly number[] => {
  const scales = asked.map((size, i) => size / sizes[i]!)
  switch (textOf(call, 'keep_aspect_ratio_policy', 'stretch')) {
    case 'not_larger':
      return scales.map(() => Math.min(...scales))
    case 'not_smaller':
      return scales.map(() => Math.max(...scales))
    default:
      return scales
  }
}

const planOf = (call: Call, name: string): Plan | null => {
  const { shape } = inputOf(call, 0)
  const old = isOld(call, name)
  const filter = filterOf(call, old)
  const named = axesIn(intsOf(call, 'axes') ?? shape.map((_, i) => i), shape.length)
  const scales = old ? (given(call, 1) ?? intsOf(call, 'scales')) : given(call, 2)
  const asked = old ? null : given(call, 3)
  const roi = old ? null : given(call, 1)
  if (filter === null || named === null || (scales === null) === (asked === null)) return null
  const numbers = asked ?? scales!
  if (numbers.length !== named.length || !numbers.every((x) => x > 0) || shape.includes(0))
    return null
  const own = named.map((axis) => shape[axis]!)
  const factors = asked === null ? scales! : scalesOf(call, own, asked)
  const kept = textOf(call, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch'
  const axes = shape.map((size, axis): Axis => {
    const i = named.indexOf(axis)
    if (i === -1) return { size, out: size, scale: 1, length: size, roi: [0, 1] }
    const scale = factors[i]!
    const out =
      asked === null ? Math.floor(size * scale) : kept ? Math.floor(size * scale + 0.5) : asked[i]!
    const length = asked === null || kept ? size * scale : out
    return { size, out, scale, length, roi: [roi?.[i] ?? 0, roi?.[i + named.length] ?? 1] }
  })
  return { axes, filter }
}

/** Axes that stay as they are have no taps. */
const allTaps = ({ axes, filter }: Plan): readonly (Taps | null)[] =>
  axes.map((axis) => {
    const whole = filter.coordinates !== 'tf_crop_and_resize' || axis.roi.join() === '0,1'
    return axis.out === axis.size && axis.scale === 1 && whole ? null : tapsOf(axis, filter)
  })

const resize = (name: string, cases: Op['cases']): Op => ({
  name,
  inputs: [1, 4],
  attributes: {
    mode: 'text',
    ...(name === 'Upsample'
      ? { scales: 'floats' }
      : {
          antialias: 'int',
          axes: 'ints',
          coordinate_transformation_mode: 'text',
          cubic_coeff_a: 'float',
          exclude_outside: 'int',
          extrapolation_value: 'float',
          keep_aspect_ratio_policy: 'text',
          nearest_mode: 'text',
        }),
  },
  shapeInputs: [1, 2, 3],
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', `pictures of ${element}`)
    const plan = planOf(call, name)
    if (plan === null) return refuse('bad-shape', 'no such mode, or sizes that do not fit')
    const weights = plan.axes.map(({ out, scale }) => out * 4 * (1 + Math.ceil(1 / scale)))
    if (!weights.every((count) => count <= MAX_WEIGHTS))
      return refuse('too-large', 'more weights than a picture has')
    if (plan.axes.filter(({ size, out }) => size !== out).length > MAX_AXES)
      return refuse('unsupported', `more than ${MAX_AXES} axes at once`)
    return [{ element, shape: plan.axes.map(({ out }) => out) }]
  },
  flop: (call) => 16 * sizeOf(call.outputs[0]!),
  reference(call, [x]) {
    const taps = allTaps(planOf(call, name)!)
    const filler = floatOf(call, 'extrapolation_value', 0)
    const sizes = taps.map((each) => each?.count ?? 1)
    return [
      fill(call.outputs[0]!.shape, (at) => {
        if (at.some((o, axis) => taps[axis]?.outside[o] === true)) return filler
        let sum = 0
        fill(sizes, (k) => {
          const index = at.map((o, axis) => o * sizes[axis]! + k[axis]!)
          const from = at.map((o, axis) => taps[axis]?.places[index[axis]!] ?? o)
          const weights = at.map((_, axis) => taps[axis]?.weights[index[axis]!] ?? 1)
          sum += weights.reduce((a, b) => a * b, 1) * x!.data[placeOf(x!.shape, from)]!
          return 0
        })
        return sum
      }),
    ]
  },
  lower(call, [x], build) {
    const taps = allTaps(planOf(call, name)!)
    const { shape } = call.outputs[0]!
    const resized = [...taps.entries()].flatMap(([axis, each]) =>
      each === null ? [] : [{ axis, taps: each }],
    )
    const tables = resized.map(({ axis, taps: each }) =>
      build.constant(tableOf(each, shape[axis]!)),
    )
    const filler = Math.fround(floatOf(call, 'extrapolation_value', 0))
    const found = nest(build, {
      element: 'f32',
      shape,
      inputs: [x!, ...tables],
      over: {
        sizes: resized.map(({ taps: each }) => each.count),
        combine: { initial: '0.0', step: (sum, term) => `${sum} + ${term}` },
      },
      flop: 4,
      body({ shader, out, over, inputs }) {
        const table = (i: number, column: string): string =>
          shader.read(inputs[i + 1]!, [out[resized[i]!.axis]!, over[i]!, column])
        const at = resized.reduce(
          (all, { axis }, i) => all.with(axis, shader.let(`i32(${table(i, '0')})`)),
          [...out],
        )
        const weights = resized.map((_, i) => table(i, '1'))
        return [shader.read(inputs[0]!, at), ...weights].join(' * ')
      },
      finish(sum, { shader, out, inputs }) {
        const outside = resized.flatMap(({ axis, taps: each }, i) =>
          each.outside.includes(true) ? [shader.read(inputs[i + 1]!, [out[axis]!, '0', '2'])] : [],
        )
        return outside.reduce((text, flag) => `select(${text}, f32(${filler}), ${flag} > 0.0)`, sum)
      },
    })
    return [found]
  },
  cases,
})

/** For each place and tap: where, how much, and whether the place lies outside. */
const tableOf = ({ count, places, weights, outside }: Taps, out: number): Tensor => ({
  element: 'f32',
  shape: [out, count, 3],
  data: Float64Array.from({ length: out * count * 3 }, (_, i) => {
    const at = Math.floor(i / 3)
    const flag = outside[Math.floor(at / count)] === true ? 1 : 0
    return [places[at]!, weights[at]!, flag][i % 3]!
  }),
})

const drawResize = (draw: Draw, attributes: Record<string, Attribute>): Sample => {
  const shape = [1, draw.whole(1, 2), draw.whole(1, 6), draw.whole(2, 6)]
  const sizes = [shape[0]!, shape[1]!, draw.whole(1, 9), draw.whole(1, 9)]
  const named = Object.hasOwn(attributes, 'axes') ? sizes.slice(2) : sizes
  const crop = attributes['coordinate_transformation_mode'] === 'tf_crop_and_resize'
  const roi: Tensor = { element: 'f32', shape: [4], data: Float64Array.of(0.1, -0.2, 0.9, 1.1) }
  return { attributes, inputs: [draw.floats(shape), crop ? roi : null, null, list(...named)] }
}

const scaled = (draw: Draw): Tensor => {
  const data = Float64Array.of(1, 1, draw.pick([0.6, 1.5, 2]), draw.pick([0.5, 1, 3]))
  return { element: 'f32', shape: [4], data }
}

export const RESIZES: readonly Op[] = [
  resize('Resize', {
    'any mode': (draw) =>
      drawResize(draw, {
        mode: draw.pick(['nearest', 'linear', 'cubic']),
        coordinate_transformation_mode: draw.pick(COORDINATES.slice(0, 5)),
        nearest_mode: draw.pick(ROUNDINGS),
        antialias: draw.whole(0, 1),
        exclude_outside: draw.whole(0, 1),
      }),
    'a part, and what lies outside of it': (draw) =>
      drawResize(draw, {
        axes: [2, 3],
        mode: draw.pick(['nearest', 'linear', 'cubic']),
        coordinate_transformation_mode: 'tf_crop_and_resize',
        extrapolation_value: 10,
      }),
    scales: (draw) => ({
      attributes: { mode: 'linear' },
      inputs: [draw.floats([1, 2, 4, 6]), null, scaled(draw)],
    }),
  }),
  resize('Upsample', {
    scales: (draw) => ({
      opset: 9,
      attributes: { mode: draw.pick(['nearest', 'linear']) },
      inputs: [draw.floats([1, 1, 3, 4]), scaled(draw)],
    }),
  }),
]

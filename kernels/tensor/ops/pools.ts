/** AveragePool and LpPool: what windows add up to. */
import * as math from '../wgsl-math.ts'
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf, intsOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import {
  drawWindows,
  isInside,
  lookAt,
  lookText,
  reach,
  WINDOW_ATTRIBUTES,
  windowsOf,
} from './windows.ts'
import type { Build } from '../build.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Nest } from '../templates/nest.ts'
import type { Shape } from '../tensor.ts'
import type { Deferred, Value } from '../value.ts'
import type { Window } from './windows.ts'

export type Pool = {
  readonly windows: readonly Window[]
  readonly kernel: Shape
  readonly shape: Shape
}

export const poolOf = (call: Call): Pool | null => {
  const { shape } = inputOf(call, 0)
  const kernel = intsOf(call, 'kernel_shape')
  const windows = kernel === null ? null : windowsOf(call, shape.slice(2), kernel)
  if (kernel === null || windows === null) return null
  return { windows, kernel, shape: [shape[0]!, shape[1]!, ...windows.map(({ out }) => out)] }
}

export const inferPool: Op['infer'] = (call) => {
  const { element } = inputOf(call, 0)
  const pool = poolOf(call)
  return pool === null
    ? refuse('bad-shape', 'the input and the windows do not fit')
    : [{ element, shape: pool.shape }]
}

export const poolFlop = (call: Call): number =>
  sizeOf(call.outputs[0]!) * sizeOf({ shape: poolOf(call)!.kernel })

export const drawPool = (draw: Draw, attributes: Sample['attributes'] = {}): Sample => {
  const spatial = Array.from({ length: draw.whole(1, 3) }, () => draw.whole(1, 9))
  const x = draw.floats([draw.whole(1, 2), draw.whole(1, 3), ...spatial])
  return { attributes: { ...attributes, ...drawWindows(draw, spatial) }, inputs: [x] }
}

/** Sums of a term over each window; what lies outside of the input adds nothing. */
const sums = (
  build: Build,
  x: Value,
  pool: Pool,
  { term, finish }: { term(x: string): string; readonly finish: NonNullable<Nest['finish']> },
): Deferred =>
  nest(build, {
    element: 'f32',
    shape: pool.shape,
    inputs: [x],
    over: {
      sizes: pool.kernel,
      combine: { initial: '0.0', step: (sum, next) => `${sum} + ${next}` },
    },
    functions: [math.pow],
    finish,
    body({ shader, out, over, inputs }) {
      const { at, inside } = lookText(shader, pool.windows, out.slice(2), over)
      const value = shader.read(inputs[0]!, [...out.slice(0, 2), ...at])
      return inside === 'true' ? term(value) : `select(0.0, ${term(value)}, ${inside})`
    },
  })

const numbersOf = (
  { data, shape }: { readonly data: ArrayLike<number>; readonly shape: Shape },
  { windows, kernel }: Pool,
  [n, channel, ...o]: readonly number[],
): readonly number[] => {
  const found: number[] = []
  fill(kernel, (k) => {
    const at = lookAt(windows, o, k)
    if (isInside(windows, at)) found.push(data[placeOf(shape, [n!, channel!, ...at])]!)
    return 0
  })
  return found
}

/** The part of the input, and of its pads where they count, that a place has to lie in to count. */
const countedOf = ({ size, before, after }: Window, pads: boolean): readonly [number, number] =>
  pads ? [-before, size + after] : [0, size]

/** How many places of window `o` count, along one dimension. */
const countOf = (window: Window, pads: boolean, o: number): number => {
  const [low, high] = countedOf(window, pads)
  const places = Array.from({ length: window.kernel }, (_, k) => lookAt([window], [o], [k])[0]!)
  return places.filter((at) => at >= low && at < high).length
}

/** The same in WGSL, without a loop. */
const countText = (window: Window, pads: boolean, o: string): string => {
  const { kernel, stride, dilation, before, out } = window
  const [low, high] = countedOf(window, pads)
  if (low <= -before && (out - 1) * stride - before + reach(window) <= high) return String(kernel)
  const first = `${o} * ${stride} - ${before}`
  const up = (to: string): string => `(${to} + ${dilation - 1}) / ${dilation}`
  const skipped = up(`max(0, ${low} - (${first}))`)
  return `(min(${kernel}, ${up(`max(0, ${high} - (${first}))`)}) - ${skipped})`
}

const withPads = (call: Call): boolean => intOf(call, 'count_include_pad', 0) !== 0

const averagePool: Op = {
  name: 'AveragePool',
  inputs: [1, 1],
  attributes: { ...WINDOW_ATTRIBUTES, ceil_mode: 'int', count_include_pad: 'int' },
  infer: (call) =>
    isFloat(inputOf(call, 0).element) ? inferPool(call) : refuse('unsupported', 'no floats'),
  flop: poolFlop,
  reference(call, [x]) {
    const pool = poolOf(call)!
    return [
      fill(pool.shape, (at) => {
        const counts = pool.windows.map((window, i) => countOf(window, withPads(call), at[i + 2]!))
        const sum = numbersOf(x!, pool, at).reduce((a, b) => a + b, 0)
        return sum / counts.reduce((product, count) => product * count, 1)
      }),
    ]
  },
  lower(call, [x], build) {
    const pool = poolOf(call)!
    const pads = withPads(call)
    return [
      sums(build, x!, pool, {
        term: (value) => value,
        finish(sum, { out }) {
          const counts = pool.windows.map((window, i) => countText(window, pads, out[i + 2]!))
          return `${sum} / f32(${counts.join(' * ')})`
        },
      }),
    ]
  },
  cases: {
    'any windows': (draw) => drawPool(draw, { count_include_pad: draw.whole(0, 1) }),
    'windows that reach beyond the end': (draw) =>
      drawPool(draw, { count_include_pad: draw.whole(0, 1), ceil_mode: 1 }),
  },
}

const powerOf = (call: Call): number => intOf(call, 'p', 2)

/** |x|^p, and its inverse: plain arithmetic for the two that people use. */
export const powerText = (p: number, x: string): string =>
  p === 1 ? `abs(${x})` : p === 2 ? `${x} * ${x}` : `pow_of(abs(${x}), F(${p}))`
export const rootText = (p: number, x: string): string =>
  p === 1 ? x : p === 2 ? `sqrt(${x})` : `pow_of(${x}, F(${1 / p}))`

const lpPool: Op = {
  name: 'LpPool',
  inputs: [1, 1],
  attributes: { ...WINDOW_ATTRIBUTES, ceil_mode: 'int', p: 'int' },
  infer: (call) =>
    isFloat(inputOf(call, 0).element) && powerOf(call) >= 1
      ? inferPool(call)
      : refuse('unsupported', 'no floats, or no such norm'),
  flop: poolFlop,
  reference(call, [x]) {
    const pool = poolOf(call)!
    const p = powerOf(call)
    return [
      fill(pool.shape, (at) => {
        return (
          numbersOf(x!, pool, at).reduce((sum, value) => sum + Math.abs(value) ** p, 0) ** (1 / p)
        )
      }),
    ]
  },
  lower(call, [x], build) {
    const p = powerOf(call)
    const term = (value: string): string => powerText(p, value)
    return [sums(build, x!, poolOf(call)!, { term, finish: (sum) => rootText(p, sum) })]
  },
  cases: {
    'any windows': (draw) => drawPool(draw, { p: draw.whole(1, 3), ceil_mode: draw.whole(0, 1) }),
  },
}

export const POOLS: readonly Op[] = [averagePool, lpPool]

/** GridSample: what lies at the places of a picture that a grid names, between its elements too. */
import { allOf } from '../conditions.ts'
import { wgsl } from '../wgsl-math.ts'
import { sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, inputOf, intOf, textOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import { roundEven } from './special-functions.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shader } from '../shader.ts'
import type { Shape, Tensor } from '../tensor.ts'

type Mode = 'nearest' | 'linear' | 'cubic'
type Padding = 'zeros' | 'border' | 'reflection'

/** Up to opset 19 pictures had two dimensions, and the modes were named after that. */
const MODES: Readonly<Record<string, Mode>> = {
  nearest: 'nearest',
  linear: 'linear',
  bilinear: 'linear',
  cubic: 'cubic',
  bicubic: 'cubic',
}
const PADDINGS: readonly string[] = ['zeros', 'border', 'reflection']

/** How many elements along an axis a place is made of, and the first of them, from the one at or before it. */
const TAPS: Readonly<Record<Mode, { readonly count: number; readonly first: number }>> = {
  nearest: { count: 1, first: 0 },
  linear: { count: 2, first: 0 },
  cubic: { count: 4, first: -1 },
}

/** @source R. Keys, Cubic convolution interpolation, 1981, with the coefficient that PyTorch and ONNX take */
const CUBIC = -0.75

type Plan = {
  readonly mode: Mode
  readonly padding: Padding
  /** Along each axis: its elements, and where it is mirrored. */
  readonly axes: readonly { readonly size: number; readonly low: number; readonly high: number }[]
  /** A place is (1 + number) * scale + offset. */
  readonly align: boolean
  readonly shape: Shape
}

/** A place has up to four times as many neighbours with each dimension. */
const MAX_RANK = 3

const planOf = (call: Call): Plan | null => {
  const [x, grid] = [inputOf(call, 0).shape, inputOf(call, 1).shape]
  const mode = MODES[textOf(call, 'mode', 'linear')]
  const padding = textOf(call, 'padding_mode', 'zeros')
  const spatial = x.slice(2)
  const fits =
    x.length >= 3 &&
    spatial.length <= MAX_RANK &&
    grid.length === x.length &&
    grid[0] === x[0] &&
    grid.at(-1) === spatial.length
  if (mode === undefined || !PADDINGS.includes(padding) || !fits) return null
  const shape = [x[0]!, x[1]!, ...grid.slice(1, -1)]
  if (spatial.includes(0) && sizeOf({ shape }) > 0) return null
  const align = intOf(call, 'align_corners', 0) !== 0
  const axes = spatial.map((size) => {
    return align ? { size, low: 0, high: size - 1 } : { size, low: -0.5, high: size - 0.5 }
  })
  return { mode, padding: padding as Padding, axes, align, shape }
}

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x))

const mirrored = (x: number, low: number, high: number): number => {
  const span = high - low
  if (span === 0) return low
  const far = Math.abs(x - low) % (2 * span)
  return low + (far > span ? 2 * span - far : far)
}

const mirror = wgsl(
  'mirror',
  `fn mirror(x: f32, low: f32, high: f32) -> f32 {
  let span = high - low;
  let far = abs(x - low) - 2.0 * span * floor(abs(x - low) / (2.0 * span));
  return low + select(far, 2.0 * span - far, far > span);
}`,
)

const weightOf = (mode: Mode, far: number): number => {
  const d = Math.abs(far)
  if (mode === 'nearest') return 1
  if (mode === 'linear') return Math.max(0, 1 - d)
  if (d <= 1) return ((CUBIC + 2) * d - (CUBIC + 3)) * d * d + 1
  return d < 2 ? ((CUBIC * d - 5 * CUBIC) * d + 8 * CUBIC) * d - 4 * CUBIC : 0
}

const cubicWeight = wgsl(
  'cubic_weight',
  `fn cubic_weight(far: f32) -> f32 {
  let d = abs(far);
  let near = ((${CUBIC + 2} * d - ${CUBIC + 3}) * d) * d + 1.0;
  let edge = ((${CUBIC} * d - ${5 * CUBIC}) * d + ${8 * CUBIC}) * d - ${4 * CUBIC};
  return select(select(edge, near, d <= 1.0), 0.0, d >= 2.0);
}`.replaceAll('- -', '+ '),
)

/** Where a number of the grid points to, after what is done with places outside. */
const placeAlong = ({ mode, padding, axes, align }: Plan, axis: number, number: number): number => {
  const { size, low, high } = axes[axis]!
  const exact = align ? ((number + 1) / 2) * (size - 1) : ((number + 1) * size - 1) / 2
  const x = mode === 'nearest' ? roundEven(exact) : exact
  if ((x >= low && x <= high) || padding === 'zeros') return x
  return padding === 'border' ? clamp(x, 0, size - 1) : mirrored(x, low, high)
}

const placeText = (
  shader: Shader,
  { mode, padding, axes, align }: Plan,
  axis: number,
  number: string,
): string => {
  const { size, low, high } = axes[axis]!
  const exact = align
    ? `(${number} + 1.0) * ${(size - 1) / 2}`
    : `((${number} + 1.0) * ${size} - 1.0) * 0.5`
  const x = shader.let(mode === 'nearest' ? `round(${exact})` : exact)
  if (padding === 'zeros') return x
  const moved = padding === 'border' ? `clamp(${x}, 0.0, ${size - 1})` : mirrorText(x, low, high)
  return shader.let(`select(${moved}, ${x}, ${allOf([`${x} >= ${low}`, `${x} <= ${high}`])})`)
}

const mirrorText = (x: string, low: number, high: number): string =>
  low === high ? `f32(${low})` : `mirror(${x}, ${low}, ${high})`

/** Where along an axis a tap reads: always inside, and whether it truly does. */
const tapText = (
  shader: Shader,
  { padding, axes }: Plan,
  axis: number,
  tap: string,
): { readonly at: string; readonly inside: readonly string[] } => {
  const { size, low, high } = axes[axis]!
  const seen =
    padding === 'reflection' ? `i32(round(${mirrorText(`f32(${tap})`, low, high)}))` : tap
  const at = shader.let(`clamp(${seen}, 0, ${size - 1})`)
  return { at, inside: padding === 'zeros' ? [`${tap} >= 0`, `${tap} < ${size}`] : [] }
}

const weightText = (mode: Mode, far: string): string => {
  if (mode === 'nearest') return '1.0'
  return mode === 'linear' ? `max(0.0, 1.0 - abs(${far}))` : `cubic_weight(${far})`
}

export const gridSample: Op = {
  name: 'GridSample',
  inputs: [2, 2],
  attributes: { align_corners: 'int', mode: 'text', padding_mode: 'text' },
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!areFloats(call)) return refuse('unsupported', `pictures of ${element}`)
    const plan = planOf(call)
    return plan === null
      ? refuse('bad-shape', 'no such mode, more than three dimensions, or a grid that does not fit')
      : [{ element, shape: plan.shape }]
  },
  flop: (call) =>
    8 *
    sizeOf(call.outputs[0]!) *
    TAPS[planOf(call)!.mode].count ** (inputOf(call, 0).shape.length - 2),
  reference(call, [x, grid]) {
    const plan = planOf(call)!
    const { mode, padding, axes } = plan
    const { count, first } = TAPS[mode]
    return [
      fill(plan.shape, ([n, channel, ...o]) => {
        // The grid names the last axis first.
        const places = axes.map((_, axis) => {
          const part = placeOf(grid!.shape, [n!, ...o, axes.length - 1 - axis])
          return placeAlong(plan, axis, grid!.data[part]!)
        })
        let sum = 0
        fill(
          axes.map(() => count),
          (k) => {
            const taps = places.map((place, axis) => Math.floor(place) + first + k[axis]!)
            const weights = places.map((place, axis) => weightOf(mode, place - taps[axis]!))
            const outside = taps.some((tap, axis) => tap < 0 || tap >= axes[axis]!.size)
            if (padding === 'zeros' && outside) return 0
            const at = taps.map((tap, axis) => {
              const { size, low, high } = axes[axis]!
              const seen = padding === 'reflection' ? Math.round(mirrored(tap, low, high)) : tap
              return clamp(seen, 0, size - 1)
            })
            const value = x!.data[placeOf(x!.shape, [n!, channel!, ...at])]!
            return (sum += value * weights.reduce((a, b) => a * b, 1))
          },
        )
        return sum
      }),
    ]
  },
  lower(call, [x, grid], build) {
    const plan = planOf(call)!
    const { mode, axes, shape } = plan
    const { count, first } = TAPS[mode]
    const found = nest(build, {
      element: 'f32',
      shape,
      inputs: [build.realise(x!), grid!],
      functions: [mirror, cubicWeight],
      flop: 8 * count ** axes.length,
      body({ shader, out, inputs }) {
        const [n, channel, ...o] = out as [string, string, ...string[]]
        const places = axes.map((_, axis) => {
          const number = shader.read(inputs[1]!, [n, ...o, String(axes.length - 1 - axis)])
          return placeText(shader, plan, axis, number)
        })
        const begins = places.map((place) => shader.let(`i32(floor(${place})) + ${first}`))
        const sum = shader.var('0.0')
        for (const [axis] of axes.entries())
          shader.line(`for (var k${axis} = 0; k${axis} < ${count}; k${axis}++) {`)
        const taps = begins.map((begin, axis) => shader.let(`${begin} + k${axis}`))
        const looks = taps.map((tap, axis) => tapText(shader, plan, axis, tap))
        const weights = taps.map((tap, axis) => weightText(mode, `${places[axis]!} - f32(${tap})`))
        const value = shader.read(inputs[0]!, [n, channel, ...looks.map(({ at }) => at)])
        const inside = allOf(looks.flatMap((look) => look.inside))
        shader.line(`${sum} += select(0.0, ${value}, ${inside}) * ${weights.join(' * ')};`)
        for (const _ of axes) shader.line('}')
        return sum
      },
    })
    return [found]
  },
  cases: {
    'one dimension': (draw) => drawGrid(draw, 1),
    'two dimensions': (draw) => drawGrid(draw, 2),
    'three dimensions': (draw) => drawGrid(draw, 3),
  },
}

const drawGrid = (draw: Draw, rank: number): Sample => {
  const [n, spatial] = [draw.whole(1, 2), draw.shape(rank).map((size) => Math.min(size, 5))]
  const out = Array.from({ length: rank }, () => draw.whole(1, 5))
  // Sixteenths, so that no place is rounded over to another element.
  const numbers = draw.integers([n, ...out, rank], -40, 40)
  const grid: Tensor = { ...numbers, element: 'f32', data: numbers.data.map((x) => x / 16) }
  const attributes = {
    mode: draw.pick(['nearest', 'linear', 'cubic']),
    padding_mode: draw.pick(PADDINGS),
    align_corners: draw.whole(0, 1),
  }
  return { attributes, inputs: [draw.floats([n, draw.whole(1, 3), ...spatial]), grid] }
}

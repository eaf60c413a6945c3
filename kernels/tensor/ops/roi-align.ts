/** RoiAlign: regions of a picture, each cut into bins, each bin pooled over places between elements. */
import { anyOf } from '../conditions.ts'
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, floatOf, inputOf, intOf, textOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { maxNan } from '../wgsl-math.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shader } from '../shader.ts'
import type { Tensor } from '../tensor.ts'
import type { View } from '../view.ts'
import type { Pointwise } from '../value.ts'

/** Along each side of a bin: a region is a stranger's number, and a bin is one invocation's work. */
const MAX_SAMPLES = 256
const MAX_BINS = 2 ** 12

type Plan = {
  readonly max: boolean
  /** Bins along height and width, and samples along each side of them; 0 for as many as elements. */
  readonly bins: readonly [number, number]
  readonly samples: number
  readonly scale: number
  /** Half an element: places are those of centres. */
  readonly half: boolean
}

const planOf = (call: Call): Plan | null => {
  const mode = textOf(call, 'mode', 'avg')
  const older = call.opset < 16 ? 'output_half_pixel' : 'half_pixel'
  const places = textOf(call, 'coordinate_transformation_mode', older)
  const bins = [intOf(call, 'output_height', 1), intOf(call, 'output_width', 1)] as const
  const samples = intOf(call, 'sampling_ratio', 0)
  const fits =
    ['avg', 'max'].includes(mode) &&
    ['half_pixel', 'output_half_pixel'].includes(places) &&
    bins.every((count) => count >= 1 && count <= MAX_BINS) &&
    samples >= 0 &&
    samples <= MAX_SAMPLES
  const scale = floatOf(call, 'spatial_scale', 1)
  return fits ? { max: mode === 'max', bins, samples, scale, half: places === 'half_pixel' } : null
}

const fits = (call: Call): boolean => {
  const [x, rois, batch] = [0, 1, 2].map((i) => inputOf(call, i).shape)
  const count = batch![0]
  if (x!.length !== 4 || batch!.length !== 1 || rois!.join() !== [count, 4].join()) return false
  return count === 0 || x![1] === 0 || !x!.includes(0)
}

/** Where the bins of an axis begin, how long they are, and how many samples each has. */
type Side = { readonly start: number; readonly bin: number; readonly samples: number }

const sideOf = (
  { bins, samples, scale, half }: Plan,
  axis: 0 | 1,
  ends: readonly number[],
): Side => {
  const [start, end] = [ends[0]! * scale - (half ? 0.5 : 0), ends[1]! * scale - (half ? 0.5 : 0)]
  const length = half ? end - start : Math.max(end - start, 1)
  const bin = length / bins[axis]
  const own = samples > 0 ? samples : Math.max(0, Math.min(MAX_SAMPLES, Math.ceil(bin)))
  return { start, bin, samples: own }
}

/** The two elements next to a place, and their weights; null where it is outside. */
const neighbours = (place: number, size: number): readonly (readonly [number, number])[] | null => {
  if (place < -1 || place > size) return null
  const inside = Math.max(0, Math.min(size - 1, place))
  const low = Math.floor(inside)
  return [
    [low, 1 - (inside - low)],
    [Math.min(low + 1, size - 1), inside - low],
  ]
}

export const roiAlign: Op = {
  name: 'RoiAlign',
  inputs: [3, 3],
  attributes: {
    coordinate_transformation_mode: 'text',
    mode: 'text',
    output_height: 'int',
    output_width: 'int',
    sampling_ratio: 'int',
    spatial_scale: 'float',
  },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!areFloats(call, 2) || isFloat(inputOf(call, 2).element))
      return refuse('unsupported', `pictures of ${element}`)
    const plan = planOf(call)
    if (plan === null || !fits(call))
      return refuse('bad-shape', 'no such mode, or regions that do not fit')
    return [{ element, shape: [inputOf(call, 1).shape[0]!, shape[1]!, ...plan.bins] }]
  },
  flop: (call) => sizeOf(call.outputs[0]!) * termFlop(call),
  reference(call, [x, rois, batch]) {
    const plan = planOf(call)!
    const [images, , height, width] = x!.shape as [number, number, number, number]
    return [
      fill(call.outputs[0]!.shape, ([n, channel, row, column]) => {
        const [left, top, right, bottom] = [0, 1, 2, 3].map((i) => rois!.data[n! * 4 + i]!)
        const image = Math.max(0, Math.min(images - 1, batch!.data[n!]!))
        const [y, across] = [sideOf(plan, 0, [top!, bottom!]), sideOf(plan, 1, [left!, right!])]
        const found: number[] = []
        for (let i = 0; i < y.samples; i++)
          for (let j = 0; j < across.samples; j++) {
            const rows = neighbours(y.start + (row! + (i + 0.5) / y.samples) * y.bin, height)
            const part = (column! + (j + 0.5) / across.samples) * across.bin
            const columns = neighbours(across.start + part, width)
            if (rows === null || columns === null) {
              found.push(0)
              continue
            }
            const corners = rows.flatMap(([at, weight]) =>
              columns.map(([beside, other]) => {
                const place = placeOf(x!.shape, [image, channel!, at, beside])
                return weight * other * x!.data[place]!
              }),
            )
            // As ONNX has it: the largest of the weighted corners, not of what lies between them.
            found.push(plan.max ? Math.max(...corners) : corners.reduce((a, b) => a + b, 0))
          }
        if (found.length === 0) return 0
        return plan.max
          ? found.reduce((a, b) => Math.max(a, b))
          : found.reduce((a, b) => a + b, 0) / found.length
      }),
    ]
  },
  lower(call, [x, rois, batch], build) {
    const plan = planOf(call)!
    const found = nest(build, {
      element: 'f32',
      shape: call.outputs[0]!.shape,
      inputs: [build.realise(x!), build.realise(rois!), batch!],
      functions: [maxNan],
      flop: termFlop(call),
      body: ({ shader, out, inputs }) =>
        binText(shader, plan, x!.shape, inputs, out as readonly [string, string, string, string]),
    })
    return [found]
  },
  cases: {
    'any mode': (draw) => drawRegions(draw, 0),
    'a number of samples': (draw) => drawRegions(draw, draw.whole(1, 3)),
  },
}

const termFlop = (call: Call): number => {
  const samples = planOf(call)!.samples
  return 16 * (samples === 0 ? 4 : samples) ** 2
}

type SideText = { readonly start: string; readonly bin: string; readonly samples: string }

const sideText = (
  shader: Shader,
  { bins, samples, scale, half }: Plan,
  axis: 0 | 1,
  ends: readonly string[],
): SideText => {
  const place = (end: string): string =>
    shader.let(`${end} * ${Math.fround(scale)}f${half ? ' - 0.5' : ''}`)
  const [start, end] = [place(ends[0]!), place(ends[1]!)]
  const length = half ? `(${end} - ${start})` : `max(${end} - ${start}, 1.0)`
  const bin = shader.let(`${length} / ${bins[axis]}.0`)
  const own = samples > 0 ? String(samples) : `clamp(i32(ceil(${bin})), 0, ${MAX_SAMPLES})`
  return { start, bin, samples: shader.let(own) }
}

/** WGSL name of a place along an axis: sample `i` of bin number `at`. */
const placeText = (
  shader: Shader,
  { start, bin, samples }: SideText,
  at: string,
  i: string,
): string => shader.let(`${start} + (f32(${at}) + (f32(${i}) + 0.5) / f32(${samples})) * ${bin}`)

const neighboursText = (
  shader: Shader,
  place: string,
  size: number,
): readonly (readonly [string, string])[] => {
  const inside = shader.let(`clamp(${place}, 0.0, ${size - 1}.0)`)
  const low = shader.let(`clamp(i32(floor(${inside})), 0, ${size - 1})`)
  const part = shader.let(`${inside} - f32(${low})`)
  return [
    [low, `(1.0 - ${part})`],
    [shader.let(`min(${low} + 1, ${size - 1})`), part],
  ]
}

const binText = (
  shader: Shader,
  plan: Plan,
  shape: readonly number[],
  inputs: readonly (View | Pointwise)[],
  [n, channel, row, column]: readonly [string, string, string, string],
): string => {
  const [images, , height, width] = shape as [number, number, number, number]
  const [left, top, right, bottom] = ['0', '1', '2', '3'].map((i) =>
    shader.read(inputs[1]!, [n, i]),
  )
  const image = shader.let(`clamp(${shader.read(inputs[2]!, [n])}, 0, ${images - 1})`)
  const y = sideText(shader, plan, 0, [top!, bottom!])
  const across = sideText(shader, plan, 1, [left!, right!])
  const found = shader.var(plan.max ? '-3.4028234663852886e38' : '0.0')
  shader.line(`for (var i = 0; i < ${y.samples}; i++) {`)
  shader.line(`for (var j = 0; j < ${across.samples}; j++) {`)
  const [py, px] = [placeText(shader, y, row, 'i'), placeText(shader, across, column, 'j')]
  const outside = anyOf([
    `${py} < -1.0`,
    `${py} > ${height}.0`,
    `${px} < -1.0`,
    `${px} > ${width}.0`,
  ])
  const columns = neighboursText(shader, px, width)
  const corners = neighboursText(shader, py, height).flatMap(([at, weight]) =>
    columns.map(([beside, other]) =>
      shader.let(`${weight} * ${other} * ${shader.read(inputs[0]!, [image, channel, at, beside])}`),
    ),
  )
  const join = (a: string, b: string): string => (plan.max ? `max_nan(${a}, ${b})` : `${a} + ${b}`)
  const value = shader.let(`select(${corners.reduce(join)}, 0.0, ${outside})`)
  shader.line(`${found} = ${join(found, value)};`)
  shader.line('}')
  shader.line('}')
  const count = shader.let(`${y.samples} * ${across.samples}`)
  const all = plan.max ? found : `${found} / f32(${count})`
  return `select(${all}, 0.0, ${count} == 0)`
}

const drawRegions = (draw: Draw, samples: number): Sample => {
  const shape = [draw.whole(1, 2), draw.whole(1, 3), draw.whole(2, 9), draw.whole(2, 9)]
  const count = draw.whole(1, 3)
  // Corners on 37ths: no bin is next to a whole number of elements, and no sample next to the edge.
  const corner = (low: number, high: number): number => draw.whole(low * 37 + 1, high * 37) / 37
  const data = Array.from({ length: count }, () => {
    const [left, top] = [corner(0, 4), corner(0, 4)]
    return [left, top, left + corner(0, 5), top + corner(0, 5)]
  })
  const rois: Tensor = { element: 'f32', shape: [count, 4], data: Float32Array.from(data.flat()) }
  const attributes = {
    mode: draw.pick(['avg', 'max']),
    coordinate_transformation_mode: draw.pick(['half_pixel', 'output_half_pixel']),
    output_height: draw.whole(1, 3),
    output_width: draw.whole(1, 3),
    sampling_ratio: samples,
    spatial_scale: draw.pick([1, 0.5]),
  }
  return {
    attributes,
    inputs: [draw.floats(shape), rois, draw.integers([count], 0, shape[0]! - 1)],
  }
}

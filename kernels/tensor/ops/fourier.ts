/**
 * DFT and STFT as products with a matrix of cosines and sines: numbers and their imaginary parts, where they have
 * one, are a row, and so are those of the spectrum.
 */
import { sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, axisIn, inputOf, intOf, knownInts } from '../op.ts'
import { list } from '../draw.ts'
import { sliceView, transposeView } from '../view.ts'
import { lowerProduct } from './matmul.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Build } from '../build.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shape, Tensor } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'
import type { View } from '../view.ts'

/** Numbers of the matrix: 16 MB. That is a real signal of 2048, or a complex one of 1024. */
const MAX_MATRIX = 2 ** 22

type Transform = {
  /** Of the whole transform; a signal that is shorter ends in zeros. */
  readonly length: number
  /** Places that are given, and asked for. */
  readonly given: number
  readonly asked: number
  /** Numbers of a place: 1 for a real one, 2 for a complex one. */
  readonly parts: number
  readonly results: number
  readonly inverse: boolean
  /** A spectrum of which half is given: the other half mirrors it. */
  readonly half: boolean
}

/** How much part `c` of given place `n` adds to part `d` of place `k`. */
const weightOf = (
  { length, inverse, half }: Transform,
  [n, c]: readonly [number, number],
  [k, d]: readonly [number, number],
): number => {
  // Taken down to one turn before, as an angle of many turns has fewer digits.
  const angle = (2 * Math.PI * ((n * k) % length)) / length
  const sine = inverse ? Math.sin(angle) : -Math.sin(angle)
  const weight = c === d ? Math.cos(angle) : c === 0 ? sine : -sine
  const twice = half && n > 0 && 2 * n < length ? 2 : 1
  return inverse ? (twice * weight) / length : weight
}

const matrixOf = (plan: Transform): Tensor => {
  const { given, parts, asked, results } = plan
  const shape = [given, parts, asked, results]
  const data = Float32Array.from(fill(shape, ([n, c, k, d]) => weightOf(plan, [n!, c!], [k!, d!])))
  return { element: 'f32', shape: [given * parts, asked * results], data }
}

/** @shape rows [..., given, parts] to [..., asked, results] */
const transform = (build: Build, plan: Transform, rows: Value): Lazy => {
  const outer = rows.shape.slice(0, -2)
  const flat = build.reshape(rows, [sizeOf({ shape: outer }), plan.given * plan.parts])
  const found = lowerProduct(build, flat, build.constant(matrixOf(plan)))
  return build.reshape(found, [...outer, plan.asked, plan.results])
}

/** Straight from the definition; `read` has part c of place n. */
const spectrumAt = (
  plan: Transform,
  read: (n: number, c: number) => number,
  place: readonly [number, number],
): number => {
  let sum = 0
  for (let n = 0; n < plan.given; n++)
    for (let c = 0; c < plan.parts; c++) sum += read(n, c) * weightOf(plan, [n, c], place)
  return sum
}

const isTooLarge = ({ given, parts, asked, results }: Transform): boolean =>
  given * parts * asked * results > MAX_MATRIX

/** Since opset 20 the axis is an input. */
const axisOf = (call: Call): number | null => {
  const rank = inputOf(call, 0).shape.length
  const asked = knownInts(call, 2)?.[0] ?? intOf(call, 'axis', call.opset < 20 ? 1 : -2)
  const axis = axisIn(asked, rank)
  return axis === rank - 1 ? null : axis
}

const planOf = (call: Call): Transform | null => {
  const { shape } = inputOf(call, 0)
  const axis = axisOf(call)
  const parts = shape.at(-1)!
  if (axis === null || (parts !== 1 && parts !== 2)) return null
  const [inverse, onesided] = [intOf(call, 'inverse', 0) !== 0, intOf(call, 'onesided', 0) !== 0]
  const half = inverse && onesided
  const size = shape[axis]!
  const length = knownInts(call, 1)?.[0] ?? (half ? 2 * (size - 1) : size)
  const fits = onesided ? parts === (inverse ? 2 : 1) : true
  if (!Number.isSafeInteger(length) || length < 1 || !fits) return null
  const bins = Math.floor(length / 2) + 1
  return {
    length,
    given: Math.min(size, half ? bins : length),
    asked: onesided && !inverse ? bins : length,
    parts,
    results: half ? 1 : 2,
    inverse,
    half,
  }
}

const dft: Op = {
  name: 'DFT',
  inputs: [1, 3],
  attributes: { axis: 'int', inverse: 'int', onesided: 'int' },
  shapeInputs: [1, 2],
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!areFloats(call, 1, 2)) return refuse('unsupported', `a spectrum of ${element}`)
    const plan = planOf(call)
    if (plan === null) return refuse('bad-shape', 'no such axis, length or number of parts')
    if (isTooLarge(plan)) return refuse('too-large', `a transform of ${plan.length}`)
    return [{ element, shape: shape.with(axisOf(call)!, plan.asked).with(-1, plan.results) }]
  },
  flop: (call) => 2 * sizeOf(call.outputs[0]!) * planOf(call)!.given * planOf(call)!.parts,
  reference(call, [x]) {
    const plan = planOf(call)!
    const axis = axisOf(call)!
    return [
      fill(call.outputs[0]!.shape, (at) =>
        spectrumAt(plan, (n, c) => x!.data[placeOf(x!.shape, at.with(axis, n).with(-1, c))]!, [
          at[axis]!,
          at.at(-1)!,
        ]),
      ),
    ]
  },
  lower(call, [x], build) {
    const plan = planOf(call)!
    const axis = axisOf(call)!
    const axes = x!.shape.map((_, i) => i)
    const order = [...axes.slice(0, -1).filter((i) => i !== axis), axis, axes.length - 1]
    const cut = build.move(x!, (view) => {
      return transposeView(sliceView(view, axis, { start: 0, size: plan.given, step: 1 }), order)
    })
    const back = order.map((_, i) => order.indexOf(i))
    return [build.move(transform(build, plan, cut), (view) => transposeView(view, back))]
  },
  cases: {
    'any axis and length, forwards and back': (draw) => {
      const shape = [...draw.shape(draw.whole(1, 3)), draw.whole(1, 2)]
      const axis = draw.whole(0, shape.length - 2)
      const length = draw.pick([null, { ...list(draw.whole(1, 12)), shape: [] }])
      const inputs = [draw.floats(shape), length, { ...list(axis - shape.length), shape: [] }]
      return { attributes: { inverse: draw.whole(0, 1) }, inputs }
    },
    'half a spectrum of real numbers': (draw) => ({
      attributes: { onesided: 1 },
      inputs: [draw.floats([draw.whole(1, 3), draw.whole(1, 9), 1])],
    }),
    'real numbers of half a spectrum, in opset 19': (draw) => ({
      opset: 19,
      attributes: { onesided: 1, inverse: 1, axis: 1 },
      inputs: [
        draw.floats([2, draw.whole(2, 6), 2]),
        draw.pick([null, { ...list(draw.whole(1, 12)), shape: [] }]),
      ],
    }),
  },
}

type Frames = { readonly plan: Transform; readonly hop: number; readonly count: number }

const framesOf = (call: Call): Frames | null => {
  const { shape } = inputOf(call, 0)
  const [, samples, parts] = shape as [number, number, number]
  const window = call.inputs[2] ?? null
  const hop = knownInts(call, 1)?.[0] ?? 0
  const length = knownInts(call, 3)?.[0] ?? window?.shape[0] ?? samples
  const onesided = intOf(call, 'onesided', 1) !== 0
  const fits =
    shape.length === 3 &&
    (parts === 1 || (parts === 2 && !onesided)) &&
    [hop, length].every((x) => Number.isSafeInteger(x) && x >= 1) &&
    length <= samples &&
    (window === null || sameShape(window.shape, [length]))
  if (!fits) return null
  const asked = onesided ? Math.floor(length / 2) + 1 : length
  const plan = { length, given: length, asked, parts, results: 2, inverse: false, half: false }
  return { plan, hop, count: 1 + Math.floor((samples - length) / hop) }
}

const stft: Op = {
  name: 'STFT',
  inputs: [2, 4],
  attributes: { onesided: 'int' },
  shapeInputs: [1, 3],
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!areFloats(call, 1, 3)) return refuse('unsupported', `a spectrum of ${element}`)
    const frames = framesOf(call)
    if (frames === null) return refuse('bad-shape', 'frames do not fit the signal or the window')
    if (isTooLarge(frames.plan)) return refuse('too-large', `frames of ${frames.plan.length}`)
    return [{ element, shape: [shape[0]!, frames.count, frames.plan.asked, 2] }]
  },
  flop: (call) =>
    2 * sizeOf(call.outputs[0]!) * framesOf(call)!.plan.given * inputOf(call, 0).shape[2]!,
  reference(call, [x, , window]) {
    const { plan, hop } = framesOf(call)!
    return [
      fill(call.outputs[0]!.shape, ([b, frame, k, d]) =>
        spectrumAt(
          plan,
          (n, c) => x!.data[placeOf(x!.shape, [b!, frame! * hop + n, c])]! * (window?.data[n] ?? 1),
          [k!, d!],
        ),
      ),
    ]
  },
  lower(call, [x, , window], build) {
    const { plan, hop, count } = framesOf(call)!
    const signal = build.realise(x!)
    const [batch, samples, part] = signal.strides as [number, number, number]
    // Frames overlap in memory: nothing is copied.
    const frames: View = {
      ...signal,
      shape: [signal.shape[0]!, count, plan.given, plan.parts],
      strides: [batch, hop * samples, samples, part],
    }
    if (window === null || window === undefined) return [transform(build, plan, frames)]
    const wide = build.expand(build.reshape(window, [plan.given, 1]), frames.shape)
    const seen = build.pointwise('f32', [frames, wide], ([v, by]) => `${v} * ${by}`)
    return [transform(build, plan, seen)]
  },
  cases: {
    'with a window or without': (draw) => {
      const length = draw.whole(1, 8)
      const parts = draw.whole(1, 2)
      const hop = { ...list(draw.whole(1, 5)), shape: [] }
      const size: Shape = [draw.whole(1, 2), length + draw.whole(0, 20), parts]
      const window = draw.pick([null, draw.floats([length])])
      return {
        attributes: { onesided: parts === 1 ? draw.whole(0, 1) : 0 },
        inputs: [draw.floats(size), hop, window, { ...list(length), shape: [] }],
      } satisfies Sample
    },
  },
}

export const FOURIER: readonly Op[] = [dft, stft]

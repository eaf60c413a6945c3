/** Pad: more elements at the ends of dimensions, or fewer where a pad is negative. */
import { allOf } from '../conditions.ts'
import { gpuElement, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axesIn, floatOf, inputOf, intsOrInput, knownInts, textOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { list } from '../draw.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Call, Op } from '../op.ts'

type Pads = { readonly before: readonly number[]; readonly after: readonly number[] }

const MODES = ['constant', 'edge', 'reflect', 'wrap']

const padsOf = (call: Call): Pads | null => {
  const rank = inputOf(call, 0).shape.length
  const pads = intsOrInput(call, 'pads', 1)
  const named = knownInts(call, 3) ?? Array.from({ length: rank }, (_, i) => i)
  const axes = axesIn(named, rank)
  if (pads === null || axes === null || pads.length !== 2 * axes.length) return null
  const [before, after] = [0, 1].map(() => Array.from({ length: rank }, () => 0)) as [
    number[],
    number[],
  ]
  for (const [i, axis] of axes.entries()) {
    before[axis] = pads[i]!
    after[axis] = pads[i + axes.length]!
  }
  return { before, after }
}

/** Where a coordinate outside of 0 to size-1 looks; null for a place that is filled. */
const sourceOf = (mode: string, i: number, size: number): number | null => {
  if (i >= 0 && i < size) return i
  const turn = (length: number): number => ((i % length) + length) % length
  switch (mode) {
    case 'edge':
      return i < 0 ? 0 : size - 1
    case 'wrap':
      return turn(size)
    case 'reflect': {
      const at = size === 1 ? 0 : turn(2 * (size - 1))
      return at < size ? at : 2 * (size - 1) - at
    }
    default:
      return null
  }
}

/** The same in WGSL; in a place that is filled any index will do. */
const sourceText = (mode: string, i: string, size: number): string => {
  const turn = (length: number): string => `((${i} % ${length}) + ${length}) % ${length}`
  const back = 2 * (size - 1)
  switch (mode) {
    case 'wrap':
      return turn(size)
    case 'reflect':
      return size === 1 ? '0' : `(${size - 1} - abs(${turn(back)} - ${size - 1}))`
    default:
      return `clamp(${i}, 0, ${size - 1})`
  }
}

export const pad: Op = {
  name: 'Pad',
  inputs: [1, 4],
  attributes: { mode: 'text', pads: 'ints', value: 'float' },
  shapeInputs: [1, 3],
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    const mode = textOf(call, 'mode', 'constant')
    if (!MODES.includes(mode)) return refuse('unsupported', `mode ${mode}`)
    const pads = padsOf(call)
    if (pads === null) return refuse('bad-shape', 'the pads do not fit the dimensions')
    const sizes = shape.map((size, i) => size + pads.before[i]! + pads.after[i]!)
    const known = mode === 'constant' || !shape.some((size, i) => size === 0 && sizes[i] !== 0)
    return known
      ? [{ element, shape: sizes }]
      : refuse('bad-shape', 'nothing there that could be repeated')
  },
  reference(call, [x, , value]) {
    const { before } = padsOf(call)!
    const mode = textOf(call, 'mode', 'constant')
    const filling = value?.data[0] ?? floatOf(call, 'value', 0)
    return [
      fill(call.outputs[0]!.shape, (at) => {
        const from = at.map((i, axis) => sourceOf(mode, i - before[axis]!, x!.shape[axis]!))
        return from.every((i) => i !== null) ? x!.data[placeOf(x!.shape, from)]! : filling
      }),
    ]
  },
  lower(call, [x, , value], build) {
    const { before } = padsOf(call)!
    const { element, shape } = call.outputs[0]!
    const mode = textOf(call, 'mode', 'constant')
    const kind = gpuElement(element)
    const filling =
      value === null || value === undefined
        ? build.literal(kind, [], floatOf(call, 'value', 0))
        : build.reshape(value, [])
    if (sizeOf(x!) === 0) return [build.expand(filling, shape)]
    return [
      nest(build, {
        element: kind,
        shape,
        inputs: [x!, filling],
        body({ shader, out, inputs }) {
          const own = out.map((name, axis) => shader.let(`${name} - (${before[axis]!})`))
          const sizes = inputs[0]!.shape
          const from = own.map((i, axis) => shader.let(sourceText(mode, i, sizes[axis]!)))
          const found = shader.read(inputs[0]!, from)
          if (mode !== 'constant') return found
          const inside = own.flatMap((i, axis) => [`${i} >= 0`, `${i} < ${sizes[axis]!}`])
          const filler = shader.read(inputs[1]!, [])
          return `select(${filler}, ${found}, ${allOf(inside)})`
        },
      }),
    ]
  },
  cases: {
    'any mode': (draw) => {
      const shape = draw.shape(draw.whole(1, 3))
      const pads = Array.from({ length: 2 * shape.length }, () => draw.whole(0, 5))
      const mode = draw.pick(MODES)
      const value = mode === 'constant' && draw.chance(0.5) ? draw.floats([]) : null
      return { attributes: { mode }, inputs: [draw.floats(shape), list(...pads), value] }
    },
    'negative pads and named axes': (draw) => ({
      inputs: [draw.floats([4, 6]), list(-1, 2), draw.floats([]), list(-1)],
    }),
    'pads as an attribute': (draw) => ({
      opset: 2,
      attributes: { pads: [1, 0, 0, 2], value: 1.5 },
      inputs: [draw.floats([2, 3])],
    }),
  },
}

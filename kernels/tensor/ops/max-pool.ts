/** MaxPool, with the places where it found what it did if somebody asks, and MaxUnpool, which puts them back. */
import { allOf } from '../conditions.ts'
import { fromBits, maxNan } from '../wgsl-math.ts'
import { gpuElement, isFloat, rowMajor, sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf, intsOf, knownInts } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { serial } from '../templates/serial.ts'
import { fill, placeOf } from './coordinates.ts'
import { drawPool, inferPool, poolFlop, poolOf } from './pools.ts'
import { isInside, lookAt, lookText, perDimension, WINDOW_ATTRIBUTES } from './windows.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../tensor.ts'

/** Steps of a place in the whole input. Spatial dimensions may count in the other direction. */
const placeSteps = (call: Call): readonly number[] => {
  const { shape } = inputOf(call, 0)
  const steps = rowMajor(shape)
  if (intOf(call, 'storage_order', 0) === 0) return steps
  const turned = rowMajor(shape.slice(2).toReversed()).toReversed()
  return [...steps.slice(0, 2), ...turned]
}

const smallest = (call: Call): string =>
  isFloat(inputOf(call, 0).element) ? 'from_bits(0xff800000u)' : 'i32(0x80000000u)'

const maxPool: Op = {
  name: 'MaxPool',
  inputs: [1, 1],
  attributes: { ...WINDOW_ATTRIBUTES, ceil_mode: 'int', storage_order: 'int' },
  infer(call) {
    const found = inferPool(call)
    return 'code' in found ? found : [found[0]!, { element: 'i64', shape: found[0]!.shape }]
  },
  flop: poolFlop,
  reference(call, [x]) {
    const { windows, kernel, shape } = poolOf(call)!
    const steps = placeSteps(call)
    const places = new Float64Array(sizeOf({ shape }))
    let next = 0
    const values = fill(shape, ([n, channel, ...o]) => {
      let best = -Infinity
      let place = -1
      fill(kernel, (k) => {
        const at = lookAt(windows, o, k)
        if (!isInside(windows, at)) return 0
        const whole = [n!, channel!, ...at]
        const value = x!.data[placeOf(x!.shape, whole)]!
        if (place === -1 || value > best) {
          best = value
          place = whole.reduce((sum, coordinate, i) => sum + coordinate * steps[i]!, 0)
        }
        return 0
      })
      places[next++] = place
      return best
    })
    return [values, places]
  },
  lower(call, [x], build) {
    const { windows, kernel, shape } = poolOf(call)!
    const element = gpuElement(inputOf(call, 0).element)
    if (call.outputCount < 2) {
      const step = (a: string, b: string): string =>
        `${element === 'f32' ? 'max_nan' : 'max'}(${a}, ${b})`
      return [
        nest(build, {
          element,
          shape,
          inputs: [x!],
          over: { sizes: kernel, combine: { initial: smallest(call), step } },
          functions: [maxNan, fromBits],
          body({ shader, out, over, inputs }) {
            const { at, inside } = lookText(shader, windows, out.slice(2), over)
            const value = shader.read(inputs[0]!, [...out.slice(0, 2), ...at])
            return inside === 'true' ? value : `select(${smallest(call)}, ${value}, ${inside})`
          },
        }),
      ]
    }
    const steps = placeSteps(call)
    return serial(build, {
      outer: shape,
      inputs: [x!],
      results: [
        { element, shape },
        { element: 'i32', shape },
      ],
      functions: [fromBits],
      flop: sizeOf({ shape: kernel }),
      body({ shader, at: out, inputs, results }) {
        const best = shader.var(smallest(call))
        const place = shader.var('-1')
        const k = kernel.map((_, i) => `k${i}`)
        for (const [i, size] of kernel.entries())
          shader.line(`for (var k${i} = 0; k${i} < ${size}; k${i}++) {`)
        const { at, inside } = lookText(shader, windows, out.slice(2), k)
        const whole = [...out.slice(0, 2), ...at]
        const value = shader.read(inputs[0]!, whole)
        const here = whole.map((coordinate, i) => `${coordinate} * ${steps[i]!}`).join(' + ')
        shader.line(`if ((${inside}) & ((${place} < 0) | (${value} > ${best}))) {`)
        shader.line(`${best} = ${value}; ${place} = ${here};`)
        shader.line('}')
        for (const _ of kernel) shader.line('}')
        shader.line(`${shader.place(results[0]!, out)} = ${best};`)
        shader.line(`${shader.place(results[1]!, out)} = ${place};`)
      },
    })
  },
  cases: {
    'any windows': (draw) => drawPool(draw, { ceil_mode: draw.whole(0, 1) }),
    'with places, in either order': (draw) => ({
      ...drawPool(draw, { ceil_mode: draw.whole(0, 1), storage_order: draw.whole(0, 1) }),
      outputs: 2,
    }),
    'whole numbers': (draw) => ({
      attributes: { kernel_shape: [2, 2], pads: [1, 0, 0, 1] },
      inputs: [draw.integers([1, 2, 4, 5], 0, 255, 'u8')],
    }),
  },
}

/** As large as what was pooled: the places are those of a tensor of this shape. */
const pooledShape = (call: Call): Shape | null => {
  const { shape } = inputOf(call, 0)
  const rank = shape.length - 2
  const kernel = intsOf(call, 'kernel_shape')
  const strides = perDimension(call, 'strides', rank, { missing: 1, least: 1 })
  const pads = perDimension(call, 'pads', 2 * rank, { missing: 0, least: 0 })
  if (kernel?.length !== rank || strides === null || pads === null) return null
  const spatial = shape.slice(2).map((size, i) => {
    return (size - 1) * strides[i]! + kernel[i]! - pads[i]! - pads[i + rank]!
  })
  return [...shape.slice(0, 2), ...spatial]
}

const maxUnpool: Op = {
  name: 'MaxUnpool',
  inputs: [2, 3],
  attributes: { kernel_shape: 'ints', pads: 'ints', strides: 'ints' },
  shapeInputs: [2],
  infer(call) {
    const [x, places] = [inputOf(call, 0), inputOf(call, 1)]
    const pooled = pooledShape(call)
    const shape = knownInts(call, 2) ?? pooled
    if (pooled === null || shape?.length !== pooled.length || pooled.some((n, i) => n > shape[i]!))
      return refuse('bad-shape', 'what is asked for has no room for the places')
    if (!sameShape(x.shape, places.shape) || isFloat(places.element))
      return refuse('bad-shape', 'the places do not fit')
    return [{ element: x.element, shape }]
  },
  reference(call, [x, places]) {
    const { shape } = call.outputs[0]!
    const pooled = pooledShape(call)!
    const out = new Float64Array(sizeOf({ shape }))
    const steps = rowMajor(pooled)
    for (const [i, value] of x!.data.entries()) {
      const at = pooled.map((size, axis) => Math.floor(places!.data[i]! / steps[axis]!) % size)
      out[placeOf(shape, at)] = value
    }
    return [out]
  },
  lower(call, [x, places], build) {
    const { shape, element } = call.outputs[0]!
    const kind = gpuElement(element)
    const pooled = pooledShape(call)!
    return serial(build, {
      outer: x!.shape,
      inputs: [x!, places!],
      results: [{ element: kind, shape, from: build.literal(kind, shape, 0) }],
      flop: 1,
      body({ shader, at, inputs, results }) {
        const place = shader.read(inputs[1]!, at)
        const value = shader.read(inputs[0]!, at)
        shader.line(`if (${allOf([`${place} >= 0`, `${place} < ${sizeOf({ shape: pooled })}`])}) {`)
        shader.line(`${shader.place(results[0]!, shader.coordinates(place, pooled))} = ${value};`)
        shader.line('}')
      },
    })
  },
  cases: {
    'places of an image': (draw) => {
      const asked = { element: 'i64', shape: [4], data: Float64Array.of(1, 1, 5, 5) } as const
      const data = Float64Array.of(5, 7, 13, 15)
      const places = { element: 'i64', shape: [1, 1, 2, 2], data } as const
      const attributes = { kernel_shape: [2, 2], strides: [2, 2] }
      const inputs = [draw.floats([1, 1, 2, 2]), places, draw.pick([asked, null])]
      return { attributes, inputs }
    },
  },
}

export const MAX_POOLS: readonly Op[] = [maxPool, maxUnpool]

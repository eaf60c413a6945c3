/** ScatterElements, ScatterND and TensorScatter: a copy of the data with some elements or slices replaced. */
import { allOf } from '../conditions.ts'
import { maxNan, minNan } from '../wgsl-math.ts'
import { gpuElement, isFloat, sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisIn, inputOf, intOf, textOf } from '../op.ts'
import { serial } from '../templates/serial.ts'
import { fill, placeOf } from './coordinates.ts'
import { insideText, wrapped } from './indices.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../tensor.ts'

/** What becomes of an element that is hit, perhaps several times: in the order of the updates. */
const REDUCTIONS: Readonly<Record<string, (old: number, next: number) => number>> = {
  none: (_, next) => next,
  add: (old, next) => old + next,
  mul: (old, next) => old * next,
  min: Math.min,
  max: Math.max,
}

const reductionText = (call: Call, old: string, next: string): string => {
  const float = isFloat(inputOf(call, 0).element)
  switch (textOf(call, 'reduction', 'none')) {
    case 'add':
      return `${old} + ${next}`
    case 'mul':
      return `${old} * ${next}`
    case 'min':
      return `${float ? 'min_nan' : 'min'}(${old}, ${next})`
    case 'max':
      return `${float ? 'max_nan' : 'max'}(${old}, ${next})`
    default:
      return next
  }
}

const isReduction = (call: Call): boolean =>
  Object.hasOwn(REDUCTIONS, textOf(call, 'reduction', 'none'))

const fitsElements = (call: Call): boolean => {
  const [data, indices, updates] = [inputOf(call, 0), inputOf(call, 1), inputOf(call, 2)]
  const axis = axisIn(intOf(call, 'axis', 0), data.shape.length)
  return (
    axis !== null &&
    !isFloat(indices.element) &&
    updates.element === data.element &&
    sameShape(indices.shape, updates.shape) &&
    indices.shape.length === data.shape.length &&
    indices.shape.every((size, i) => i === axis || size <= data.shape[i]!)
  )
}

const scatterElements = (name: string): Op => ({
  name,
  inputs: [3, 3],
  attributes: { axis: 'int', ...(name === 'Scatter' ? {} : { reduction: 'text' }) },
  infer(call) {
    if (!isReduction(call)) return refuse('unsupported', textOf(call, 'reduction', ''))
    return fitsElements(call) ? [inputOf(call, 0)] : refuse('bad-shape', 'the indices do not fit')
  },
  flop: (call) => sizeOf(inputOf(call, 1)),
  reference(call, [data, indices, updates]) {
    const axis = axisIn(intOf(call, 'axis', 0), data!.shape.length)!
    const reduce = REDUCTIONS[textOf(call, 'reduction', 'none')]!
    const out = Float64Array.from(data!.data)
    fill(indices!.shape, (at) => {
      const from = placeOf(indices!.shape, at)
      const index = wrapped(indices!.data[from]!, data!.shape[axis]!)
      const to = placeOf(data!.shape, at.with(axis, index))
      return (out[to] = reduce(out[to]!, updates!.data[from]!))
    })
    return [out]
  },
  lower(call, [data, indices, updates], build) {
    const { element, shape } = call.outputs[0]!
    const axis = axisIn(intOf(call, 'axis', 0), shape.length)!
    const sizes = indices!.shape
    // Updates of one line along the axis may hit the same element; those of different lines cannot.
    return serial(build, {
      outer: sizes.with(axis, 1),
      inputs: [indices!, updates!],
      results: [{ element: gpuElement(element), shape, from: data! }],
      functions: [maxNan, minNan],
      flop: sizes[axis]!,
      body({ shader, at, inputs, results }) {
        shader.line(`for (var r = 0; r < ${sizes[axis]!}; r++) {`)
        const here = at.with(axis, 'r')
        const found = shader.read(inputs[0]!, here)
        const { index, inside } = insideText(shader, found, shape[axis]!)
        const place = shader.place(results[0]!, at.with(axis, index))
        const next = shader.read(inputs[1]!, here)
        shader.line(`if (${inside}) { ${place} = ${reductionText(call, place, next)}; }`)
        shader.line('}')
      },
    })
  },
  cases: {
    'any axis': (draw) => drawElements(draw, 'none', name),
    ...(name === 'Scatter'
      ? {}
      : {
          'several updates of one element': (draw: Draw) =>
            drawElements(draw, draw.pick(['add', 'mul', 'min', 'max']), name),
        }),
  },
})

const drawElements = (
  draw: Draw,
  reduction: string,
  name: string,
): ReturnType<Op['cases'][string]> => {
  const shape = draw.shape(draw.whole(1, 3))
  const axis = draw.whole(0, shape.length - 1)
  const size = shape[axis]!
  const unique = reduction === 'none'
  const sizes = shape
    .map((each) => draw.whole(1, each))
    .with(axis, draw.whole(1, unique ? size : 12))
  const indices = draw.integers(sizes, -size, size - 1)
  // Which of two updates wins is not said, so there are none.
  const data = unique ? fill(sizes, (at) => (at[axis]! + 1) % size) : indices.data
  const attributes = { axis, ...(name === 'Scatter' ? {} : { reduction }) }
  const opset = name === 'Scatter' ? 10 : 18
  return {
    opset,
    attributes,
    inputs: [draw.floats(shape), { ...indices, data }, draw.floats(sizes)],
  }
}

/** Index tuples, and the slice that each of them replaces; null where they do not fit. */
const slicesOf = (call: Call): { readonly prefix: Shape; readonly rest: Shape } | null => {
  const [data, indices, updates] = [inputOf(call, 0), inputOf(call, 1), inputOf(call, 2)]
  const depth = indices.shape.at(-1) ?? -1
  if (depth < 0 || depth > data.shape.length || isFloat(indices.element)) return null
  const [prefix, rest] = [indices.shape.slice(0, -1), data.shape.slice(depth)]
  const fits = sameShape(updates.shape, [...prefix, ...rest]) && updates.element === data.element
  return fits ? { prefix, rest } : null
}

const scatterNd: Op = {
  name: 'ScatterND',
  inputs: [3, 3],
  attributes: { reduction: 'text' },
  infer(call) {
    if (!isReduction(call)) return refuse('unsupported', textOf(call, 'reduction', ''))
    if (slicesOf(call) === null) return refuse('bad-shape', 'the indices do not fit')
    return [inputOf(call, 0)]
  },
  flop: (call) => sizeOf(inputOf(call, 2)),
  reference(call, [data, indices, updates]) {
    const { prefix } = slicesOf(call)!
    const reduce = REDUCTIONS[textOf(call, 'reduction', 'none')]!
    const out = Float64Array.from(data!.data)
    const depth = indices!.shape.at(-1)!
    fill(updates!.shape, (at) => {
      const tuple = at.slice(0, prefix.length)
      const index = Array.from({ length: depth }, (_, i) =>
        wrapped(indices!.data[placeOf(indices!.shape, [...tuple, i])]!, data!.shape[i]!),
      )
      const to = placeOf(data!.shape, [...index, ...at.slice(prefix.length)])
      return (out[to] = reduce(out[to]!, updates!.data[placeOf(updates!.shape, at)]!))
    })
    return [out]
  },
  lower(call, [data, indices, updates], build) {
    const { prefix, rest } = slicesOf(call)!
    const { element, shape } = call.outputs[0]!
    const depth = shape.length - rest.length
    return serial(build, {
      outer: rest,
      inputs: [indices!, updates!],
      results: [{ element: gpuElement(element), shape, from: data! }],
      functions: [maxNan, minNan],
      flop: sizeOf({ shape: prefix }),
      body({ shader, at, inputs, results }) {
        shader.line(`for (var r = 0; r < ${sizeOf({ shape: prefix })}; r++) {`)
        const tuple = shader.coordinates('r', prefix)
        const index = Array.from({ length: depth }, (_, i) =>
          insideText(shader, shader.read(inputs[0]!, [...tuple, String(i)]), shape[i]!),
        )
        const place = shader.place(results[0]!, [...index.map((one) => one.index), ...at])
        const next = shader.read(inputs[1]!, [...tuple, ...at])
        const inside = allOf(index.map((one) => one.inside))
        shader.line(`if (${inside}) { ${place} = ${reductionText(call, place, next)}; }`)
        shader.line('}')
      },
    })
  },
  cases: {
    'any depth': (draw) => {
      const shape = draw.shape(3)
      const depth = draw.whole(1, 3)
      const count = draw.whole(1, 5)
      const indices = draw.integers([count, depth], 0, Math.min(...shape.slice(0, depth)) - 1)
      const updates = draw.floats([count, ...shape.slice(depth)])
      const reduction = draw.pick(['add', 'mul', 'min', 'max'])
      return { attributes: { reduction }, inputs: [draw.floats(shape), indices, updates] }
    },
    'whole slices, one of them counted from the end': (draw) => {
      const indices = { element: 'i64', shape: [2, 1], data: Float64Array.of(2, -4) } as const
      return { inputs: [draw.floats([4, 3, 2]), indices, draw.floats([2, 3, 2])] }
    },
  },
}

/** Where updates go along the axis, by batch: the first dimension. */
const cacheOf = (call: Call): { readonly axis: number } | null => {
  const [cache, update] = [inputOf(call, 0), inputOf(call, 1)]
  const axis = axisIn(intOf(call, 'axis', -2), cache.shape.length)
  if (axis === null || axis === 0 || update.shape.length !== cache.shape.length) return null
  const fits = update.shape.every((size, i) =>
    i === axis ? size <= cache.shape[i]! : size === cache.shape[i],
  )
  return fits && update.element === cache.element ? { axis } : null
}

const tensorScatter: Op = {
  name: 'TensorScatter',
  inputs: [2, 3],
  attributes: { axis: 'int', mode: 'text' },
  infer(call) {
    if (!['linear', 'circular'].includes(textOf(call, 'mode', 'linear')))
      return refuse('unsupported', textOf(call, 'mode', ''))
    return cacheOf(call) === null
      ? refuse('bad-shape', 'the update does not fit')
      : [inputOf(call, 0)]
  },
  reference(call, [cache, update, starts]) {
    const { axis } = cacheOf(call)!
    const out = Float64Array.from(cache!.data)
    fill(update!.shape, (at) => {
      const line = at[axis]! + (starts?.data[at[0]!] ?? 0)
      const to = placeOf(cache!.shape, at.with(axis, line % cache!.shape[axis]!))
      return (out[to] = update!.data[placeOf(update!.shape, at)]!)
    })
    return [out]
  },
  lower(call, [cache, update, starts], build) {
    const { axis } = cacheOf(call)!
    const { element, shape } = call.outputs[0]!
    const begin = starts ?? build.literal('i32', [shape[0]!], 0)
    if (build.isState(cache!)) {
      const fresh = build.lazy(update!)
      const isInline = fresh.kind === 'deferred' && fresh.inline !== undefined
      const given = isInline ? fresh : build.realise(fresh)
      build.append({ table: cache, axis, update: given, start: build.readable(begin) })
      return [cache]
    }
    return serial(build, {
      outer: update!.shape,
      inputs: [update!, begin],
      results: [{ element: gpuElement(element), shape, from: cache! }],
      flop: 1,
      body({ shader, at, inputs, results }) {
        const first = shader.read(inputs[1]!, [at[0]!])
        const line = shader.let(`max(0, ${first} + ${at[axis]!}) % ${shape[axis]!}`)
        const place = shader.place(results[0]!, at.with(axis, line))
        shader.line(`${place} = ${shader.read(inputs[0]!, at)};`)
      },
    })
  },
  cases: {
    'round and round': (draw) => ({
      attributes: { mode: 'circular', axis: draw.pick([1, -2, 2]) },
      inputs: [draw.floats([3, 4, 4, 2]), draw.floats([3, 4, 4, 2]), draw.integers([3], 0, 3)],
    }),
    'one line, from the beginning': (draw) => ({
      inputs: [
        draw.floats([2, 4, 5]),
        draw.floats([2, 1, 5]),
        draw.pick([null, draw.integers([2], 0, 3)]),
      ],
    }),
  },
}

export const SCATTERS: readonly Op[] = [
  scatterElements('ScatterElements'),
  scatterElements('Scatter'),
  scatterNd,
  tensorScatter,
]

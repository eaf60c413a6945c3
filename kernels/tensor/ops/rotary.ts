/** RotaryEmbedding: pairs of numbers of each head turned by an angle of their place in the sequence. */
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import { indexText } from './indices.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Writer } from '../value.ts'
import type { Shape } from '../tensor.ts'
import type { View } from '../view.ts'

type Plan = {
  /** The input as [batch, heads, length, size], or [batch, length, heads, size] where it has 3 dimensions. */
  readonly apart: Shape
  /** Which of those dimensions is the place in the sequence. */
  readonly line: 1 | 2
  /** How many numbers of a head are turned, from its beginning. */
  readonly turned: number
}

const planOf = (call: Call): Plan | null => {
  const { shape } = inputOf(call, 0)
  const [cos, sin] = [inputOf(call, 1).shape, inputOf(call, 2).shape]
  const positions = call.inputs[3]?.shape ?? null
  const heads = intOf(call, 'num_heads', 0)
  if (shape.length !== 4 && (shape.length !== 3 || heads < 1 || shape[2]! % heads !== 0))
    return null
  const line = shape.length === 4 ? 2 : 1
  const apart = line === 2 ? shape : [shape[0]!, shape[1]!, heads, shape[2]! / heads]
  const asked = intOf(call, 'rotary_embedding_dim', 0)
  const turned = asked === 0 ? apart[3]! : asked
  const places = [apart[0]!, apart[line]!]
  const wanted = positions === null ? [...places, turned / 2] : [cos[0]!, turned / 2]
  const fits =
    turned % 2 === 0 &&
    turned >= 0 &&
    turned <= apart[3]! &&
    (positions === null || positions.join() === places.join()) &&
    cos.join() === wanted.join() &&
    sin.join() === wanted.join()
  return fits ? { apart, line, turned } : null
}

const isInterleaved = (call: Call): boolean => intOf(call, 'interleaved', 0) !== 0

export const rotaryEmbedding: Op = {
  name: 'RotaryEmbedding',
  inputs: [3, 4],
  attributes: { interleaved: 'int', num_heads: 'int', rotary_embedding_dim: 'int' },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', `elements of type ${element}`)
    const plan = planOf(call)
    return plan === null
      ? refuse('bad-shape', 'heads, caches and positions do not fit')
      : [{ element, shape }]
  },
  flop: (call) => 4 * sizeOf(inputOf(call, 0)),
  reference(call, [x, cos, sin, positions]) {
    const { apart, line, turned } = planOf(call)!
    const half = turned / 2
    return [
      fill(apart, (at) => {
        const value = x!.data[placeOf(apart, at)]!
        const i = at[3]!
        if (i >= turned) return value
        const [angle, second] = isInterleaved(call)
          ? [Math.floor(i / 2), i % 2 === 1]
          : [i % half, i >= half]
        const step = isInterleaved(call) ? 1 : half
        const other = x!.data[placeOf(apart, at.with(3, second ? i - step : i + step))]!
        const place = [at[0]!, at[line]!]
        const row =
          positions === null || positions === undefined
            ? place
            : [positions.data[placeOf(positions.shape, place)]!]
        const [c, s] = [cos!, sin!].map(
          (cache) => cache.data[placeOf(cache.shape, [...row, angle])]!,
        )
        return second ? s! * other + c! * value : c! * value - s! * other
      }),
    ]
  },
  lower(call, [x, cos, sin, positions], build) {
    const { apart, line, turned } = planOf(call)!
    if (turned === 0) return [x!]
    const half = turned / 2
    const named = positions === null || positions === undefined ? [] : [positions]
    const apartX = build.realise(build.reshape(x!, apart))
    const inputs = [apartX, cos!, sin!, ...named].map((input) => build.realise(input))
    const rowOf = (shader: Writer, out: readonly string[]): readonly string[] => {
      const place = [out[0]!, out[line]!]
      if (inputs[3] === undefined) return place
      return [indexText(shader, shader.scalar(inputs[3], place), inputs[1]!.shape[0]!)]
    }
    const text = (shader: Writer, out: readonly string[]): string => {
      if (shader.lanes === 4 && isInterleaved(call)) return pairsText(shader, inputs, out, rowOf)
      const i = out[3]!
      const value = shader.read(inputs[0]!, out)
      const inside = turned === apart[3] ? i : shader.let(`min(${i}, ${turned - 1})`)
      const step = isInterleaved(call) ? 1 : half
      const second = shader.let(isInterleaved(call) ? `${inside} % 2 == 1` : `${inside} >= ${half}`)
      const angle = shader.let(isInterleaved(call) ? `${inside} / 2` : `${inside} % ${half}`)
      const partner = shader.let(`select(${inside} + ${step}, ${inside} - ${step}, ${second})`)
      const other = shader.read(inputs[0]!, out.with(3, partner))
      const row = rowOf(shader, out)
      const [c, s] = [1, 2].map((cache) => shader.read(inputs[cache]!, [...row, angle]))
      const result = `${c} * ${value} + select(-${s}, ${s}, ${second}) * ${other}`
      return turned === apart[3] ? result : `select(${value}, ${result}, ${i} < ${turned})`
    }
    const found = nest(build, {
      element: 'f32',
      shape: apart,
      inputs,
      flop: 4,
      body: ({ shader, out }) => text(shader, out),
    })
    // Four neighbours have four partners side by side where pairs are half a head apart, or are two pairs.
    const wide = turned % (isInterleaved(call) ? 4 : 8) === 0 && turned === apart[3]
    return [build.reshape({ ...found, inline: { wide, inputs, text } }, x!.shape)]
  },
  cases: {
    'heads in a dimension of their own': (draw) => drawRotary(draw, 4),
    'heads side by side': (draw) => drawRotary(draw, 3),
  },
}

/** Two pairs of neighbours, each turned by its own angle. */
const pairsText = (
  shader: Writer,
  [x, cos, sin]: readonly View[],
  out: readonly string[],
  rowOf: (shader: Writer, out: readonly string[]) => readonly string[],
): string => {
  const value = shader.read(x!, out)
  const row = rowOf(shader, out)
  const angle = shader.let(`${out[3]} / 2`)
  const each = [cos!, sin!].map((cache) =>
    [angle, `${angle} + 1`].map((at) => shader.let(shader.scalar(cache, [...row, at]))),
  )
  const [[c, d], [s, t]] = each as [[string, string], [string, string]]
  const turn = `vec4<f32>(-${s}, ${s}, -${t}, ${t}) * ${value}.yxwz`
  return `vec4<f32>(${c}, ${c}, ${d}, ${d}) * ${value} + ${turn}`
}

const drawRotary = (draw: Draw, rank: 3 | 4): Sample => {
  const [batch, heads, length] = draw.shape(3) as [number, number, number]
  const size = 2 * draw.whole(1, 5)
  const turned = draw.chance(0.5) ? 0 : 2 * draw.whole(1, size / 2)
  const half = (turned === 0 ? size : turned) / 2
  const cached = draw.chance(0.6)
  const cache = cached ? [20, half] : [batch, length, half]
  const x = draw.floats(rank === 4 ? [batch, heads, length, size] : [batch, length, heads * size])
  const positions = cached ? draw.integers([batch, length], 0, 19) : null
  const attributes = {
    interleaved: draw.whole(0, 1),
    rotary_embedding_dim: turned,
    ...(rank === 3 ? { num_heads: heads } : {}),
  }
  return { attributes, inputs: [x, draw.floats(cache), draw.floats(cache), positions] }
}

/**
 * LinearAttention: keys and values are added up in a state, a matrix for each head, that queries look at. Each
 * column of a state is for itself, so that an invocation has one and walks the moments.
 */
import { sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, floatOf, inputOf, intOf, textOf } from '../op.ts'
import { MAX_MOMENTS, scan } from '../templates/scan.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shader } from '../shader.ts'
import type { Tensor } from '../tensor.ts'
import type { View } from '../view.ts'

/** Whether the state fades, and whether only what is new about a value is added. */
const RULES: Readonly<Record<string, { readonly gated: boolean; readonly delta: boolean }>> = {
  linear: { gated: false, delta: false },
  gated: { gated: true, delta: false },
  delta: { gated: false, delta: true },
  gated_delta: { gated: true, delta: true },
}

/** Operations of an invocation in one go: well under 50 ms of any adapter. */
const MAX_FLOP = 2 ** 16

type Plan = {
  readonly batch: number
  readonly moments: number
  readonly queryHeads: number
  readonly heads: number
  /** Of keys, and of values. */
  readonly size: number
  readonly width: number
  readonly scale: number
  readonly gated: boolean
  readonly delta: boolean
  /** Numbers of decay for each head: one, or one for each of a key's. */
  readonly decays: number
  /** Heads that beta has: all, or one for all. */
  readonly betas: number
  /** Moments that an invocation walks in one go. */
  readonly run: number
}

const planOf = (call: Call): Plan | null => {
  const [q, k, v] = [0, 1, 2].map((i) => inputOf(call, i).shape)
  const [queryHeads, heads] = [intOf(call, 'q_num_heads', 0), intOf(call, 'kv_num_heads', 0)]
  const rule = RULES[textOf(call, 'update_rule', 'gated_delta')]
  if (rule === undefined || ![q, k, v].every((shape) => shape!.length === 3)) return null
  if (queryHeads < 1 || heads < 1 || queryHeads % heads !== 0) return null
  const [batch, moments] = q as [number, number, number]
  const [size, width] = [q![2]! / queryHeads, v![2]! / heads]
  const state = call.inputs[3] ?? null
  const lastOf = (i: number): number => call.inputs[i]?.shape.at(-1) ?? 0
  const packed = (i: number, sizes: readonly number[]): boolean =>
    sizes.some((last) => call.inputs[i]?.shape.join() === [batch, moments, last].join())
  const fits =
    Number.isInteger(size) &&
    Number.isInteger(width) &&
    packed(1, [heads * size]) &&
    packed(2, [heads * width]) &&
    (state === null || sameShape(state.shape, [batch, heads, size, width])) &&
    (!rule.gated || packed(4, [heads, heads * size])) &&
    (!rule.delta || packed(5, [heads, 1]))
  if (!fits) return null
  const group = queryHeads / heads
  return {
    ...{ batch, moments, queryHeads, heads, size, width, ...rule },
    scale: floatOf(call, 'scale', 0) || 1 / Math.sqrt(Math.max(1, size)),
    decays: lastOf(4) === heads ? 1 : size,
    betas: lastOf(5),
    run: Math.max(1, Math.floor(MAX_FLOP / Math.max(1, size * (4 + 2 * group)))),
  }
}

export const linearAttention: Op = {
  name: 'LinearAttention',
  inputs: [3, 6],
  attributes: {
    chunk_size: 'int',
    kv_num_heads: 'int',
    q_num_heads: 'int',
    scale: 'float',
    update_rule: 'text',
  },
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!areFloats(call)) return refuse('unsupported', `attention of ${element}`)
    const plan = planOf(call)
    if (plan === null) return refuse('bad-shape', 'no such rule, or heads that do not fit')
    const { batch, moments, queryHeads, heads, size, width, run } = plan
    if (moments > run * MAX_MOMENTS) return refuse('too-large', `${moments} moments`)
    return [
      { element, shape: [batch, moments, queryHeads * width] },
      { element: call.inputs[3]?.element ?? element, shape: [batch, heads, size, width] },
    ]
  },
  flop(call) {
    const { batch, moments, queryHeads, heads, size, width } = planOf(call)!
    return batch * moments * size * width * (4 * heads + 2 * queryHeads)
  },
  reference(call, [q, k, v, past, decay, beta]) {
    const plan = planOf(call)!
    const { batch, moments, queryHeads, heads, size, width, scale } = plan
    const [out, state] = call.outputs.map((type) => new Float64Array(sizeOf(type)))
    state!.set(past?.data ?? [])
    for (let b = 0; b < batch; b++)
      for (let t = 0; t < moments; t++)
        for (let h = 0; h < heads; h++) {
          const row = b * moments + t
          const keyAt = (i: number): number => k!.data[(row * heads + h) * size + i]!
          const fading = (i: number): number => {
            if (!plan.gated) return 1
            const own = plan.decays === 1 ? row * heads + h : (row * heads + h) * size + i
            return Math.exp(decay!.data[own]!)
          }
          const rate = plan.delta ? beta!.data[plan.betas === 1 ? row : row * heads + h]! : 1
          for (let j = 0; j < width; j++) {
            const place = (i: number): number => ((b * heads + h) * size + i) * width + j
            let known = 0
            for (let i = 0; i < size; i++) {
              state![place(i)]! *= fading(i)
              known += state![place(i)]! * keyAt(i)
            }
            const value = v!.data[(row * heads + h) * width + j]!
            const added = rate * (plan.delta ? value - known : value)
            for (let i = 0; i < size; i++) state![place(i)]! += keyAt(i) * added
            for (let n = 0; n < queryHeads / heads; n++) {
              const head = (h * queryHeads) / heads + n
              let sum = 0
              for (let i = 0; i < size; i++)
                sum += q!.data[(row * queryHeads + head) * size + i]! * state![place(i)]!
              out![(row * queryHeads + head) * width + j] = scale * sum
            }
          }
        }
    return [out!, state!]
  },
  lower(call, inputs, build) {
    const plan = planOf(call)!
    const { batch, moments, queryHeads, heads, size, width, run } = plan
    const view = (i: number): View => build.realise(inputs[i]!)
    const state = build.fresh('f32', [batch, heads, size, width])
    build.write(inputs[3] ?? build.literal('f32', state.shape, 0), state)
    const walk: Walk = {
      plan,
      q: view(0),
      k: view(1),
      v: view(2),
      decay: plan.gated ? view(4) : null,
      beta: plan.delta ? view(5) : null,
      state,
      out: build.fresh('f32', [batch, moments, queryHeads * width]),
    }
    scan(build, Math.ceil(moments / run), [
      {
        outer: [batch, heads, width],
        flop: run * size * (4 + (2 * queryHeads) / heads),
        body({ shader, at, moment }) {
          const end = shader.let(`min((${moment} + 1) * ${run}, ${moments})`)
          shader.line(`for (var t = ${moment} * ${run}; t < ${end}; t++) {`)
          step(shader, walk, at as readonly [string, string, string])
          shader.line('}')
        },
      },
    ])
    return [walk.out, state]
  },
  cases: {
    'any rule': (draw) => drawLinear(draw),
    'more moments than in one go': (draw) => ({
      attributes: { q_num_heads: 1, kv_num_heads: 1, update_rule: 'gated' },
      inputs: [
        draw.floats([1, 40, 900]),
        draw.floats([1, 40, 900], -0.1, 0.1),
        draw.floats([1, 40, 2]),
        null,
        draw.floats([1, 40, 1], -1, 0),
      ],
      outputs: 2,
    }),
  },
}

type Walk = {
  readonly plan: Plan
  readonly q: View
  readonly k: View
  readonly v: View
  readonly decay: View | null
  readonly beta: View | null
  readonly state: View
  readonly out: View
}

/** Moment t of one column of a state. */
const step = (
  shader: Shader,
  { plan, q, k, v, decay, beta, state, out }: Walk,
  [b, h, j]: readonly [string, string, string],
): void => {
  const { size, width, scale } = plan
  const group = plan.queryHeads / plan.heads
  const own = shader.place(state, [b, h, 'i', j])
  const key = (): string => shader.read(k, [b, 't', shader.let(`${h} * ${size} + i`)])
  const value = shader.read(v, [b, 't', shader.let(`${h} * ${width} + ${j}`)])
  const known = shader.var('0.0')
  shader.line(`for (var i = 0; i < ${size}; i++) {`)
  if (decay !== null) {
    const at = plan.decays === 1 ? h : shader.let(`${h} * ${size} + i`)
    shader.line(`${own} = ${own} * exp(${shader.read(decay, [b, 't', at])});`)
  }
  if (plan.delta) shader.line(`${known} += ${own} * ${key()};`)
  shader.line('}')
  const rate = beta === null ? '1.0' : shader.read(beta, [b, 't', plan.betas === 1 ? '0' : h])
  const added = shader.let(`${rate} * (${value} - ${known})`)
  shader.line(`for (var i = 0; i < ${size}; i++) {`)
  shader.line(`${own} = ${own} + ${key()} * ${added};`)
  shader.line('}')
  shader.line(`for (var n = 0; n < ${group}; n++) {`)
  const head = shader.let(`${h} * ${group} + n`)
  const sum = shader.var('0.0')
  shader.line(`for (var i = 0; i < ${size}; i++) {`)
  shader.line(
    `${sum} += ${shader.read(q, [b, 't', shader.let(`${head} * ${size} + i`)])} * ${own};`,
  )
  shader.line('}')
  const place = shader.place(out, [b, 't', shader.let(`${head} * ${width} + ${j}`)])
  shader.line(`${place} = ${Math.fround(scale)}f * ${sum};`)
  shader.line('}')
}

const drawLinear = (draw: Draw): Sample => {
  const [batch, moments, heads] = [draw.whole(1, 2), draw.whole(1, 6), draw.whole(1, 3)]
  const [size, width, group] = [draw.whole(1, 5), draw.whole(1, 5), draw.whole(1, 2)]
  const packed = (last: number, low = -1, high = 1): Tensor =>
    draw.floats([batch, moments, last], low, high)
  const attributes = {
    q_num_heads: heads * group,
    kv_num_heads: heads,
    update_rule: draw.pick(Object.keys(RULES)),
    scale: draw.pick([0, 0.3]),
  }
  return {
    attributes,
    inputs: [
      packed(heads * group * size),
      packed(heads * size),
      packed(heads * width),
      draw.chance(0.5) ? draw.floats([batch, heads, size, width]) : null,
      packed(draw.pick([heads, heads * size]), -2, 0),
      packed(draw.pick([heads, 1]), 0, 1),
    ],
    outputs: 2,
  }
}

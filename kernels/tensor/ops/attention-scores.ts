/** Attention in steps, each in memory: for whoever wants to see the scores, and for very large heads. */
import { anyOf } from '../conditions.ts'
import { tanh } from '../wgsl-math.ts'
import { matmul } from '../templates/matmul.ts'
import { nest } from '../templates/nest.ts'
import { rows } from '../templates/rows.ts'
import { transposeView } from '../view.ts'
import type { Attention } from '../templates/attention-keys.ts'
import type { Build } from '../build.ts'
import type { Shape } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'

/** Scores of a `mode` are those as multiplied, capped, masked, or as probabilities. */
export const withScores = (
  build: Build,
  asked: Attention,
  mode: number,
): { readonly output: Lazy; readonly scores: Lazy } => {
  const { q, k, v, scale, softcap } = asked
  const [batch, heads, group, queries] = q.shape as [number, number, number, number, number]
  const keys = k.shape[2]!
  const shape = [batch, heads, group, queries, keys]
  const shared = (value: Value, order: readonly number[]): Lazy => {
    const wide = [batch, heads, 1, ...value.shape.slice(2)]
    const view = build.reshape(build.realise(value), wide)
    const turned = build.move(view, (each) => transposeView(each, order))
    return build.expand(turned, turned.shape.with(2, group))
  }
  const products = matmul(build, build.realise(q), shared(k, [0, 1, 2, 4, 3]))
  const scaled = build.realise(
    build.pointwise('f32', [products], ([x]) => `${x} * F(${Math.fround(scale)})`),
  )
  const cap = ([x]: readonly string[]): string => `F(${softcap}) * tanh_of(${x} / F(${softcap}))`
  const capped =
    softcap === 0 ? scaled : build.realise(build.pointwise('f32', [scaled], cap, [tanh]))
  const masked = build.realise(maskedScores(build, asked, capped, shape))
  const weights = build.realise(
    rows(build, {
      element: 'f32',
      shape,
      rowRank: 1,
      inputs: [masked],
      statistics: [
        { combine: 'max', term: ({ inputs }) => inputs[0]! },
        {
          combine: 'sum',
          term: ({ inputs, statistics }) => `exp(${inputs[0]} - F(${statistics[0]}))`,
        },
      ],
      // Nothing adds up to 0 but a query without keys.
      body: ({ inputs, statistics: [most, sum] }) =>
        `select(exp(${inputs[0]} - F(${most})) / F(${sum}), F(0.0), B(${sum} == 0.0))`,
    }),
  )
  const output = matmul(build, weights, shared(v, [0, 1, 2, 3, 4]))
  return { output, scores: [scaled, capped, masked, weights][mode]! }
}

/** Minus infinity for what may not be looked at. */
const maskedScores = (
  build: Build,
  { mask, lengths, span }: Attention,
  scores: Value,
  shape: Shape,
): Lazy => {
  if (mask === null && lengths === null && span === null) return build.lazy(scores)
  const given = [mask, lengths].flatMap((value) => (value === null ? [] : [value]))
  return nest(build, {
    element: 'f32',
    shape,
    inputs: [scores, ...given],
    body({ shader, out, inputs }) {
      const [batch, , , query, j] = out as [string, string, string, string, string]
      const hidden: string[] = []
      const length = lengths === null ? null : shader.read(inputs.at(-1)!, [batch])
      if (length !== null) hidden.push(`${j} >= ${length}`)
      if (span !== null) {
        const place = shader.let(`${query} + ${span.offset ?? `${length} - ${shape[3]!}`}`)
        if (span.right !== null) hidden.push(`${j} > ${place} + ${span.right}`)
        if (span.left !== null) hidden.push(`${j} < ${place} - ${span.left}`)
      }
      const reached = mask?.shape.at(-1) ?? 0
      const found =
        mask === null ? null : shader.read(inputs[1]!, out.with(-1, `min(${j}, ${reached - 1})`))
      if (mask !== null) hidden.push(`${j} >= ${reached}`)
      if (mask?.element === 'i32') hidden.push(`${found} == 0`)
      const score = shader.read(inputs[0]!, out)
      const sum = mask?.element === 'f32' ? `${score} + ${found}` : score
      // Written as bits: no literal says minus infinity.
      const bits = `select(bitcast<u32>(${sum}), 0xff800000u, ${anyOf(hidden)})`
      return hidden.length === 0 ? sum : `bitcast<f32>(${bits})`
    },
  })
}

/** GlobalAveragePool, GlobalMaxPool and GlobalLpPool: all spatial dimensions reduced to one element each. */
import { pow } from '../wgsl-math.ts'
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf } from '../op.ts'
import { reduce } from '../templates/reduce.ts'
import { powerText, rootText } from './pools.ts'
import type { AttributeKind, Call, Op } from '../op.ts'
import type { Fold } from '../templates/fold.ts'

type GlobalPool = {
  readonly name: string
  readonly attributes?: Readonly<Record<string, AttributeKind>>
  readonly fold: Fold
  term?(call: Call): { compute(x: number): number; wgsl(x: string): string }
  finish?(call: Call, count: number): { compute(x: number): number; wgsl(x: string): string }
}

const globalPool = ({ name, attributes = {}, fold, term, finish }: GlobalPool): Op => ({
  name,
  inputs: [1, 1],
  attributes,
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!isFloat(element) || shape.length < 2 || shape.slice(2).includes(0))
      return refuse('bad-shape', 'no image of floats')
    return [{ element, shape: shape.map((size, i) => (i < 2 ? size : 1)) }]
  },
  flop: (call) => sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const count = sizeOf({ shape: x!.shape.slice(2) })
    return [
      Float64Array.from({ length: x!.data.length / count }, (_, i) => {
        const terms = [...x!.data.slice(i * count, (i + 1) * count)].map(
          term?.(call).compute ?? ((value: number) => value),
        )
        const found = terms.reduce((a, b) => (fold === 'max' ? Math.max(a, b) : a + b))
        return finish?.(call, count).compute(found) ?? found
      }),
    ]
  },
  lower(call, [x], build) {
    const rank = x!.shape.length - 2
    const count = sizeOf({ shape: x!.shape.slice(2) })
    const before = term?.(call)
    const terms =
      before === undefined ? x! : build.pointwise('f32', [x!], ([one]) => before.wgsl(one!), [pow])
    const found = build.reshape(reduce(build, terms, rank, fold), call.outputs[0]!.shape)
    const after = finish?.(call, count)
    if (after === undefined) return [found]
    return [build.pointwise('f32', [found], ([one]) => after.wgsl(one!), [pow])]
  },
  cases: {
    'any rank': (draw) => ({
      attributes: attributes['p'] === undefined ? {} : { p: draw.whole(1, 3) },
      inputs: [draw.floats(draw.shape(draw.whole(3, 5)))],
    }),
    'large images': (draw) => ({ inputs: [draw.floats([2, 3, 150, 131])] }),
  },
})

export const GLOBAL_POOLS: readonly Op[] = [
  globalPool({
    name: 'GlobalAveragePool',
    fold: 'sum',
    finish: (_, count) => ({ compute: (x) => x / count, wgsl: (x) => `${x} / F(${count})` }),
  }),
  globalPool({ name: 'GlobalMaxPool', fold: 'max' }),
  globalPool({
    name: 'GlobalLpPool',
    attributes: { p: 'int' },
    fold: 'sum',
    term(call) {
      const p = intOf(call, 'p', 2)
      return { compute: (x) => Math.abs(x) ** p, wgsl: (x) => powerText(p, x) }
    },
    finish(call) {
      const p = intOf(call, 'p', 2)
      return { compute: (x) => x ** (1 / p), wgsl: (x) => rootText(p, x) }
    },
  }),
]

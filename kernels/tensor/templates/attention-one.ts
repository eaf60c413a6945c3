/**
 * Attention of one query, as for each token of a language model: the invocations of a workgroup share out the
 * keys of a head, each keeping the largest score so far, the sum of exp(score - largest), and the values added up
 * by those weights; what they found is joined at the end. Where the query still has to be turned, that is done as
 * it is read.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { scoreText, spanText } from './attention-keys.ts'
import type { Build } from '../build.ts'
import type { Deferred, Value } from '../value.ts'
import type { Shape } from '../tensor.ts'
import type { View } from '../view.ts'
import type { Attention, Ready } from './attention-keys.ts'

const WORKGROUP = { software: 4, gpu: 64 } as const
/** Vectors of four in a workgroup's memory: half of the 16 KiB that every adapter has. */
const MAX_VECTORS = 512
const LOWEST = '-3.4028234663852886e38'

/** [batch, heads, 1, size], and the same with the heads in groups of those that share keys. */
type Query = { readonly query: Value; readonly grouped: Shape }

/** Without a mask, and with numbers in fours. */
export const attentionOne = (
  build: Build,
  asked: Omit<Attention, 'q'>,
  { query, grouped }: Query,
): Deferred => {
  const lazy = build.lazy(query)
  const inline = lazy.kind === 'deferred' && lazy.inline?.wide === true ? lazy.inline : null
  const seen = inline === null ? build.realise(lazy) : null
  const read = (shader: Shader, at: readonly string[]): string =>
    seen === null ? inline!.text(shader, at) : shader.read(seen, at)
  const ready: Job['ready'] = {
    q: { shape: grouped },
    k: build.realise(asked.k),
    v: build.realise(asked.v),
    lengths: asked.lengths === null ? null : build.realise(asked.lengths),
  }
  const [batch, heads, group] = grouped as [number, number, number]
  const shape = [batch, heads, group, 1, ready.v.shape[3]!]
  const reads = [ready.k, ready.v, ...(ready.lengths === null ? [] : [ready.lengths])]
  return build.deferred('f32', shape, [...reads, ...(inline?.inputs ?? [seen!])], (finish, out) => {
    const shader = new Shader(4)
    const chunks = shape[4]! / 4
    const { family } = build.target
    const most = 2 ** Math.floor(Math.log2(MAX_VECTORS / chunks))
    const walkers = Math.max(1, Math.min(WORKGROUP[family], most))
    const [b, h, g] = shader.coordinates('group.x', shape.slice(0, 3)) as [string, string, string]
    const head = shader.let(`${h} * ${group} + ${g}`)
    const job: Job = { shader, asked, ready, heads: [b, h], walkers, chunks }
    walk(job, (c) => read(shader, [b, head, '0', c]))
    shader.line(`for (var c = local.x; c < ${chunks}; c += ${walkers}) {`)
    const at = [b, h, g, '0', shader.let('c * 4')]
    shader.store(out, at, finish(shader, at, join(job)))
    shader.line('}')
    build.emit({
      template: 'attention-one',
      shader,
      workgroup: [walkers, 1, 1],
      grid: [sizeOf({ shape: shape.slice(0, 3) }), 1, 1],
      flop:
        2 *
        sizeOf({ shape: shape.slice(0, 3) }) *
        ready.v.shape[2]! *
        (4 * chunks + ready.k.shape[3]!),
    })
  })
}

type Job = {
  readonly shader: Shader
  readonly asked: Omit<Attention, 'q'>
  readonly ready: Pick<Ready, 'k' | 'v' | 'lengths'> & { readonly q: { readonly shape: Shape } }
  readonly heads: readonly [string, string]
  readonly walkers: number
  readonly chunks: number
}

/** Leaves in workgroup memory what each invocation found over its keys. */
const walk = (
  { shader, asked, ready, heads, walkers, chunks }: Job,
  query: (c: string) => string,
): void => {
  shader.global(`var<workgroup> sums: array<vec4<f32>, ${walkers * chunks}>;`)
  shader.global(`var<workgroup> largest: array<f32, ${walkers}>;`)
  shader.global(`var<workgroup> totals: array<f32, ${walkers}>;`)
  const q = Array.from({ length: ready.k.shape[3]! / 4 }, (_, c) =>
    shader.let(query(String(4 * c))),
  )
  const span = spanText(shader, asked, ready, { batch: heads[0], query: '0' })
  const sums = Array.from({ length: chunks }, () => shader.var('F(0.0)'))
  const [most, total] = [shader.var(LOWEST), shader.var('0.0')]
  shader.line(`for (var j = ${span.first} + local.x; j < ${span.limit}; j += ${walkers}) {`)
  const read = (view: View, c: number): string => shader.read(view, [...heads, 'j', String(4 * c)])
  const product = shader.var('F(0.0)')
  for (const [c, part] of q.entries()) shader.line(`${product} += ${part} * ${read(ready.k, c)};`)
  const p = product
  const score = scoreText(shader, asked, `((${p}[0] + ${p}[1]) + (${p}[2] + ${p}[3]))`)
  const next = shader.let(`max(${most}, ${score})`)
  const down = shader.let(`exp(${most} - ${next})`)
  const weight = shader.let(`exp(${score} - ${next})`)
  shader.line(`${most} = ${next};`)
  shader.line(`${total} = ${total} * ${down} + ${weight};`)
  for (const [c, sum] of sums.entries())
    shader.line(`${sum} = ${sum} * ${down} + ${weight} * ${read(ready.v, c)};`)
  shader.line('}')
  for (const [c, sum] of sums.entries()) shader.line(`sums[local.x * ${chunks} + ${c}] = ${sum};`)
  shader.line(`largest[local.x] = ${most};`)
  shader.line(`totals[local.x] = ${total};`)
  shader.line('workgroupBarrier();')
  shader.line(`var most = ${LOWEST};`)
  shader.line(`for (var w = 0; w < ${walkers}; w++) { most = max(most, largest[w]); }`)
}

/** Names what all invocations found of vector `c`; zeros where there was no key. */
const join = ({ shader, walkers, chunks }: Job): string => {
  const [sum, total] = [shader.var('F(0.0)'), shader.var('0.0')]
  shader.line(`for (var w = 0; w < ${walkers}; w++) {`)
  // Who had no keys has the lowest number for its largest, and nothing to add.
  const part = shader.let('exp(largest[w] - most)')
  shader.line(`${sum} += sums[w * ${chunks} + c] * ${part};`)
  shader.line(`${total} += totals[w] * ${part};`)
  shader.line('}')
  return shader.let(`${sum} * select(1.0 / ${total}, 0.0, ${total} == 0.0)`)
}

/**
 * Attention of one query, as for each token of a language model: the invocations of a workgroup share out the
 * keys of a head, each keeping the largest score so far, the sum of exp(score - largest), and the values added up
 * by those weights; what they found is joined at the end. Where the query still has to be turned, that is done as
 * it is read. Very many keys of few heads are cut into parts, each a workgroup's, and a second kernel joins those.
 */
import { elements } from '../../kernel.ts'
import { Shader } from '../shader.ts'
import { scoreText, spanText } from './attention-keys.ts'
import type { Build } from '../build.ts'
import type { Deferred, Finish, Value } from '../value.ts'
import type { Shape } from '../tensor.ts'
import type { View } from '../view.ts'
import type { Attention, Ready, SpanText } from './attention-keys.ts'

const WORKGROUP = { software: 4, gpu: 64 } as const
/** Vectors of four in a workgroup's memory: half of the 16 KiB that every adapter has. */
const MAX_VECTORS = 512
/** Keys from which on a second kernel, which joins parts, is worth it; a talk has shorter tables at first. */
const LONG = 2048
/** Keys that a part has at least, and workgroups that fill an adapter. */
const FILLED = { software: { least: 1024, groups: 8 }, gpu: { least: 1024, groups: 256 } } as const
/** Numbers behind those of a part, so that it stays in fours. */
const ABOUT = 4
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
  const ready: Job['ready'] = {
    q: { shape: grouped },
    k: build.realise(asked.k),
    v: build.realise(asked.v),
    lengths: asked.lengths === null ? null : build.realise(asked.lengths),
  }
  const shape = [...grouped.slice(0, 3), 1, ready.v.shape[3]!]
  const parts = partsOf(build, ready.k.shape[2]!, elements(grouped.slice(0, 3)))
  const reads = [ready.k, ready.v, ...(ready.lengths === null ? [] : [ready.lengths])]
  const heads: Heads = {
    ...{ asked, ready, shape, parts },
    read: (shader, at) => (seen === null ? inline!.text(shader, at) : shader.read(seen, at)),
  }
  return build.deferred('f32', shape, [...reads, ...(inline?.inputs ?? [seen!])], (finish, out) => {
    if (parts === 1) return wholeHeads(build, heads, finish, out)
    const found = build.fresh('f32', [...shape.slice(0, 3), parts, shape[4]! + ABOUT])
    partsOfHeads(build, heads, found)
    joinParts(build, found, finish, out)
  })
}

type Heads = {
  readonly asked: Omit<Attention, 'q'>
  readonly ready: Job['ready']
  /** [batch, key heads, queries' heads for each, 1, size of a value] */
  readonly shape: Shape
  readonly parts: number
  /** Four numbers of the query. */
  read(shader: Shader, at: readonly string[]): string
}

/** Into how many parts the keys of each head are cut, so that an adapter is filled. */
const partsOf = (build: Build, keys: number, heads: number): number => {
  const { least, groups } = FILLED[build.target.family]
  if (keys < LONG) return 1
  return Math.max(1, Math.min(Math.floor(keys / least), Math.ceil(groups / heads)))
}

const wholeHeads = (build: Build, heads: Heads, finish: Finish, out: View): void =>
  overKeys(build, heads, (job, at) => {
    const { shader } = job
    shader.store(out, at, finish(shader, at, shared(shader, gathered(job))))
  })

/** Of each part what its keys add up to, and behind it their largest score and the sum of their weights. */
const partsOfHeads = (build: Build, heads: Heads, found: View): void =>
  overKeys(build, heads, (job, [b, h, g, , c]) => {
    const { shader } = job
    const { sum, total } = gathered(job)
    const [at, last] = [[b!, h!, g!, 'group.y'], heads.shape[4]!]
    shader.store(found, [...at, c!], sum)
    shader.line(`if (c == 0) {`)
    shader.store(found, [...at, String(last)], `vec4<f32>(most, ${total}, 0.0, 0.0)`)
    shader.line('}')
  })

/** A workgroup for each head and part; `store` gets where four numbers of a value are. */
const overKeys = (
  build: Build,
  { asked, ready, shape, parts, read }: Heads,
  store: (job: Job, at: readonly string[]) => void,
): void => {
  const shader = new Shader(4)
  const chunks = shape[4]! / 4
  const most = 2 ** Math.floor(Math.log2(MAX_VECTORS / chunks))
  const walkers = Math.max(1, Math.min(WORKGROUP[build.target.family], most))
  const [b, h, g] = shader.coordinates('group.x', shape.slice(0, 3)) as [string, string, string]
  const head = shader.let(`${h} * ${shape[2]} + ${g}`)
  const job: Job = { shader, asked, ready, heads: [b, h], walkers, chunks, parts }
  walk(job, (c) => read(shader, [b, head, '0', c]))
  shader.line(`for (var c = local.x; c < ${chunks}; c += ${walkers}) {`)
  store(job, [b, h, g, '0', shader.let('c * 4')])
  shader.line('}')
  const heads = elements(shape.slice(0, 3))
  build.emit({
    template: 'attention-one',
    shader,
    workgroup: [walkers, 1, 1],
    grid: [heads, parts, 1],
    flop: 2 * heads * ready.v.shape[2]! * (4 * chunks + ready.k.shape[3]!),
  })
}

type Job = {
  readonly shader: Shader
  readonly asked: Omit<Attention, 'q'>
  readonly ready: Pick<Ready, 'k' | 'v' | 'lengths'> & { readonly q: { readonly shape: Shape } }
  readonly heads: readonly [string, string]
  readonly walkers: number
  readonly chunks: number
  readonly parts: number
}

/** Leaves in workgroup memory what each invocation found over its keys. */
const walk = (job: Job, query: (c: string) => string): void => {
  const { shader, asked, ready, heads, walkers, chunks } = job
  shader.global(`var<workgroup> sums: array<vec4<f32>, ${walkers * chunks}>;`)
  shader.global(`var<workgroup> largest: array<f32, ${walkers}>;`)
  shader.global(`var<workgroup> totals: array<f32, ${walkers}>;`)
  const q = Array.from({ length: ready.k.shape[3]! / 4 }, (_, c) =>
    shader.let(query(String(4 * c))),
  )
  const span = ownKeys(job)
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

/** The keys that a query may look at, or an equal part of them. */
const ownKeys = ({ shader, asked, ready, heads, parts }: Job): SpanText => {
  const span = spanText(shader, asked, ready, { batch: heads[0], query: '0' })
  if (parts === 1) return span
  const each = shader.let(`(${span.limit} - ${span.first} + ${parts - 1}) / ${parts}`)
  const first = shader.let(`${span.first} + group.y * ${each}`)
  return { first, limit: shader.let(`min(${span.limit}, ${first} + ${each})`) }
}

type Gathered = { readonly sum: string; readonly total: string }

/** Names what all invocations found of vector `c`, and the sum of their weights. */
const gathered = ({ shader, walkers, chunks }: Job): Gathered => {
  const [sum, total] = [shader.var('F(0.0)'), shader.var('0.0')]
  shader.line(`for (var w = 0; w < ${walkers}; w++) {`)
  // Who had no keys has the lowest number for its largest, and nothing to add.
  const part = shader.let('exp(largest[w] - most)')
  shader.line(`${sum} += sums[w * ${chunks} + c] * ${part};`)
  shader.line(`${total} += totals[w] * ${part};`)
  shader.line('}')
  return { sum, total }
}

/** Zeros where there was no key. */
const shared = (shader: Shader, { sum, total }: Gathered): string =>
  shader.let(`${sum} * select(1.0 / ${total}, 0.0, ${total} == 0.0)`)

/** An invocation for each four numbers of a head. */
const joinParts = (build: Build, found: View, finish: Finish, out: View): void => {
  const shader = new Shader(4)
  const [parts, size] = [found.shape[3]!, found.shape[4]! - ABOUT]
  const places = [...found.shape.slice(0, 3), size / 4]
  const workgroup = WORKGROUP[build.target.family]
  shader.line(`let place = group.x * ${workgroup} + local.x;`)
  shader.line(`if (place >= ${elements(places)}) { return; }`)
  const [b, h, g, c] = shader.coordinates('place', places) as [string, string, string, string]
  const column = shader.let(`${c} * 4`)
  const read = (at: string): string => shader.read(found, [b, h, g, 'p', at])
  const [most, sum, total] = [LOWEST, 'F(0.0)', '0.0'].map((text) => shader.var(text))
  const loop = `for (var p = 0; p < ${parts}; p++) {`
  shader.line(loop)
  shader.line(`${most} = max(${most}, ${read(String(size))}[0]);`)
  shader.line('}')
  shader.line(loop)
  const about = shader.let(read(String(size)))
  const part = shader.let(`exp(${about}[0] - ${most})`)
  shader.line(`${sum} += ${read(column)} * ${part};`)
  shader.line(`${total} += ${about}[1] * ${part};`)
  shader.line('}')
  const at = [b, h, g, '0', column]
  shader.store(out, at, finish(shader, at, shared(shader, { sum: sum!, total: total! })))
  build.emit({
    template: 'attention-parts',
    shader,
    workgroup: [workgroup, 1, 1],
    grid: [Math.ceil(elements(places) / workgroup), 1, 1],
    flop: 4 * elements(found.shape),
  })
}

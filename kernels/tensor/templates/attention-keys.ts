/** What the kernels of attention have in common: their inputs, and which keys a query may look at. */
import { tanh } from '../wgsl-math.ts'
import type { Build } from '../build.ts'
import type { Shader } from '../shader.ts'
import type { Shape } from '../tensor.ts'
import type { Value } from '../value.ts'
import type { View } from '../view.ts'

export type Attention = {
  /** [batch, key heads, queries' heads for each, queries, size] */
  readonly q: Value
  /** [batch, key heads, keys, size] */
  readonly k: Value
  readonly v: Value
  /** Stretched to [batch, key heads, queries' heads for each, queries, keys or fewer]: f32 to add, i32 as yes or no. */
  readonly mask: Value | null
  /** Keys of each batch; all if absent. */
  readonly lengths: Value | null
  readonly scale: number
  /** 0 for none. */
  readonly softcap: number
  /** Null where a query may look at all keys. */
  readonly span: Span | null
}

/** Which keys a query may look at: those around it. */
export type Span = {
  /** Query i is at key i + offset; counted from the end of `lengths` where offset is null. */
  readonly offset: number | null
  /** How many before it, and how many behind it; null for all. */
  readonly left: number | null
  readonly right: number | null
}

export type Ready = {
  readonly q: View
  readonly k: View
  readonly v: View
  readonly mask: View | null
  readonly lengths: View | null
}

export const realised = (build: Build, { q, k, v, mask, lengths }: Attention): Ready => ({
  q: build.realise(q),
  k: build.realise(k),
  v: build.realise(v),
  mask: mask === null ? null : build.realise(mask),
  lengths: lengths === null ? null : build.realise(lengths),
})

/** Names of the first key that a query may look at, and of the first one behind those. */
export type SpanText = { readonly first: string; readonly limit: string }

export const spanText = (
  shader: Shader,
  { span }: Pick<Attention, 'span'>,
  { k, lengths, q }: Pick<Ready, 'k' | 'lengths'> & { readonly q: { readonly shape: Shape } },
  { batch, query }: { readonly batch: string; readonly query: string },
): SpanText => {
  const keys = k.shape[2]!
  const length = lengths === null ? null : shader.let(shader.scalar(lengths, [batch]))
  const all = length === null ? String(keys) : `clamp(${length}, 0, ${keys})`
  if (span === null) return { first: '0', limit: shader.let(all) }
  const { left, right } = span
  const place = shader.let(`${query} + ${span.offset ?? `${length} - ${q.shape[3]!}`}`)
  return {
    first: left === null ? '0' : shader.let(`max(0, ${place} - ${left})`),
    limit: shader.let(right === null ? all : `max(0, min(${all}, ${place} + ${right} + 1))`),
  }
}

/** The score of a product of query and key, before a mask. */
export const scoreText = (
  shader: Shader,
  { scale, softcap }: Pick<Attention, 'scale' | 'softcap'>,
  product: string,
): string => {
  const scaled = `${product} * ${Math.fround(scale)}f`
  if (softcap === 0) return shader.let(scaled)
  shader.use([tanh])
  const part = shader.let(`tanh_of(F(${scaled} * ${Math.fround(1 / softcap)}f))`)
  return shader.let(`${softcap} * ${shader.lanes === 1 ? part : `${part}[0]`}`)
}

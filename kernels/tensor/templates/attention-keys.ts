/** What the kernels of attention have in common: their inputs, and which keys a query may look at. */
import { tanh } from '../wgsl-math.ts'
import type { Build } from '../build.ts'
import type { Shader } from '../shader.ts'
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
  /** Query i may look at keys up to i + offset; counted from the end of `lengths` where offset is null. */
  readonly causal: { readonly offset: number | null } | null
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

/** Names how many keys a query may look at. */
export const limitText = (
  shader: Shader,
  { causal }: Attention,
  { q, k, lengths }: Ready,
  { batch, query }: { readonly batch: string; readonly query: string },
): string => {
  const keys = k.shape[2]!
  const length = lengths === null ? null : shader.let(shader.scalar(lengths, [batch]))
  const all = length === null ? String(keys) : `clamp(${length}, 0, ${keys})`
  if (causal === null) return shader.let(all)
  const first = causal.offset ?? `${length} - ${q.shape[3]!}`
  return shader.let(`max(0, min(${all}, ${query} + ${first} + 1))`)
}

/** The score of a product of query and key, before a mask. */
export const scoreText = (
  shader: Shader,
  { scale, softcap }: Attention,
  product: string,
): string => {
  const scaled = `${product} * ${Math.fround(scale)}f`
  if (softcap === 0) return shader.let(scaled)
  shader.use([tanh])
  const part = shader.let(`tanh_of(F(${scaled} * ${Math.fround(1 / softcap)}f))`)
  return shader.let(`${softcap} * ${shader.lanes === 1 ? part : `${part}[0]`}`)
}

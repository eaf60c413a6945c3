/**
 * New lines of tables that stay from run to run: written in place, those of keys and of values by one kernel. What
 * can be computed where it is needed is not stored before.
 */
import { Shader } from './shader.ts'
import { sameShape, sizeOf } from './tensor.ts'
import type { Emitted, Target } from './draft.ts'
import type { Deferred, Pointwise } from './value.ts'
import type { View } from './view.ts'

/** Tables that one kernel appends to: each takes up to three buffers of the eight, and they share some. */
const MAX_APPENDS = 2
const APPEND_WORKGROUP = { software: 4, gpu: 64 } as const

/** New lines of a table: `update` goes behind those that are there, which `start` counts for each batch. */
export type Append = {
  readonly table: View
  readonly axis: number
  /** What can be read where it is, or computed where it is needed. */
  readonly update: View | Pointwise | Deferred
  readonly start: View | Pointwise
}

/** The first of them with those that one kernel can append along with it. */
export const alikeIn = (all: readonly Append[]): readonly Append[] =>
  all.filter((one) => isLike(one, all[0]!)).slice(0, MAX_APPENDS)

/** An invocation for each number of a line, which it stores in all tables. */
export const appendAll = (some: readonly Append[], { family }: Target): Emitted => {
  const { table, axis, update, start } = some[0]!
  const shader = new Shader(1)
  const count = sizeOf(update)
  const workgroup = APPEND_WORKGROUP[family]
  shader.line(`let place = group.x * ${workgroup} + local.x;`)
  shader.line(`if (place >= ${count}) { return; }`)
  const at = shader.coordinates('place', update.shape)
  const first = shader.let(shader.read(start, [at[0]!]))
  const line = shader.let(`max(0, ${first} + ${at[axis]!}) % ${table.shape[axis]!}`)
  for (const one of some) {
    const { update: from } = one
    const inline = from.kind === 'deferred' ? from.inline : undefined
    const next = inline?.text(shader, at) ?? shader.read(from, at)
    shader.line(`${shader.place(one.table, at.with(axis, line))} = ${next};`)
  }
  const grid = [Math.ceil(count / workgroup), 1, 1] as const
  const flop = 4 * count * some.length
  return { template: 'append', shader, workgroup: [workgroup, 1, 1], grid, flop }
}

const isLike = (a: Append, b: Append): boolean =>
  a.axis === b.axis &&
  a.start === b.start &&
  sameShape(a.update.shape, b.update.shape) &&
  sameShape(a.table.shape, b.table.shape)

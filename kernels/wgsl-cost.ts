/**
 * From functions to bounds. The call graph has to be free of cycles; then the code of every function,
 * with the functions it calls written out in place, has a finite size, which is limited. What one
 * invocation can do is at most: that code once, plus one loop body for each unit of fuel.
 */
import { fail } from './wgsl-cursor.ts'
import type { Region } from './wgsl-expressions.ts'
import type { Cursor } from './wgsl-cursor.ts'
import type { FunctionBody } from './wgsl-statements.ts'
import type { Token } from './wgsl-tokens.ts'

export type Bounds = {
  /** Units of one pass through the entry point, every call written out, every loop body once. */
  readonly once: number
  /** Units that one unit of fuel pays for, at most: the dearest loop body. 0 without loops. */
  readonly perIteration: number
  /** Bytes of variables if every call were written out. */
  readonly frame: number
}
export type Analysed = { readonly name: Token; readonly body: FunctionBody }

/** Drivers write calls out in place; some 3 000 statements compile in half a second on SwiftShader. */
const MAX_EXPANDED = 20_000
/** With all calls written out. SwiftShader needs up to 2 s for 512, and four times that for 1024. */
const MAX_BRANCHES = 512
/** Registers and stack that one invocation may need: 16 KiB. */
const MAX_FRAME_BYTES = 16_384

type Sizes = { once: number; branches: number; frame: number }
const NOTHING: Sizes = { once: 0, branches: 0, frame: 0 }

/** Bounds of the module whose entry point is `entry`; `start` runs before it. */
export const boundsOf = (
  c: Cursor,
  functions: ReadonlyMap<string, Analysed>,
  entry: string,
  start: Region,
): Bounds => {
  const done = new Map<string, Sizes>()
  const open = new Set<string>()
  const sizesOf = (name: string): Sizes => {
    const known = done.get(name)
    if (known !== undefined) return known
    const analysed = functions.get(name)
    if (analysed === undefined) return NOTHING
    if (open.has(name)) {
      fail(c, 'recursion', analysed.name, 'functions that do not call themselves')
      return NOTHING
    }
    open.add(name)
    const { once, frame } = analysed.body
    const sizes = { once: once.cost, branches: once.branches, frame: frame * 4 }
    for (const [callee, times] of once.calls) {
      const inner = sizesOf(callee)
      sizes.once += times * inner.once
      sizes.branches += times * inner.branches
      sizes.frame += times * inner.frame
    }
    open.delete(name)
    done.set(name, sizes)
    if (sizes.once > MAX_EXPANDED) {
      fail(c, 'expansion-too-large', analysed.name, `at most ${MAX_EXPANDED} units with all calls`)
    }
    if (sizes.branches > MAX_BRANCHES) {
      const allowed = `at most ${MAX_BRANCHES} branches with all calls; a loop counts as four`
      fail(c, 'expansion-too-large', analysed.name, allowed)
    }
    if (sizes.frame > MAX_FRAME_BYTES) {
      fail(c, 'frame-too-large', analysed.name, `at most ${MAX_FRAME_BYTES} bytes with all calls`)
    }
    return sizes
  }
  for (const name of functions.keys()) sizesOf(name)
  const expanded = ({ cost, calls }: Region): number =>
    [...calls].reduce((sum, [callee, times]) => sum + times * sizesOf(callee).once, cost)
  const loops = [...functions.values()].flatMap(({ body }) => body.loops.map(expanded))
  const sizes = sizesOf(entry)
  const at = functions.get(entry)?.name
  if (at !== undefined && sizes.once + start.cost > MAX_EXPANDED) {
    fail(c, 'expansion-too-large', at, `at most ${MAX_EXPANDED} units with initial values`)
  }
  return {
    once: sizes.once + start.cost,
    perIteration: loops.reduce((most, cost) => Math.max(most, cost), 0),
    frame: sizes.frame,
  }
}

/**
 * Reductions over the last dimensions, in pieces: a piece is a run of the reduced elements, walked by one
 * invocation (on a GPU by a workgroup, whose invocations take turns), and what pieces found is reduced again.
 * So a sum to one number is parallel, can be sliced, and stays accurate: sums are kept for 32 vectors at a
 * time before they are added up, which bounds the error by some hundred roundings for any length.
 */
import { elements } from '../../kernel.ts'
import { leavesOf, replaceLeaves } from '../value.ts'
import { collapse, transposeView } from '../view.ts'
import { Shader } from '../shader.ts'
import { foldText } from './fold.ts'
import { alongFour, hasManyRows } from './reduce-four.ts'
import { flopOf, places, scalarFold, tree, walk, WORKGROUP } from './reduce-walk.ts'
import type { Build } from '../build.ts'
import type { Shape } from '../tensor.ts'
import type { Deferred, Lazy, Pointwise, Value } from '../value.ts'
import type { Lanes } from '../wgsl-function.ts'
import type { View } from '../view.ts'
import type { Fold } from './fold.ts'
import type { Flat, Job, Pieces } from './reduce-walk.ts'

/** Elements of a piece: some microseconds of a software adapter's invocation, one turn of a GPU's workgroup. */
const PIECE = { software: 16_384, gpu: 4096 } as const
/** Vectors that a row needs to be worth walking in vectors. */
const MIN_VECTORS = 4

/**
 * Folds the last `rank` dimensions; the result has the shape of the others. What is to be done with each
 * element before belongs into `value`, what is to be done with the result is a formula behind it.
 */
export const reduce = (build: Build, value: Value, rank: number, fold: Fold): Lazy => {
  const ready = build.readable(value)
  const keptRank = ready.shape.length - rank
  const flat = flatten(ready, keptRank)
  const shape = ready.shape.slice(0, keptRank)
  const pieces = piecesOf(flat, PIECE[build.target.family])
  const text = foldText(ready.element, fold)
  const job: Job = { build, flat, pieces, text, element: ready.element }
  if (flat.along === 'row') {
    if (pieces.count === 1 && hasManyRows(flat)) return build.reshape(alongFour(job), shape)
    const found = alongRows(job)
    if (pieces.count === 1) return build.reshape(found, shape)
    return build.reshape(reduce(build, found, 1, fold), shape)
  }
  if (pieces.count === 1) return acrossRows(job, shape)
  const parts = build.realise(acrossRows(job, flat.kept))
  const order = [...flat.kept.map((_, i) => i + 1), 0]
  return build.reshape(reduce(build, transposeView(parts, order), 1, fold), shape)
}

const flatten = (value: View | Pointwise, keptRank: number): Flat => {
  const leaves = [...leavesOf(value)].filter((leaf) => leaf.kind === 'view')
  const part = (from: number, to?: number): ReturnType<typeof collapse> =>
    collapse(
      value.shape.slice(from, to),
      leaves.map((leaf) => ({
        ...leaf,
        shape: leaf.shape.slice(from, to),
        strides: leaf.strides.slice(from, to),
      })),
    )
  const [kept, over] = [part(0, keptRank), part(keptRank)]
  const steps = (strides: readonly (readonly number[])[]): boolean =>
    strides.some((each) => each.at(-1) === 1)
  const wide = over.shape.at(-1)! >= 4 * MIN_VECTORS && steps(over.strides)
  const tall = kept.shape.at(-1)! % 4 === 0 && steps(kept.strides)
  const along = wide ? 'row' : tall ? 'column' : 'scalar'
  // Vectors lie along the last dimension.
  const [first, last] = wide ? [kept, over] : [over, kept]
  const shape = [...first.shape, ...last.shape]
  const looks = new Map<Lazy, View>(
    leaves.map((leaf, i) => {
      return [leaf, { ...leaf, shape, strides: [...first.strides[i]!, ...last.strides[i]!] }]
    }),
  )
  const moved = replaceLeaves(value, (leaf) => looks.get(leaf)!, shape) as View | Pointwise
  return { value: moved, kept: kept.shape, over: over.shape, along }
}

const piecesOf = ({ over }: Flat, most: number): Pieces => {
  const inner = over.at(-1)!
  const outer = elements(over.slice(0, -1))
  const innerRun = Math.min(inner, most)
  const outerRun = Math.min(outer, Math.max(1, Math.floor(most / innerRun)))
  const innerCount = Math.ceil(inner / innerRun)
  const count = innerCount * Math.ceil(outer / outerRun)
  return { outer, inner, outerRun, innerRun, innerCount, count }
}

/** Rows lie in memory: vectors along them. Answers [kept, pieces]. */
const alongRows = (job: Job): View => {
  const { build, flat, pieces, text, element } = job
  const out = build.fresh(element, [elements(flat.kept), pieces.count])
  const count = elements(out.shape)
  const { family } = build.target
  const workgroup = WORKGROUP[family]
  const shader = new Shader(4)
  shader.use(text.functions)
  places(shader, job, count)
  const [row, piece] = shader.coordinates('place', out.shape) as [string, string]
  const kept = shader.coordinates(row, flat.kept)
  const walked = walk(shader, job, kept, piece, {
    from: family === 'gpu' ? 'local.x * 4' : '0',
    step: family === 'gpu' ? workgroup * 4 : 4,
  })
  if (family === 'gpu') tree(shader, text, walked, workgroup)
  const v = family === 'gpu' ? shader.let('found[0]') : walked
  const one = scalarFold(shader, element, text, v)
  if (family === 'gpu') shader.line('if (local.x == 0) {')
  shader.line(`${shader.place(out, [row, piece])} = ${one};`)
  if (family === 'gpu') shader.line('}')
  build.emit({
    template: 'reduce',
    shader,
    workgroup: [workgroup, 1, 1],
    grid: [family === 'gpu' ? count : Math.ceil(count / workgroup), 1, 1],
    flop: flopOf(job),
  })
  return out
}

/** Columns lie in memory, or nothing does: an invocation for each place. Answers [pieces, kept] or `shape`. */
const acrossRows = (job: Job, shape: Shape): Deferred => {
  const { build, flat, pieces, text, element } = job
  const out = pieces.count === 1 ? shape : [pieces.count, ...flat.kept]
  return build.deferred(element, out, [flat.value], (finish, target) => {
    const lanes: Lanes = flat.along === 'column' && (out.at(-1) ?? 1) % 4 === 0 ? 4 : 1
    const shader = new Shader(lanes)
    shader.use(text.functions)
    const count = elements(out) / lanes
    const { family } = build.target
    const workgroup = WORKGROUP[family]
    // Short reductions are many: an invocation takes some.
    const run = family === 'gpu' ? 1 : Math.max(1, Math.floor(64 / elements(flat.over)))
    shader.line(`let first = (group.x * ${workgroup} + local.x) * ${run};`)
    shader.line(`for (var place = first; place < min(first + ${run}, ${count}); place++) {`)
    const at = inLanes(shader, 'place', out, lanes)
    const wide = [pieces.count, ...flat.kept]
    const [piece, ...kept] = inLanes(shader, 'place', wide, lanes)
    const found = walk(shader, job, kept, pieces.count === 1 ? '0' : piece!, { from: '0', step: 1 })
    shader.store(target, at, finish(shader, at, found))
    shader.line('}')
    build.emit({
      template: 'reduce',
      shader,
      workgroup: [workgroup, 1, 1],
      grid: [Math.ceil(count / (workgroup * run)), 1, 1],
      flop: flopOf(job),
    })
  })
}

/** Coordinates of vector number `place`: of the first of its elements. */
const inLanes = (shader: Shader, place: string, shape: Shape, lanes: Lanes): string[] => {
  if (lanes === 1) return shader.coordinates(place, shape)
  const at = shader.coordinates(place, shape.with(-1, shape.at(-1)! / lanes))
  return at.with(-1, shader.let(`${at.at(-1)} * ${lanes}`))
}

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
import { allOf } from '../conditions.ts'
import { foldText } from './fold.ts'
import type { Build } from '../build.ts'
import type { GpuElement, Shape } from '../tensor.ts'
import type { Deferred, Lazy, Pointwise, Value } from '../value.ts'
import type { Lanes } from '../wgsl-function.ts'
import type { View } from '../view.ts'
import type { Fold, FoldText } from './fold.ts'

/** Elements of a piece: some microseconds of a software adapter's invocation, one turn of a GPU's workgroup. */
const PIECE = { software: 16_384, gpu: 4096 } as const
const WORKGROUP = { software: 4, gpu: 64 } as const
/** Steps that are added up on their own before they join the sum. */
const BLOCK = 32
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

/** What is kept and what is folded, in the fewest dimensions each, the one with neighbours in memory last. */
type Flat = {
  readonly value: View | Pointwise
  readonly kept: Shape
  readonly over: Shape
  readonly along: 'row' | 'column' | 'scalar'
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

/** Pieces are boxes of the folded dimensions: runs of the last one, by runs of all others taken together. */
type Pieces = {
  readonly outer: number
  readonly inner: number
  readonly outerRun: number
  readonly innerRun: number
  readonly innerCount: number
  readonly count: number
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

type Job = {
  readonly build: Build
  readonly flat: Flat
  readonly pieces: Pieces
  readonly text: FoldText
  readonly element: GpuElement
}

const flopOf = ({ flat }: Job): number => elements(flat.kept) * elements(flat.over)

/** Rows lie in memory: vectors along them. Answers [kept, pieces]. */
const alongRows = (job: Job): View => {
  const { build, flat, pieces, text, element } = job
  const out = build.fresh(element, [elements(flat.kept), pieces.count])
  const count = elements(out.shape)
  const { family } = build.target
  const workgroup = WORKGROUP[family]
  const shader = new Shader(4)
  shader.use(text.functions)
  if (family === 'gpu') {
    shader.global(`var<workgroup> found: array<vec4<${element}>, ${workgroup}>;`)
    shader.line('let place = group.x;')
  } else {
    shader.line(`let place = group.x * ${workgroup} + local.x;`)
    shader.line(`if (place >= ${count}) { return; }`)
  }
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

/** Rows from which on there are enough workgroups when each takes four of them. */
const MANY_ROWS = 256

const hasManyRows = ({ kept }: Flat): boolean =>
  kept.length === 1 && kept[0]! >= MANY_ROWS && kept[0]! % 4 === 0

/** Four rows side by side, so that what is done with the sums may be a formula behind them. Answers [kept]. */
const alongFour = (job: Job): Deferred => {
  const { build, flat, text, element } = job
  const count = flat.kept[0]! / 4
  const { family } = build.target
  const workgroup = WORKGROUP[family]
  return build.deferred(element, flat.kept, [flat.value], (finish, target) => {
    const shader = new Shader(4)
    shader.use(text.functions)
    if (family === 'gpu') {
      shader.global(`var<workgroup> found: array<vec4<${element}>, ${workgroup}>;`)
      shader.line('let place = group.x;')
    } else {
      shader.line(`let place = group.x * ${workgroup} + local.x;`)
      shader.line(`if (place >= ${count}) { return; }`)
    }
    const ones = [0, 1, 2, 3].map((r) => {
      const walked = walk(shader, job, [shader.let(`place * 4 + ${r}`)], '0', {
        from: family === 'gpu' ? 'local.x * 4' : '0',
        step: family === 'gpu' ? workgroup * 4 : 4,
      })
      return shader.let(scalarFold(shader, element, text, walked))
    })
    const own = shader.let(`vec4<${element}>(${ones.join(', ')})`)
    if (family === 'gpu') tree(shader, text, own, workgroup)
    const all = family === 'gpu' ? shader.let('found[0]') : own
    if (family === 'gpu') shader.line('if (local.x == 0) {')
    const at = [shader.let('place * 4')]
    shader.store(target, at, finish(shader, at, all))
    if (family === 'gpu') shader.line('}')
    build.emit({
      template: 'reduce',
      shader,
      workgroup: [workgroup, 1, 1],
      grid: [family === 'gpu' ? count : Math.ceil(count / workgroup), 1, 1],
      flop: flopOf(job),
    })
  })
}

/** The four lanes as one number: the steps are written for vectors, so each lane is made one. */
const scalarFold = (shader: Shader, element: GpuElement, { step }: FoldText, v: string): string => {
  const wide = (lane: number): string => `${element === 'f32' ? 'F' : 'I'}(${v}[${lane}])`
  const halves = [step(wide(0), wide(1)), step(wide(2), wide(3))].map((half) => shader.let(half))
  return `(${step(halves[0]!, halves[1]!)})[0]`
}

const tree = (shader: Shader, { step }: FoldText, own: string, workgroup: number): void => {
  shader.line(`found[local.x] = ${own};`)
  // One barrier in a loop: adapters take long to compile many.
  shader.line(`for (var half = ${workgroup / 2}; half >= 1; half = half / 2) {`)
  shader.line('workgroupBarrier();')
  const other = 'found[local.x + half]'
  shader.line(`if (local.x < half) { found[local.x] = ${step('found[local.x]', other)}; }`)
  shader.line('}')
  shader.line('workgroupBarrier();')
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

/** Loops over the elements of a piece; names what was found. Vectors along rows where `step` is 4 or more. */
const walk = (
  shader: Shader,
  { flat, pieces, text }: Job,
  kept: readonly string[],
  piece: string,
  { from, step }: { readonly from: string; readonly step: number },
): string => {
  const { outer, inner, outerRun, innerRun, innerCount } = pieces
  const found = shader.var(text.initial)
  const begin = shader.let(innerCount === 1 ? '0' : `(${piece} % ${innerCount}) * ${innerRun}`)
  const end = shader.let(`min(${begin} + ${innerRun}, ${inner})`)
  const first = shader.let(outer === outerRun ? '0' : `(${piece} / ${innerCount}) * ${outerRun}`)
  shader.line(`for (var o = ${first}; o < min(${first} + ${outerRun}, ${outer}); o++) {`)
  const others = shader.coordinates('o', flat.over.slice(0, -1))
  const read = (i: string): string =>
    shader.read(
      flat.value,
      flat.along === 'row' ? [...kept, ...others, i] : [...others, i, ...kept],
    )
  if (from === '0' && innerRun % (step * BLOCK) === 0 && inner % innerRun === 0) {
    walkWhole(shader, text, { found, begin, end, step }, read)
    shader.line('}')
    return found
  }
  const full = step === 1 ? end : shader.let(`${begin} + ((${end} - ${begin}) & ~3)`)
  shader.line(`for (var b = ${begin} + ${from}; b < ${full}; b += ${step * BLOCK}) {`)
  const block = shader.var(text.initial)
  shader.line(`for (var i = b; i < min(b + ${step * BLOCK}, ${full}); i += ${step}) {`)
  shader.line(`${block} = ${text.step(block, read('i'))};`)
  shader.line('}')
  shader.line(`${found} = ${text.step(found, block)};`)
  shader.line('}')
  if (step > 1 && inner % 4 !== 0) {
    // The last vector reaches beyond the row: what lies there is looked at, and does not count.
    shader.line(`if (${allOf([`${full} < ${end}`, `${from} == 0`])}) {`)
    const counts = `vec4<i32>(0, 1, 2, 3) < vec4<i32>(${end} - ${full})`
    const last = `select(${text.initial}, ${read(full)}, ${counts})`
    shader.line(`${found} = ${text.step(found, last)};`)
    shader.line('}')
  }
  shader.line('}')
  return found
}

/** The same where all blocks are whole: four steps at a time, which do not wait for each other. */
const walkWhole = (
  shader: Shader,
  text: FoldText,
  run: {
    readonly found: string
    readonly begin: string
    readonly end: string
    readonly step: number
  },
  read: (i: string) => string,
): void => {
  const { found, begin, end, step } = run
  shader.line(`for (var b = ${begin}; b < ${end}; b += ${step * BLOCK}) {`)
  const block = shader.var(text.initial)
  shader.line(`for (var i = b; i < b + ${step * BLOCK}; i += ${4 * step}) {`)
  const terms = [0, 1, 2, 3].map((n) => read(shader.let(`i + ${n * step}`)))
  const halves = [text.step(terms[0]!, terms[1]!), text.step(terms[2]!, terms[3]!)]
  const sum = text.step(shader.let(halves[0]!), shader.let(halves[1]!))
  shader.line(`${block} = ${text.step(block, `(${sum})`)};`)
  shader.line('}')
  shader.line(`${found} = ${text.step(found, block)};`)
  shader.line('}')
}

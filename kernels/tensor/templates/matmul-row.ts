/**
 * One row, or a few, times rows of weights that lie in memory one after the other, as numbers or as what a formula
 * makes numbers of: what a language model does for each token, and for a token each of several talks. Each weight is
 * read once, so only the reading counts: four numbers at a time, and four rows beside each other, which share the
 * numbers of the few. A GPU has several invocations walk a row, which a software adapter would have to wait for.
 *
 * Where the rows come from a norm, the roots of their squares are found on the way and divide the sums; where
 * several products of the same rows meet in a formula they are one kernel.
 */
import { elements } from '../../kernel.ts'
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { sliceView } from '../view.ts'
import { nest } from './nest.ts'
import { formOf, rowWeights, sharedSize, walkRows } from './row-weights.ts'
import type { Build } from '../build.ts'
import type { Shape } from '../tensor.ts'
import type {
  Deferred,
  FinishAll,
  Lazy,
  NormedRow,
  RowProduct,
  RowWeights,
  Value,
} from '../value.ts'
import type { View } from '../view.ts'

/** More rows on the left would have more sums than an invocation has registers for. */
export const FEW = 4
/** Rows of weights beside each other. */
const ROWS = 4
/** Vectors that are summed up in one kernel, by the same reason; a workgroup's memory has room for them, too. */
const MAX_SUMS = 32
/** A deeper row is cut into parts by `matmul`: an invocation should not take long. */
const MAX_DEPTH = 2 ** 16
const WORKGROUP = { software: 4, gpu: 64 } as const
/** Vectors that a walker of a GPU should have. */
const EACH = 2

/** `a` is [M, K] with few rows, `weights` [N, K]; null where they are not that, or cannot be walked so. */
export const matmulRow = (build: Build, a: Value, weights: Value): Deferred | null => {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, weights.shape[0]!]
  const isAlone = sizeOf(a) === m * k && sizeOf(weights) === k * n
  const fits = isAlone && m <= FEW && k % 4 === 0 && k <= MAX_DEPTH
  const rows = fits && a.element === 'f32' ? rowWeights(build, weights) : null
  // Numbers in memory may as well go other ways.
  if (rows === null || (n % ROWS !== 0 && rows.value.kind === 'view')) return null
  const left = build.lazy(a)
  const norm = left.kind === 'deferred' && left.moved === undefined ? left.norm : undefined
  const row: Row =
    norm === undefined
      ? { lazy: left, count: m, norm: null, reads: [build.realise(left)] }
      : { lazy: left, count: m, norm, reads: [norm.x, norm.scale] }
  return rowProduct(build, row, rows, [...a.shape.slice(0, -1), n])
}

type Row = {
  readonly lazy: Lazy
  /** How many there are. */
  readonly count: number
  readonly norm: NormedRow | null
  readonly reads: readonly Lazy[]
}

const rowProduct = (
  build: Build,
  row: Row,
  weights: RowWeights,
  shape: readonly number[],
): Deferred => {
  const n = shape.at(-1)!
  const inFours = n % ROWS === 0
  const alone = (finish: FinishAll, out: View): void =>
    write(build, row, [{ kernel: made, weights }], finish, out)
  const product: RowProduct = {
    row: row.lazy,
    most: Math.floor(MAX_SUMS / (ROWS * row.count)),
    form: formOf(weights),
    weights,
    emitWith(others, finish, out) {
      const products = [made, ...others].map((kernel) => {
        return { kernel, weights: kernel.product!.weights }
      })
      write(build, row, products, finish, out)
    },
  }
  const made: Deferred = {
    ...build.deferred('f32', shape, [...row.reads, weights.value], (finish, out) => {
      const isOne = row.count === 1 && build.isWhole(out) && out.strides.at(-1) === 1
      if (inFours || isOne)
        return alone((shader, at, found) => finish(shader, at, found.get(made)!), out)
      // The last four reach beyond the end, where somebody else's numbers may lie.
      const found = build.fresh('f32', shape.with(-1, ROWS * Math.ceil(n / ROWS)))
      alone((_, __, sums) => sums.get(made)!, found)
      const isIn = { start: 0, size: n, step: 1 }
      copied(build, sliceView(found, shape.length - 1, isIn)).emit(finish, out)
    }),
    ...(inFours ? { product } : {}),
  }
  return made
}

const copied = (build: Build, view: View): Deferred =>
  nest(build, {
    element: view.element,
    shape: view.shape,
    inputs: [view],
    body: ({ shader, out, inputs }) => shader.read(inputs[0]!, out),
  })

type Product = { readonly kernel: Deferred; readonly weights: RowWeights }

const write = (
  build: Build,
  row: Row,
  products: readonly Product[],
  finish: FinishAll,
  out: View,
): void => {
  const { weights } = products[0]!
  const [n, k] = [weights.value.shape[0]!, elements(weights.value.shape.slice(1))]
  const { family } = build.target
  const workgroup = WORKGROUP[family]
  const walkers = family === 'gpu' ? walkersOf(sharedSize(weights)) : 1
  const each = workgroup / walkers
  const shader = new Shader(4)
  const groups = Math.ceil(n / ROWS)
  shader.line(`let walker = local.x % ${walkers};`)
  shader.line(`let place = group.x * ${each} + local.x / ${walkers};`)
  // All have to come to the barriers: those behind the last row walk along with it.
  if (walkers === 1) shader.line(`if (place >= ${groups}) { return; }`)
  const first = shader.let(`min(place, ${groups - 1}) * ${ROWS}`)
  const found = sums(shader, row, products, { first, n, k, walkers, workgroup })
  if (walkers > 1) shader.line(`if (place < ${groups} && walker == 0) {`)
  for (const [i, each] of found.entries()) {
    const at = [...placeOf(out, i), first]
    shader.store(out, at, finish(shader, at, each))
  }
  if (walkers > 1) shader.line('}')
  build.emit({
    template: 'matmul-row',
    shader,
    workgroup: [workgroup, 1, 1],
    grid: [Math.ceil(groups / each), 1, 1],
    flop: 2 * row.count * n * k * products.length,
  })
}

/** As many as have some vectors each, in powers of two up to the workgroup. */
const walkersOf = (size: number): number =>
  Math.min(WORKGROUP.gpu, 2 ** Math.floor(Math.log2(Math.max(1, size / (4 * EACH)))))

type Walk = {
  readonly first: string
  readonly n: number
  readonly k: number
  readonly walkers: number
  readonly workgroup: number
}

/** For each row the names of four neighbouring results of each product, by kernel. */
const sums = (
  shader: Shader,
  row: Row,
  products: readonly Product[],
  { first, n, k, walkers, workgroup }: Walk,
): readonly ReadonlyMap<Lazy, string>[] => {
  const each = <T>(make: (i: number) => T): T[] =>
    Array.from({ length: row.count }, (_, i) => make(i))
  const line = (r: number): string => {
    const text = r === 0 ? first : `${first} + ${r}`
    return shader.let(n % ROWS === 0 ? text : `min(${text}, ${n - 1})`)
  }
  const lines = Array.from({ length: ROWS }, (_, r) => line(r))
  const found = products.map(() => each(() => lines.map(() => shader.var('F(0.0)'))))
  const squares = row.norm === null ? [] : each(() => shader.var('F(0.0)'))
  const all = products.map(({ weights }) => weights)
  walkRows(shader, all, { walker: 'walker', walkers, lines }, (place, read) => {
    const x = rowsAt(shader, row, place, squares)
    for (const [p, ofProduct] of found.entries())
      for (const r of lines.keys()) {
        const weight = shader.let(read(p, r))
        for (const [i, own] of ofProduct.entries()) shader.line(`${own[r]} += ${weight} * ${x[i]};`)
      }
  })
  const across = (v: string): string => `(${v}[0] + ${v}[1]) + (${v}[2] + ${v}[3])`
  const vector = (of: readonly string[]): string =>
    shader.let(`vec4<f32>(${of.map(across).join(', ')})`)
  const own = found.flat().map(vector)
  if (row.norm !== null) own.push(vector(lines.map((_, i) => squares[i] ?? squares[0]!)))
  const whole = walkers === 1 ? own : joined(shader, own, walkers, workgroup)
  return each((i) => {
    const part =
      row.norm === null
        ? null
        : shader.let(
            `1.0 / sqrt(${whole.at(-1)}[${i}] / ${k}.0 + ${Math.fround(row.norm.epsilon)})`,
          )
    return new Map(
      products.map(({ kernel }, p) => {
        const sum = whole[p * row.count + i]!
        return [kernel, part === null ? sum : shader.let(`${sum} * ${part}`)]
      }),
    )
  })
}

/** Of row `i` of a value that has no others: all coordinates but the last. */
const placeOf = ({ shape }: { readonly shape: Shape }, i: number): readonly string[] =>
  shape.slice(0, -1).map((_, axis) => (axis === shape.length - 2 ? String(i) : '0'))

/** Four numbers of each row from `k` on. */
const rowsAt = (
  shader: Shader,
  { count, norm, reads }: Row,
  k: string,
  squares: readonly string[],
): readonly string[] => {
  const at = (value: Lazy, i: number): string[] => [...placeOf(value, i), k]
  const scale = norm === null ? null : shader.let(shader.read(reads[1]!, at(reads[1]!, 0)))
  return Array.from({ length: count }, (_, i) => {
    const x = shader.let(shader.read(reads[0]!, at(reads[0]!, i)))
    if (scale === null) return x
    shader.line(`${squares[i]} += ${x} * ${x};`)
    return shader.let(`${x} * ${scale}`)
  })
}

/** What the walkers of a row found, added up in a tree. */
const joined = (
  shader: Shader,
  own: readonly string[],
  walkers: number,
  workgroup: number,
): readonly string[] => {
  const count = own.length
  shader.global(`var<workgroup> parts: array<vec4<f32>, ${workgroup * count}>;`)
  for (const [i, one] of own.entries()) shader.line(`parts[local.x * ${count} + ${i}] = ${one};`)
  shader.line(`for (var half = ${walkers / 2}; half >= 1; half = half / 2) {`)
  shader.line('workgroupBarrier();')
  shader.line('if (walker < half) {')
  for (const i of own.keys())
    shader.line(`parts[local.x * ${count} + ${i}] += parts[(local.x + half) * ${count} + ${i}];`)
  shader.line('}')
  shader.line('}')
  shader.line('workgroupBarrier();')
  return own.map((_, i) => shader.let(`parts[(local.x - walker) * ${count} + ${i}]`))
}

/**
 * One row, or a few, times rows of weights that lie in memory one after the other: what a language model does for
 * each token, and for a token each of several talks. Each weight is read once, so only the reading counts: four
 * numbers at a time, and four rows beside each other, which share the numbers of the few. A GPU has several
 * invocations walk a row, which a software adapter would have to wait for.
 *
 * Where the rows come from a norm, the roots of their squares are found on the way and divide the sums; where
 * several products of the same rows meet in a formula they are one kernel.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { transposeView } from '../view.ts'
import type { Build } from '../build.ts'
import type { Deferred, FinishAll, Lazy, NormedRow, Value } from '../value.ts'
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

/** `a` is [M, K] with few rows, and `b` a look at [N, K] turned; null where they are not that. */
export const matmulRow = (build: Build, a: Value, b: Value): Deferred | null => {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!]
  const isAlone = sizeOf(a) === m * k && sizeOf(b) === k * n
  if (!isAlone || a.element !== 'f32' || m > FEW || k > MAX_DEPTH) return null
  if (k % 4 !== 0 || n % 4 !== 0) return null
  const right = build.lazy(b)
  if (right.kind !== 'view') return null
  const weights = transposeView(
    { ...right, shape: [k, n], strides: right.strides.slice(-2) },
    [1, 0],
  )
  const [step, line] = [weights.strides[1], weights.strides[0]!]
  if (step !== 1 || line % 4 !== 0 || weights.offset % 4 !== 0) return null
  const left = build.lazy(a)
  const norm = left.kind === 'deferred' && left.moved === undefined ? left.norm : undefined
  const row: Row =
    norm === undefined
      ? { lazy: left, count: m, norm: null, reads: [build.realise(left)] }
      : { lazy: left, count: m, norm, reads: [norm.x, norm.scale] }
  return rowProduct(build, row, weights, [...a.shape.slice(0, -1), n])
}

type Row = {
  readonly lazy: Lazy
  /** How many there are. */
  readonly count: number
  readonly norm: NormedRow | null
  readonly reads: readonly Lazy[]
}

const rowProduct = (build: Build, row: Row, weights: View, shape: readonly number[]): Deferred => {
  const made: Deferred = {
    ...build.deferred('f32', shape, [...row.reads, weights], (finish, out) => {
      const all: FinishAll = (shader, at, found) => finish(shader, at, found.get(made)!)
      write(build, row, [{ kernel: made, weights }], all, out)
    }),
    product: {
      row: row.lazy,
      weights,
      most: MAX_SUMS / (ROWS * row.count),
      emitWith(others, finish, out) {
        const products = [made, ...others].map((kernel) => {
          return { kernel, weights: kernel.product!.weights }
        })
        write(build, row, products, finish, out)
      },
    },
  }
  return made
}

type Product = { readonly kernel: Deferred; readonly weights: View }

const write = (
  build: Build,
  row: Row,
  products: readonly Product[],
  finish: FinishAll,
  out: View,
): void => {
  const [n, k] = products[0]!.weights.shape as [number, number]
  const { family } = build.target
  const workgroup = WORKGROUP[family]
  const walkers = family === 'gpu' ? walkersOf(k) : 1
  const each = workgroup / walkers
  const shader = new Shader(4)
  const groups = n / ROWS
  shader.line(`let walker = local.x % ${walkers};`)
  shader.line(`let place = group.x * ${each} + local.x / ${walkers};`)
  // All have to come to the barriers: those behind the last row walk along with it.
  if (walkers === 1) shader.line(`if (place >= ${groups}) { return; }`)
  const first = shader.let(`min(place, ${groups - 1}) * ${ROWS}`)
  const found = sums(shader, row, products, { first, k, walkers, workgroup })
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
const walkersOf = (k: number): number =>
  Math.min(WORKGROUP.gpu, 2 ** Math.floor(Math.log2(Math.max(1, k / (4 * EACH)))))

type Walk = {
  readonly first: string
  readonly k: number
  readonly walkers: number
  readonly workgroup: number
}

/** For each row the names of four neighbouring results of each product, by kernel. */
const sums = (
  shader: Shader,
  row: Row,
  products: readonly Product[],
  { first, k, walkers, workgroup }: Walk,
): readonly ReadonlyMap<Lazy, string>[] => {
  const each = <T>(make: (i: number) => T): T[] =>
    Array.from({ length: row.count }, (_, i) => make(i))
  const rows = products.map(({ weights }) => ({
    weights,
    names: Array.from({ length: ROWS }, (_, r) => ({
      line: shader.let(`${first} + ${r}`),
      sums: each(() => shader.var('F(0.0)')),
    })),
  }))
  const squares = row.norm === null ? [] : each(() => shader.var('F(0.0)'))
  shader.line(`for (var k = walker * 4; k < ${k}; k += ${4 * walkers}) {`)
  const x = rowsAt(shader, row, squares)
  for (const { weights, names } of rows)
    for (const { line, sums: own } of names) {
      const weight = shader.read(weights, [line, 'k'])
      for (const [i, sum] of own.entries()) shader.line(`${sum} += ${weight} * ${x[i]};`)
    }
  shader.line('}')
  const across = (v: string): string => `(${v}[0] + ${v}[1]) + (${v}[2] + ${v}[3])`
  const vector = (of: readonly string[]): string =>
    shader.let(`vec4<f32>(${of.map(across).join(', ')})`)
  const own = rows.flatMap(({ names }) => each((i) => vector(names.map((name) => name.sums[i]!))))
  if (row.norm !== null)
    own.push(vector(Array.from({ length: 4 }, (_, i) => squares[i] ?? squares[0]!)))
  const all = walkers === 1 ? own : joined(shader, own, walkers, workgroup)
  return each((i) => {
    const part =
      row.norm === null
        ? null
        : shader.let(`1.0 / sqrt(${all.at(-1)}[${i}] / ${k}.0 + ${Math.fround(row.norm.epsilon)})`)
    return new Map(
      products.map(({ kernel }, p) => {
        const sum = all[p * row.count + i]!
        return [kernel, part === null ? sum : shader.let(`${sum} * ${part}`)]
      }),
    )
  })
}

/** Of row `i` of a value that has no others: all coordinates but the last. */
const placeOf = ({ shape }: { readonly shape: readonly number[] }, i: number): readonly string[] =>
  shape.slice(0, -1).map((_, axis) => (axis === shape.length - 2 ? String(i) : '0'))

/** Four numbers of each row from `k` on. */
const rowsAt = (
  shader: Shader,
  { count, norm, reads }: Row,
  squares: readonly string[],
): readonly string[] => {
  const at = (value: Lazy, i: number): string[] => [...placeOf(value, i), 'k']
  const scale = norm === null ? null : shader.read(reads[1]!, at(reads[1]!, 0))
  return Array.from({ length: count }, (_, i) => {
    const x = shader.read(reads[0]!, at(reads[0]!, i))
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

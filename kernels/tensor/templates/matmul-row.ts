/**
 * One row times rows of weights that lie in memory one after the other: what a language model does for each
 * token. Each weight is read once, so only the reading counts: four numbers at a time, and four rows beside each
 * other, which share the numbers of the one row. A GPU has several invocations walk a row, which a software
 * adapter would have to wait for.
 *
 * Where the row comes from a norm, the root of its squares is found on the way and divides the sums; where
 * several products of one row meet in a formula they are one kernel.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { transposeView } from '../view.ts'
import type { Build } from '../build.ts'
import type { Deferred, FinishAll, Lazy, NormedRow, Value } from '../value.ts'
import type { View } from '../view.ts'

/** Rows of weights beside each other. */
const ROWS = 4
/** A deeper row is cut into parts by `matmul`: an invocation should not take long. */
const MAX_DEPTH = 2 ** 16
const WORKGROUP = { software: 4, gpu: 64 } as const
/** Vectors that a walker of a GPU should have. */
const EACH = 2

/** `a` is [1, K] and `b` a look at [N, K] turned; null where they are not that. */
export const matmulRow = (build: Build, a: Value, b: Value): Deferred | null => {
  const [k, n] = [a.shape.at(-1)!, b.shape.at(-1)!]
  const fits = sizeOf(a) === k && sizeOf(b) === k * n && a.element === 'f32' && k <= MAX_DEPTH
  if (!fits || k % 4 !== 0 || n % 4 !== 0) return null
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
      ? { lazy: left, norm: null, reads: [build.realise(left)] }
      : { lazy: left, norm, reads: [norm.x, norm.scale] }
  return rowProduct(build, row, weights, [...a.shape.slice(0, -1), n])
}

type Row = { readonly lazy: Lazy; readonly norm: NormedRow | null; readonly reads: readonly Lazy[] }

const rowProduct = (build: Build, row: Row, weights: View, shape: readonly number[]): Deferred => {
  const made: Deferred = {
    ...build.deferred('f32', shape, [...row.reads, weights], (finish, out) => {
      const all: FinishAll = (shader, at, found) => finish(shader, at, found.get(made)!)
      write(build, row, [{ kernel: made, weights }], all, out)
    }),
    product: {
      row: row.lazy,
      weights,
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
  const at = [...out.shape.slice(0, -1).map(() => '0'), first]
  shader.store(out, at, finish(shader, at, found))
  if (walkers > 1) shader.line('}')
  build.emit({
    template: 'matmul-row',
    shader,
    workgroup: [workgroup, 1, 1],
    grid: [Math.ceil(groups / each), 1, 1],
    flop: 2 * n * k * products.length,
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

/** Names of four neighbouring results of each product, by kernel. */
const sums = (
  shader: Shader,
  row: Row,
  products: readonly Product[],
  { first, k, walkers, workgroup }: Walk,
): ReadonlyMap<Lazy, string> => {
  const rows = products.map(({ weights }) => ({
    weights,
    names: Array.from({ length: ROWS }, (_, r) => ({
      line: shader.let(`${first} + ${r}`),
      sum: shader.var('F(0.0)'),
    })),
  }))
  const squares = row.norm === null ? null : shader.var('F(0.0)')
  shader.line(`for (var k = walker * 4; k < ${k}; k += ${4 * walkers}) {`)
  const x = rowAt(shader, row, squares)
  for (const { weights, names } of rows)
    for (const { line, sum } of names)
      shader.line(`${sum} += ${shader.read(weights, [line, 'k'])} * ${x};`)
  shader.line('}')
  const across = (v: string): string => `(${v}[0] + ${v}[1]) + (${v}[2] + ${v}[3])`
  const own = rows.map(({ names }) =>
    shader.let(`vec4<f32>(${names.map(({ sum }) => across(sum)).join(', ')})`),
  )
  if (squares !== null) own.push(shader.let(`vec4<f32>(${across(squares)})`))
  const all = walkers === 1 ? own : joined(shader, own, walkers, workgroup)
  const part =
    row.norm === null
      ? null
      : shader.let(`1.0 / sqrt(${all.at(-1)}[0] / ${k}.0 + ${Math.fround(row.norm.epsilon)})`)
  return new Map(
    products.map(({ kernel }, i) => {
      return [kernel, part === null ? all[i]! : shader.let(`${all[i]} * ${part}`)]
    }),
  )
}

/** Four numbers of the row from `k` on. */
const rowAt = (shader: Shader, { norm, reads }: Row, squares: string | null): string => {
  const at = (value: Lazy): string[] => [...value.shape.slice(0, -1).map(() => '0'), 'k']
  const x = shader.let(shader.read(reads[0]!, at(reads[0]!)))
  if (norm === null || squares === null) return x
  shader.line(`${squares} += ${x} * ${x};`)
  return shader.let(`${x} * ${shader.read(reads[1]!, at(reads[1]!))}`)
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

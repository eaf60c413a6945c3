/**
 * C[b..., m, n] = sum over k of A[b..., m, k] B[b..., k, n], operands with any strides, products added in
 * order of k (very many of them in parts): in tiles where that pays, else one row and four columns per
 * invocation where N allows.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { matmulRegisters } from './matmul-registers.ts'
import { matmulRow } from './matmul-row.ts'
import { matmulTiles } from './matmul-tiles.ts'
import { reduce } from './reduce.ts'
import { turnedRows } from './row-weights.ts'
import { sliceView, transposeView } from '../view.ts'
import type { Build } from '../build.ts'
import type { Lanes } from '../wgsl-function.ts'
import type { Deferred, Lazy, Value } from '../value.ts'
import type { View } from '../view.ts'

/**
 * Deeper ones are computed in parts of K, which are added up: a workgroup is the least that can be sliced, and
 * a long sum of floats is better for it too.
 */
const MAX_DEPTH = 2 ** 16
/** Below, a product takes less time than it takes to compile tiles for it. */
const MIN_TILED_FLOP = 2 ** 18
/** A GPU's tiles are 64 wide: of a few rows or columns most would be empty. */
const MIN_SIDE = 16
const WORKGROUP = { software: 4, gpu: 64 } as const

/** `a` is [batch..., M, K], `b` [batch..., K, N], of one type, with the same batch dimensions: expand before. */
export const matmul = (build: Build, a: Value, b: Value): Lazy => {
  const right = build.lazy(b)
  const row = right.kind === 'view' ? matmulRow(build, a, turnedRows(right)) : null
  if (row !== null) return row
  return product(build, build.realise(a), build.realise(right))
}

const product = (build: Build, left: View, right: View): Lazy => {
  const [m, k, n] = [left.shape.at(-2)!, left.shape.at(-1)!, right.shape.at(-1)!]
  if (k > MAX_DEPTH) return inParts(build, left, right)
  const flop = 2 * sizeOf(left) * n
  if (flop < MIN_TILED_FLOP) return matmulRows(build, left, right)
  if (build.target.family === 'software') return matmulRegisters(build, left, right)
  return Math.min(m, n) < MIN_SIDE
    ? matmulRows(build, left, right)
    : matmulTiles(build, left, right)
}

/** Parts of one depth as one more batch dimension, and what does not fill a part. */
const inParts = (build: Build, left: View, right: View): Lazy => {
  const batch = left.shape.slice(0, -2)
  const [m, k, n] = [left.shape.at(-2)!, left.shape.at(-1)!, right.shape.at(-1)!]
  const parts = Math.ceil(k / MAX_DEPTH)
  const depth = Math.floor(k / parts)
  const [rank, whole] = [batch.length, parts * depth]
  const outer = batch.map((_, i) => i)
  const take = (view: View, axis: number, start: number, size: number): View =>
    sliceView(view, axis, { start, size, step: 1 })
  const [alongRow, alongColumn] = [rank + 1, rank]
  const rows = build.reshape(take(left, alongRow, 0, whole), [...batch, m, parts, depth])
  const turned = build.move(rows, (view) =>
    transposeView(view, [...outer, rank + 1, rank, rank + 2]),
  )
  const columns = build.reshape(take(right, alongColumn, 0, whole), [...batch, parts, depth, n])
  const found = build.move(matmul(build, turned, columns), (view) =>
    transposeView(view, [...outer, rank + 1, rank + 2, rank]),
  )
  const sum = reduce(build, found, 1, 'sum')
  if (whole === k) return sum
  const rest = matmul(
    build,
    take(left, alongRow, whole, k - whole),
    take(right, alongColumn, whole, k - whole),
  )
  return build.pointwise(sum.element, [sum, rest], ([a, b]) => `${a} + ${b}`)
}

const matmulRows = (build: Build, left: View, right: View): Deferred => {
  const batch = left.shape.slice(0, -2)
  const [m, k] = [left.shape.at(-2)!, left.shape.at(-1)!]
  const n = right.shape.at(-1)!
  const shape = [...batch, m, n]
  const { element } = left
  return build.deferred(element, shape, [left, right], (finish, out) => {
    const lanes: Lanes = n % 4 === 0 ? 4 : 1
    const shader = new Shader(lanes)
    const workgroup = WORKGROUP[build.target.family]
    const count = sizeOf({ shape }) / lanes
    shader.line(`let place = group.x * ${workgroup} + local.x;`)
    shader.line(`if (place >= ${count}) { return; }`)
    const places = shader.coordinates('place', [...batch, m, n / lanes])
    const column = shader.let(`${places.at(-1)} * ${lanes}`)
    const at = places.with(-1, column)
    const outer = at.slice(0, batch.length)
    const row = at.at(-2)!
    const sum = shader.var(element === 'f32' ? 'F(0.0)' : 'I(0)')
    shader.line(`for (var k = 0; k < ${k}; k++) {`)
    const x = shader.scalar(left, [...outer, row, 'k'])
    const y = shader.read(right, [...outer, 'k', column])
    shader.line(`${sum} = ${sum} + ${x} * ${y};`)
    shader.line('}')
    shader.store(out, at, finish(shader, at, sum))
    build.emit({
      template: 'matmul',
      shader,
      workgroup: [workgroup, 1, 1],
      grid: [Math.ceil(count / workgroup), 1, 1],
      flop: 2 * sizeOf({ shape }) * k,
    })
  })
}

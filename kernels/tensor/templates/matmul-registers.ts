/** A matrix product on a software adapter: tiles in registers, whatever the operands' strides. */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { addProducts, eachSum, LANES, sumNames, tileRows } from './register-tile.ts'
import type { Build } from '../build.ts'
import type { Deferred } from '../value.ts'
import type { View } from '../view.ts'

/** A side that is read this often is worth being copied, so that neighbours lie side by side. */
const MIN_READS = 32

export const matmulRegisters = (build: Build, a: View, b: View): Deferred => {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!]
  const left = a.strides.at(-1) !== 1 && k > 1 && n >= MIN_READS ? build.dense(a) : a
  const right = b.strides.at(-1) !== 1 && n > 1 && m >= MIN_READS ? build.dense(b) : b
  const batch = a.shape.slice(0, -2)
  const shape = [...batch, m, n]
  const { element } = left
  return build.deferred(element, shape, [left, right], (finish, out) => {
    const shader = new Shader(1)
    const tile = build.tile({ kind: 'product', m, n, k })
    const rows = tileRows(m, tile.rows)
    const columns = Math.min(tile.columns, Math.ceil(n / LANES))
    const width = columns * LANES
    const outer = shader.coordinates('group.z', batch)
    const rowNames = Array.from({ length: rows }, (_, r) => shader.let(`group.y * ${rows} + ${r}`))
    const columnNames = Array.from({ length: columns }, (_, c) =>
      shader.let(`group.x * ${width} + ${c * LANES} + local.x`),
    )
    // Those beyond the end read what the last one reads, and store nothing.
    const rowEnds = m % rows !== 0
    const columnEnds = n % width !== 0
    const [kLeft, kRight] = [left.strides.at(-1)!, right.strides.at(-2)!]
    const lefts = rowNames.map((row) =>
      shader.let(shader.index(left, [...outer, rowEnds ? `min(${row}, ${m - 1})` : row, '0'])),
    )
    const rights = columnNames.map((column) =>
      shader.let(
        shader.index(right, [...outer, '0', columnEnds ? `min(${column}, ${n - 1})` : column]),
      ),
    )
    const sums = sumNames(shader, element, [rows, columns])
    addProducts(shader, {
      sums,
      depth: k,
      subgroup: build.target.subgroup === LANES,
      left: (row, at) => shader.element(left, `${lefts[row]} + ${at} * ${kLeft}`),
      right: (at, step, column) =>
        shader.element(right, `${rights[column]} + ${at} * ${kRight} + ${step * kRight}`),
    })
    eachSum(shader, element, sums, (r) => {
      const row = shader.let(`group.y * ${rows} + ${r}`)
      if (rowEnds) shader.line(`if (${row} >= ${m}) { break; }`)
      return (c, sum) => {
        const at = [...outer, row, columnNames[c]!]
        if (columnEnds) shader.line(`if (${columnNames[c]} < ${n}) {`)
        shader.store(out, at, finish(shader, at, sum))
        if (columnEnds) shader.line('}')
      }
    })
    build.emit({
      template: 'matmul',
      shader,
      workgroup: [LANES, 1, 1],
      grid: [Math.ceil(n / width), Math.ceil(m / rows), sizeOf({ shape: batch })],
      flop: 2 * sizeOf({ shape }) * k,
    })
  })
}

/**
 * A matrix product on a GPU: a workgroup takes a square of the result and walks K 16 steps at a time, with both
 * sides' parts in workgroup memory; an invocation has some rows of 4 columns. Operands with any strides, products
 * added in order of k.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import type { Build } from '../build.ts'
import type { Tile } from '../tiles.ts'
import type { Deferred } from '../value.ts'
import type { Lanes } from '../wgsl-function.ts'
import type { View } from '../view.ts'

const DEPTH = 16

/** A workgroup's square, and how its invocations lie in it: each has some rows of one vector of columns. */
type Square = {
  readonly side: number
  readonly rows: number
  readonly across: number
  readonly down: number
  /** One more than there are, so that neighbours along K do not meet in one bank. */
  readonly pitch: number
}

const squareOf = ({ rows, columns: side }: Tile): Square => {
  return { side, rows, across: side / 4, down: side / rows, pitch: side + 1 }
}

export const matmulTiles = (build: Build, left: View, right: View): Deferred => {
  const batch = left.shape.slice(0, -2)
  const [m, k, n] = [left.shape.at(-2)!, left.shape.at(-1)!, right.shape.at(-1)!]
  const shape = [...batch, m, n]
  return build.deferred('f32', shape, [left, right], (finish, out) => {
    const lanes: Lanes = n % 4 === 0 ? 4 : 1
    const square = squareOf(build.tile({ kind: 'product', m, n, k }))
    const { side, rows, across, down, pitch } = square
    const shader = new Shader(lanes)
    shader.global(`var<workgroup> tile_a: array<f32, ${DEPTH * pitch}>;`)
    shader.global(`var<workgroup> tile_b: array<vec4<f32>, ${DEPTH * across}>;`)
    const outer = shader.coordinates('group.z', batch)
    const sums = Array.from({ length: rows }, () => shader.var('vec4<f32>(0.0)'))
    shader.line(`for (var begin = 0; begin < ${k}; begin += ${DEPTH}) {`)
    shader.line('workgroupBarrier();')
    fetch(shader, square, { left, right, outer })
    shader.line('workgroupBarrier();')
    shader.line(`for (var step = 0; step < ${DEPTH}; step++) {`)
    const y = shader.let(`tile_b[step * ${across} + local.x]`)
    for (const [r, sum] of sums.entries())
      shader.line(`${sum} = ${sum} + tile_a[step * ${pitch} + local.y * ${rows} + ${r}] * ${y};`)
    shader.line('}')
    shader.line('}')
    const column = shader.let(`group.x * ${side} + local.x * 4`)
    // In a loop, as compiling takes long where there are many stores.
    const all = shader.var(`array<vec4<f32>, ${rows}>(${sums.join(', ')})`)
    shader.line(`for (var r = 0; r < ${rows}; r++) {`)
    const row = shader.let(`group.y * ${side} + local.y * ${rows} + r`)
    for (let lane = 0; lane < 4; lane += lanes) {
      const at = [...outer, row, lanes === 4 ? column : shader.let(`${column} + ${lane}`)]
      shader.line(`if (${row} < ${m} && ${at.at(-1)} < ${n}) {`)
      shader.store(out, at, finish(shader, at, lanes === 4 ? `${all}[r]` : `${all}[r][${lane}]`))
      shader.line('}')
    }
    shader.line('}')
    build.emit({
      template: 'matmul',
      shader,
      workgroup: [across, down, 1],
      grid: [Math.ceil(n / side), Math.ceil(m / side), sizeOf({ shape: batch })],
      flop: 2 * sizeOf({ shape }) * k,
    })
  })
}

type Operands = {
  readonly left: View
  readonly right: View
  /** WGSL of the batch's coordinates. */
  readonly outer: readonly string[]
}

/** Puts the next steps of both sides into workgroup memory; zeros beyond K. */
const fetch = (
  shader: Shader,
  { side, across, down, pitch }: Square,
  { left, right, outer }: Operands,
): void => {
  const [m, k, n] = [left.shape.at(-2)!, left.shape.at(-1)!, right.shape.at(-1)!]
  const threads = across * down
  const first = shader.let(`local.y * ${across} + local.x`)
  const walk = (count: number, inner: number): readonly [string, string] => {
    shader.line(`for (var e = ${first}; e < ${count}; e += ${threads}) {`)
    return [shader.let(`e / ${inner}`), shader.let(`e % ${inner}`)]
  }
  // Neighbours in memory go to neighbours in the workgroup.
  const alongK = left.strides.at(-1) === 1
  const [a, b] = walk(side * DEPTH, alongK ? DEPTH : side)
  const [row, step] = alongK ? [a, b] : [b, a]
  const x = shader.scalar(left, [
    ...outer,
    `min(group.y * ${side} + ${row}, ${m - 1})`,
    `min(begin + ${step}, ${k - 1})`,
  ])
  shader.line(`tile_a[${step} * ${pitch} + ${row}] = select(0.0, ${x}, begin + ${step} < ${k});`)
  shader.line('}')
  const [deep, wide] = walk(DEPTH * across, across)
  const at = shader.let(`min(begin + ${deep}, ${k - 1})`)
  const column = shader.let(`group.x * ${side} + ${wide} * 4`)
  const y =
    shader.lanes === 4
      ? shader.read(right, [...outer, at, shader.let(`min(${column}, ${n - 4})`)])
      : `vec4<f32>(${[0, 1, 2, 3]
          .map((lane) => shader.scalar(right, [...outer, at, `min(${column} + ${lane}, ${n - 1})`]))
          .join(', ')})`
  shader.line(`tile_b[e] = select(vec4<f32>(0.0), ${y}, vec4<bool>(begin + ${deep} < ${k}));`)
  shader.line('}')
}

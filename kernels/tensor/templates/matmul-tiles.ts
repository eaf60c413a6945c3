/**
 * A matrix product on a GPU: a workgroup takes 64 x 64 of the result and walks K 16 steps at a time, with both
 * sides' parts in workgroup memory; an invocation has 8 rows of 4 columns. Operands with any strides, products
 * added in order of k.
 */
import { allOf } from '../conditions.ts'
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import type { Build } from '../build.ts'
import type { Deferred } from '../value.ts'
import type { Lanes } from '../wgsl-function.ts'
import type { View } from '../view.ts'

const SIDE = 64
const DEPTH = 16
/** Rows of an invocation; it has one vector of columns. */
const ROWS = 8
const [ACROSS, DOWN] = [SIDE / 4, SIDE / ROWS]
/** One more than there are, so that neighbours along K do not meet in one bank. */
const PITCH = SIDE + 1

export const matmulTiles = (build: Build, left: View, right: View): Deferred => {
  const batch = left.shape.slice(0, -2)
  const [m, k, n] = [left.shape.at(-2)!, left.shape.at(-1)!, right.shape.at(-1)!]
  const shape = [...batch, m, n]
  const { element } = left
  return build.deferred(element, shape, [left, right], (finish, out) => {
    const lanes: Lanes = n % 4 === 0 ? 4 : 1
    const shader = new Shader(lanes)
    shader.global(`var<workgroup> tile_a: array<${element}, ${DEPTH * PITCH}>;`)
    shader.global(`var<workgroup> tile_b: array<vec4<${element}>, ${DEPTH * ACROSS}>;`)
    const outer = shader.coordinates('group.z', batch)
    const sums = Array.from({ length: ROWS }, () => shader.var(`vec4<${element}>(0)`))
    shader.line(`for (var begin = 0; begin < ${k}; begin += ${DEPTH}) {`)
    shader.line('workgroupBarrier();')
    fetch(shader, left, right, outer)
    shader.line('workgroupBarrier();')
    shader.line(`for (var step = 0; step < ${DEPTH}; step++) {`)
    const y = shader.let(`tile_b[step * ${ACROSS} + local.x]`)
    for (const [r, sum] of sums.entries())
      shader.line(`${sum} = ${sum} + tile_a[step * ${PITCH} + local.y * ${ROWS} + ${r}] * ${y};`)
    shader.line('}')
    shader.line('}')
    const column = shader.let(`group.x * ${SIDE} + local.x * 4`)
    // In a loop, as compiling takes long where there are many stores.
    const all = shader.var(`array<vec4<${element}>, ${ROWS}>(${sums.join(', ')})`)
    shader.line(`for (var r = 0; r < ${ROWS}; r++) {`)
    const row = shader.let(`group.y * ${SIDE} + local.y * ${ROWS} + r`)
    for (let lane = 0; lane < 4; lane += lanes) {
      const at = [...outer, row, lanes === 4 ? column : shader.let(`${column} + ${lane}`)]
      shader.line(`if (${allOf([`${row} < ${m}`, `${at.at(-1)} < ${n}`])}) {`)
      shader.store(out, at, finish(shader, at, lanes === 4 ? `${all}[r]` : `${all}[r][${lane}]`))
      shader.line('}')
    }
    shader.line('}')
    build.emit({
      template: 'matmul',
      shader,
      workgroup: [ACROSS, DOWN, 1],
      grid: [Math.ceil(n / SIDE), Math.ceil(m / SIDE), sizeOf({ shape: batch })],
      flop: 2 * sizeOf({ shape }) * k,
    })
  })
}

/** Puts the next steps of both sides into workgroup memory; zeros beyond K. */
const fetch = (shader: Shader, left: View, right: View, outer: readonly string[]): void => {
  const [m, k, n] = [left.shape.at(-2)!, left.shape.at(-1)!, right.shape.at(-1)!]
  const { element } = left
  const threads = ACROSS * DOWN
  const first = shader.let(`local.y * ${ACROSS} + local.x`)
  const walk = (count: number, inner: number): readonly [string, string] => {
    shader.line(`for (var e = ${first}; e < ${count}; e += ${threads}) {`)
    return [shader.let(`e / ${inner}`), shader.let(`e % ${inner}`)]
  }
  // Neighbours in memory go to neighbours in the workgroup.
  const alongK = left.strides.at(-1) === 1
  const [a, b] = walk(SIDE * DEPTH, alongK ? DEPTH : SIDE)
  const [row, step] = alongK ? [a, b] : [b, a]
  const x = shader.scalar(left, [
    ...outer,
    `min(group.y * ${SIDE} + ${row}, ${m - 1})`,
    `min(begin + ${step}, ${k - 1})`,
  ])
  shader.line(
    `tile_a[${step} * ${PITCH} + ${row}] = select(${element}(0), ${x}, begin + ${step} < ${k});`,
  )
  shader.line('}')
  const [down, across] = walk(DEPTH * ACROSS, ACROSS)
  const at = shader.let(`min(begin + ${down}, ${k - 1})`)
  const column = shader.let(`group.x * ${SIDE} + ${across} * 4`)
  const y =
    shader.lanes === 4
      ? shader.read(right, [...outer, at, shader.let(`min(${column}, ${n - 4})`)])
      : `vec4<${element}>(${[0, 1, 2, 3]
          .map((lane) => shader.scalar(right, [...outer, at, `min(${column} + ${lane}, ${n - 1})`]))
          .join(', ')})`
  shader.line(`tile_b[e] = select(vec4<${element}>(0), ${y}, vec4<bool>(begin + ${down} < ${k}));`)
  shader.line('}')
}

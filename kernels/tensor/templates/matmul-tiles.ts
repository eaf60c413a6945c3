/** A matrix product on a GPU, in squares: operands with any strides. */
import { allOf } from '../conditions.ts'
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { addSquares, eachRow, squareOf } from './square-tile.ts'
import type { Build } from '../build.ts'
import type { Deferred } from '../value.ts'
import type { Lanes } from '../wgsl-function.ts'
import type { View } from '../view.ts'

export const matmulTiles = (build: Build, left: View, right: View): Deferred => {
  const batch = left.shape.slice(0, -2)
  const [m, k, n] = [left.shape.at(-2)!, left.shape.at(-1)!, right.shape.at(-1)!]
  const shape = [...batch, m, n]
  const { element } = left
  return build.deferred(element, shape, [left, right], (finish, out) => {
    const lanes: Lanes = n % 4 === 0 ? 4 : 1
    const square = squareOf(element, build.tile({ kind: 'product', m, n, k }))
    const shader = new Shader(lanes)
    const outer = shader.coordinates('group.z', batch)
    const sums = addSquares(shader, square, k, {
      left: {
        alongK: left.strides.at(-1) === 1,
        element(row, step) {
          const at = [`min(${row}, ${m - 1})`, `min(${step}, ${k - 1})`]
          return `select(${element}(0), ${shader.scalar(left, [...outer, ...at])}, ${step} < ${k})`
        },
      },
      right(step, column) {
        const at = shader.let(`min(${step}, ${k - 1})`)
        const y = fourOf(shader, right, [...outer, at], column)
        return `select(vec4<${element}>(0), ${y}, vec4<bool>(${step} < ${k}))`
      },
    })
    eachRow(shader, square, sums, (row, column, sum) => {
      for (let lane = 0; lane < 4; lane += lanes) {
        const at = [...outer, row, lanes === 4 ? column : shader.let(`${column} + ${lane}`)]
        shader.line(`if (${allOf([`${row} < ${m}`, `${at.at(-1)} < ${n}`])}) {`)
        shader.store(out, at, finish(shader, at, lanes === 4 ? sum : `${sum}[${lane}]`))
        shader.line('}')
      }
    })
    build.emit({
      template: 'matmul',
      shader,
      workgroup: [square.across, square.down, 1],
      grid: [Math.ceil(n / square.side), Math.ceil(m / square.side), sizeOf({ shape: batch })],
      flop: 2 * sizeOf({ shape }) * k,
    })
  })
}

/** Four neighbours along the last dimension; those beyond the end are the last one again. */
const fourOf = (shader: Shader, view: View, at: readonly string[], column: string): string => {
  const n = view.shape.at(-1)!
  if (shader.lanes === 4) return shader.read(view, [...at, shader.let(`min(${column}, ${n - 4})`)])
  const each = [0, 1, 2, 3].map((lane) =>
    shader.scalar(view, [...at, `min(${column} + ${lane}, ${n - 1})`]),
  )
  return `vec4<${view.element}>(${each.join(', ')})`
}

/**
 * A convolution on a GPU, in squares: filters times windows, where the windows are looked up while a part of
 * them is brought into workgroup memory and are never written out.
 */
import { allOf } from '../conditions.ts'
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import { addSquares, eachRow, squareOf } from './square-tile.ts'
import type { Build } from '../build.ts'
import type { Deferred } from '../value.ts'
import type { Conv } from './conv-registers.ts'

export const convTiles = (build: Build, asked: Conv): Deferred => {
  const { shape, group } = asked
  const [x, w] = [build.realise(asked.x), build.dense(asked.w)]
  const [filters, places] = [shape[1]! / group, shape.slice(2)]
  const kernel = w.shape.slice(1)
  const [n, k] = [sizeOf({ shape: places }), sizeOf({ shape: kernel })]
  const { element } = x
  return build.deferred(element, shape, [x, w], (finish, out) => {
    const square = squareOf(element, build.tile({ kind: 'conv', m: filters, n, k }))
    const shader = new Shader(1)
    const [batch, part] = shader.coordinates('group.z', [shape[0]!, group]) as [string, string]
    const window = (step: string, place: string): string => {
      const o = shader.coordinates(shader.let(`min(${place}, ${n - 1})`), places)
      const [channel, ...taps] = shader.coordinates(step, kernel) as [string, ...string[]]
      const { at, inside } = asked.look(shader, o, taps)
      const own = `(${part} * ${kernel[0]} + ${channel})`
      const value = shader.let(shader.scalar(x, [batch, own, ...at]))
      return inside === 'true' ? value : shader.let(`select(${element}(0), ${value}, ${inside})`)
    }
    const sums = addSquares(shader, square, k, {
      left: {
        alongK: true,
        element(row, step) {
          const filter = `(${part} * ${filters} + min(${row}, ${filters - 1}))`
          const index = `${filter} * ${k} + min(${step}, ${k - 1}) + ${w.offset}`
          return `select(${element}(0), ${shader.element(w, index)}, ${step} < ${k})`
        },
      },
      right(step, column) {
        const at = shader.let(`min(${step}, ${k - 1})`)
        const each = [0, 1, 2, 3].map((lane) => window(at, shader.let(`${column} + ${lane}`)))
        const value = `vec4<${element}>(${each.join(', ')})`
        return `select(vec4<${element}>(0), ${value}, vec4<bool>(${step} < ${k}))`
      },
    })
    eachRow(shader, square, sums, (row, column, sum) => {
      const filter = shader.let(`${part} * ${filters} + ${row}`)
      for (const lane of [0, 1, 2, 3]) {
        const place = shader.let(`${column} + ${lane}`)
        shader.line(`if (${allOf([`${row} < ${filters}`, `${place} < ${n}`])}) {`)
        const at = [batch, filter, ...shader.coordinates(place, places)]
        shader.store(out, at, finish(shader, at, `${sum}[${lane}]`))
        shader.line('}')
      }
    })
    build.emit({
      template: 'conv',
      shader,
      workgroup: [square.across, square.down, 1],
      grid: [Math.ceil(n / square.side), Math.ceil(filters / square.side), shape[0]! * group],
      flop: 2 * sizeOf({ shape }) * k,
    })
  })
}

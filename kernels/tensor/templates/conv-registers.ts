/**
 * A convolution on a software adapter: the product of filters and windows in registers, where the windows are
 * never in memory. A tile is some filters by some places of the result side by side in its last dimension.
 */
import { sizeOf } from '../tensor.ts'
import { transposeView } from '../view.ts'
import { Shader } from '../shader.ts'
import { addProducts, eachSum, LANES, sumNames, tileRows } from './register-tile.ts'
import type { Build } from '../build.ts'
import type { Shape } from '../tensor.ts'
import type { Deferred, Value } from '../value.ts'
import type { View } from '../view.ts'

export type Conv = {
  /** [batch, channels, spatial...] */
  readonly x: Value
  /** [filters, depth, kernel...] */
  readonly w: Value
  readonly group: number
  /** [batch, filters, spatial...] of the result. */
  readonly shape: Shape
  /** Where the windows at places `o` look with place `k` of the kernel: always inside, and whether truly so. */
  look(
    shader: Shader,
    o: readonly string[],
    k: readonly string[],
  ): { readonly at: readonly string[]; readonly inside: string }
}

type Job = {
  readonly shader: Shader
  readonly asked: Conv
  readonly x: View
  /** Channels last: [filters, kernel..., depth], so that lanes load neighbours. */
  readonly w: View
  readonly subgroup: boolean
  readonly batch: string
  readonly group: string
  /** Indices of the filters' first weights. */
  readonly filters: readonly string[]
  /** Coordinates of the places in the result, without batch and channel. */
  readonly places: readonly (readonly string[])[]
}

export const convRegisters = (build: Build, asked: Conv): Deferred => {
  const { shape, group } = asked
  const x = build.realise(asked.x)
  const rank = shape.length - 2
  const axes = Array.from({ length: rank }, (_, i) => i + 2)
  const w = build.dense(build.move(asked.w, (view) => transposeView(view, [0, ...axes, 1])))
  const { element } = x
  return build.deferred(element, shape, [x, w], (finish, out) => {
    const shader = new Shader(1)
    const width = shape[1]! / group
    const last = shape.at(-1)!
    const depth = sizeOf({ shape: w.shape.slice(1) })
    const tile = build.tile({ kind: 'conv', m: width, n: last, k: depth })
    const rows = tileRows(width, tile.rows)
    const columns = Math.min(tile.columns, Math.ceil(last / LANES))
    const lines = [...shape.slice(2, -1), Math.ceil(last / (columns * LANES))]
    const blocks = Math.ceil(width / rows)
    const line = shader.coordinates('group.x', lines)
    const [batch, part] = shader.coordinates('group.z', [shape[0]!, group]) as [string, string]
    const columnNames = Array.from({ length: columns }, (_, c) =>
      shader.let(`${line.at(-1)} * ${columns * LANES} + ${c * LANES} + local.x`),
    )
    // Those beyond the end do as the last one does, and store nothing.
    const filters = Array.from({ length: rows }, (_, r) => {
      const own = `min(group.y * ${rows} + ${r}, ${width - 1})`
      const first = shader.let(`${part} * ${width} + ${own}`)
      return shader.let(shader.index(w, [first, ...w.shape.slice(1).map(() => '0')]))
    })
    const places = columnNames.map((name) => [
      ...line.slice(0, -1),
      shader.let(`min(${name}, ${last - 1})`),
    ])
    const sums = sumNames(shader, element, [rows, columns])
    const subgroup = build.target.subgroup === LANES
    addWindows({ shader, asked, x, w, subgroup, batch, group: part, filters, places }, sums)
    eachSum(shader, element, sums, (r) => {
      const own = shader.let(`group.y * ${rows} + ${r}`)
      if (width % rows !== 0) shader.line(`if (${own} >= ${width}) { break; }`)
      const filter = shader.let(`${part} * ${width} + ${own}`)
      return (c, sum) => {
        const at = [batch, filter, ...line.slice(0, -1), columnNames[c]!]
        shader.line(`if (${columnNames[c]} < ${last}) {`)
        shader.store(out, at, finish(shader, at, sum))
        shader.line('}')
      }
    })
    build.emit({
      template: 'conv',
      shader,
      workgroup: [LANES, 1, 1],
      grid: [sizeOf({ shape: lines }), blocks, shape[0]! * group],
      flop: 2 * sizeOf({ shape }) * depth,
    })
  })
}

/** For each place of the kernel: where the windows look there, once for all channels. */
const addWindows = (job: Job, sums: readonly (readonly string[])[]): void => {
  const { shader, asked, x, w, subgroup, batch, group, filters, places } = job
  const kernel = w.shape.slice(1, -1)
  const depth = w.shape.at(-1)!
  const k = kernel.map((_, i) => `tap${i}`)
  for (const [i, size] of kernel.entries())
    shader.line(`for (var ${k[i]} = 0; ${k[i]} < ${size}; ${k[i]}++) {`)
  const first = shader.let(`${group} * ${depth}`)
  const looks = places.map((o) => {
    const { at, inside } = asked.look(shader, o, k)
    return {
      index: shader.let(shader.index(x, [batch, first, ...at.map((one) => shader.let(one))])),
      inside: inside === 'true' ? null : shader.let(inside),
    }
  })
  const tap = shader.let(shader.index({ ...w, offset: 0 }, ['0', ...k, '0']))
  const step = x.strides[1]!
  addProducts(shader, {
    sums,
    depth,
    subgroup,
    left: (row, at) => shader.element(w, `${filters[row]} + ${tap} + ${at}`),
    right(at, q, column) {
      const { index, inside } = looks[column]!
      const value = shader.element(x, `${index} + ${at} * ${step} + ${q * step}`)
      return inside === null ? value : `select(${x.element}(0), ${value}, ${inside})`
    },
  })
  for (const _ of kernel) shader.line('}')
}

/**
 * Mean and deviation of rows, and rows brought to mean 0 and deviation 1: what most norms are. Never by a
 * difference of squares, which loses all digits where the mean is large.
 */
import { sizeOf } from '../tensor.ts'
import { reduce } from '../templates/reduce.ts'
import { FEW } from '../templates/matmul-row.ts'
import { rows } from '../templates/rows.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Build } from '../build.ts'
import type { Shape, Tensor } from '../tensor.ts'
import type { Statistic } from '../templates/row-kernel.ts'
import type { Lazy, NormedRow, Value } from '../value.ts'
import type { View } from '../view.ts'

/** Longer rows are walked by many: one invocation would take long, and a slice cannot be less. */
const MAX_ROW = 16_384

export type Moments = {
  /** Of the shape of x, with 1 for each dimension of the row. */
  readonly mean: View
  readonly inverse: View
}

export type Norm = {
  /** How many of the last dimensions make a row. */
  readonly rank: number
  readonly epsilon: number
  /** False: the mean is not taken off, as in RMSNormalization. */
  readonly centred: boolean
}

/** Both stretch to x. */
export type Affine = { readonly scale?: Value | null; readonly bias?: Value | null }

/** With moments: they have been computed already. */
export const normalise = (
  build: Build,
  x: Value,
  norm: Norm,
  { scale, bias }: Affine,
  moments?: Moments,
): Lazy => {
  const { shape } = x
  const count = sizeOf({ shape: shape.slice(shape.length - norm.rank) })
  const affine = [scale, bias].flatMap((value) =>
    value === null || value === undefined ? [] : [build.expand(value, shape)],
  )
  const scaled = (y: string, [s, b]: readonly string[]): string => {
    const [factor, offset] = scale === null || scale === undefined ? [null, s] : [s, b]
    const product = factor === null ? y : `${y} * ${factor}`
    return offset === undefined ? product : `${product} + ${offset}`
  }
  if (moments === undefined && count <= MAX_ROW) {
    const finish = (found: string): string => inverseText(found, norm)
    const squares: Statistic = {
      combine: 'sum',
      term: ({ inputs: [value] }) => `${value} * ${value}`,
      finish: (sum) => finish(`${sum} / ${count}.0`),
    }
    const both: Statistic = { combine: 'moments', term: ({ inputs }) => inputs[0]!, finish }
    const row = normedRow(build, x, norm, affine)
    const found = rows(build, {
      element: 'f32',
      shape,
      rowRank: norm.rank,
      inputs: [row?.x ?? x, ...affine],
      statistics: [norm.centred ? both : squares],
      body({ inputs: [value, ...others], statistics }) {
        const away = lessMean(value!, norm, statistics[0])
        return scaled(`(${away}) * F(${statistics.at(-1)})`, others)
      },
    })
    return row === null ? found : { ...found, norm: row }
  }
  const { mean, inverse } = moments ?? momentsOf(build, x, norm)
  const wide = [mean, inverse].map((view) => build.expand(view, shape))
  const text = ([value, m, i, ...others]: readonly string[]): string =>
    scaled(`(${value} - ${m}) * ${i}`, others)
  return build.pointwise('f32', [x, ...wide, ...affine], text)
}

/** What a product needs to bring rows to their length itself; null where that is not all that is asked. */
const normedRow = (
  build: Build,
  x: Value,
  { rank, centred, epsilon }: Norm,
  affine: readonly Lazy[],
): NormedRow | null => {
  const { shape } = x
  const count = sizeOf({ shape: shape.slice(0, -1) })
  const isFew = count === 1 || (count <= FEW && count === shape.at(-2) && isRow(affine[0]))
  if (centred || rank !== 1 || !isFew || affine.length !== 1) return null
  return { x: build.realise(x), scale: build.readable(affine[0]!), epsilon }
}

/** Whether it is the same for all rows. */
const isRow = (scale: Lazy | undefined): boolean =>
  scale?.kind === 'view' && scale.strides.at(-2) === 0

const lessMean = (x: string, { centred }: Norm, mean: string | undefined): string =>
  centred ? `${x} - F(${mean})` : x
const inverseText = (variance: string, { epsilon }: Norm): string =>
  `1.0 / sqrt(${variance} + ${Math.fround(epsilon)})`

export const momentsOf = (build: Build, value: Value, norm: Norm): Moments => {
  const x = build.realise(value)
  const outer = x.shape.slice(0, x.shape.length - norm.rank)
  const kept = [...outer, ...Array.from({ length: norm.rank }, () => 1)]
  const count = sizeOf(x) / sizeOf({ shape: outer })
  const meanOf = (terms: Value): Lazy =>
    build.pointwise(
      'f32',
      [reduce(build, terms, norm.rank, 'sum')],
      ([sum]) => `${sum} / F(${count})`,
    )
  const found = norm.centred ? meanOf(x) : build.literal('f32', outer, 0)
  const mean = build.realise(build.reshape(found, kept))
  const away = build.pointwise('f32', [x, build.expand(mean, x.shape)], ([a, m]) => {
    return `(${a} - ${m}) * (${a} - ${m})`
  })
  const inverse = build.pointwise('f32', [meanOf(away)], ([variance]) =>
    inverseText(variance!, norm),
  )
  return { mean, inverse: build.realise(build.reshape(inverse, kept)) }
}

/** For references: the places of each row, the axes of which are named. */
export const rowPlaces = (
  shape: Shape,
  axes: readonly number[],
): readonly (readonly number[])[] => {
  const found = new Map<number, number[]>()
  const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size))
  fill(shape, (at) => {
    const row = placeOf(
      kept,
      at.map((i, axis) => (axes.includes(axis) ? 0 : i)),
    )
    const places = found.get(row) ?? []
    if (places.length === 0) found.set(row, places)
    return places.push(placeOf(shape, at))
  })
  return [...found.values()]
}

export type RowMoments = { readonly mean: number; readonly variance: number }

export const rowMoments = ({ data }: Tensor, row: readonly number[]): RowMoments => {
  const mean = row.reduce((sum, i) => sum + data[i]!, 0) / row.length
  const variance = row.reduce((sum, i) => sum + (data[i]! - mean) ** 2, 0) / row.length
  return { mean, variance }
}

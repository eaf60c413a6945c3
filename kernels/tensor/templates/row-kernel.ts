/** What both ways through rows share: what is asked, and how numbers of a row become one. */
import type { Shader } from '../shader.ts'
import type { Emitted } from '../draft.ts'
import type { GpuElement, Shape } from '../tensor.ts'
import type { Pointwise, Value } from '../value.ts'
import type { WgslFunction } from '../wgsl-function.ts'
import type { View } from '../view.ts'

export type Folded = {
  readonly combine: 'sum' | 'max'
  /** WGSL of one element's term. */
  term(place: RowPlace): string
  /** WGSL (f32) of the statistic, from what was combined over the row. */
  finish?(found: string): string
}

/** Two statistics: the mean of the terms, and what is made of their variance. */
export type Moments = {
  readonly combine: 'moments'
  term(place: RowPlace): string
  finish(variance: string): string
}

export type Statistic = Folded | Moments

export type RowPlace = {
  readonly shader: Shader
  /** WGSL of each input's element here. */
  readonly inputs: readonly string[]
  /** WGSL names (f32) of the statistics so far. */
  readonly statistics: readonly string[]
}

export type Rows = {
  readonly element: GpuElement
  readonly shape: Shape
  /** How many of the last dimensions make a row. */
  readonly rowRank: number
  /** All of the shape; what is not, is expanded before. */
  readonly inputs: readonly Value[]
  readonly statistics: readonly Statistic[]
  /** WGSL of an element of the result. */
  body(place: RowPlace): string
  readonly functions?: readonly WgslFunction[]
}

/** The kernel while it is written: one family's way through the rows. */
export type RowKernel = {
  readonly shader: Shader
  readonly asked: Rows
  readonly inputs: readonly (View | Pointwise)[]
  /** Dimensions across rows, and within one. */
  readonly outer: Shape
  readonly inner: Shape
  store(at: readonly string[], found: string): void
}

export type Laid = Pick<Emitted, 'workgroup' | 'grid'>

const initialOf = ({ combine }: Folded): string =>
  combine === 'sum' ? 'F(0.0)' : 'F(-3.4028234663852886e38)'

export const combined = ({ combine }: Folded, a: string, b: string): string =>
  combine === 'sum' ? `${a} + ${b}` : `max(${a}, ${b})`

/** Loops over elements of a row; `body` gets the coordinates of each. */
export type Walk = (body: (at: readonly string[]) => void) => void

/** What the invocation that walks finds of a statistic; `whole` makes it that of the row. */
export const foldRow = (
  { shader, inputs }: RowKernel,
  folded: Folded,
  walk: Walk,
  statistics: readonly string[],
  whole: (own: string) => string = (own) => own,
): string => {
  const found = shader.var(initialOf(folded))
  walk((at) => {
    const here = inputs.map((input) => shader.read(input, at))
    const term = folded.term({ shader, inputs: here, statistics })
    shader.line(`${found} = ${combined(folded, found, term)};`)
  })
  const one = whole(acrossLanes(shader, folded, found))
  return folded.finish === undefined ? one : shader.let(folded.finish(one))
}

/** The lanes of a vector as one number. */
const acrossLanes = (shader: Shader, folded: Folded, v: string): string => {
  if (shader.lanes === 1) return shader.let(v)
  const halves = [combined(folded, `${v}[0]`, `${v}[1]`), combined(folded, `${v}[2]`, `${v}[3]`)]
  return shader.let(combined(folded, `(${halves[0]})`, `(${halves[1]})`))
}

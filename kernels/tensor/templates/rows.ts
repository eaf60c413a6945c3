/**
 * Rows: some statistics of each row, one after another, then a formula for each element of it (softmax,
 * norms). One invocation walks a row; four columns at once where the row length allows.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import type { Build } from '../build.ts'
import type { GpuElement, Shape } from '../tensor.ts'
import type { Deferred, Pointwise, Value } from '../value.ts'
import type { Lanes, WgslFunction } from '../wgsl-function.ts'
import type { View } from '../view.ts'

export type Statistic = {
  readonly combine: 'sum' | 'max'
  /** WGSL of one element's term. */
  term(place: RowPlace): string
  /** WGSL (f32) of the statistic, from what was combined over the row. */
  finish?(found: string): string
}

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

/** Formulas that are cheaper to compute again than to store. */
const MAX_AGAIN = 2
/**
 * A software adapter computes four invocations at once, as lanes of its vectors; few rows are rather spread
 * over its threads.
 */
const WORKGROUP = { software: 4, gpu: 64 } as const
const FEW_ROWS = 32

export const rows = (build: Build, asked: Rows): Deferred => {
  // A row is walked once for each statistic and once more: what costs something is computed before.
  const ready = asked.inputs.map((input) =>
    input.kind === 'pointwise' && input.size > MAX_AGAIN ? build.realise(input) : input,
  )
  const inputs = build.readables(ready)
  const { shape, rowRank, element } = asked
  return build.deferred(element, shape, inputs, (finish, out) => {
    const lanes: Lanes = shape.at(-1)! % 4 === 0 ? 4 : 1
    const shader = new Shader(lanes)
    shader.use(asked.functions ?? [])
    const outer = shape.slice(0, shape.length - rowRank)
    const count = sizeOf({ shape: outer })
    const { family } = build.target
    const workgroup = family === 'software' && count < FEW_ROWS ? 1 : WORKGROUP[family]
    shader.line(`let row = group.x * ${workgroup} + local.x;`)
    shader.line(`if (row >= ${count}) { return; }`)
    const row = shader.coordinates('row', outer)
    const statistics: string[] = []
    for (const statistic of asked.statistics)
      statistics.push(measure(shader, asked, statistic, { row, inputs, statistics }))
    walk(shader, asked, row, (at) => {
      const here = inputs.map((input) => shader.read(input, at))
      const found = shader.let(asked.body({ shader, inputs: here, statistics }))
      shader.store(out, at, finish(shader, at, found))
    })
    build.emit({
      template: 'rows',
      shader,
      workgroup: [workgroup, 1, 1],
      grid: [Math.ceil(count / workgroup), 1, 1],
      flop: sizeOf({ shape }) * 4 * (1 + asked.statistics.length),
    })
  })
}

type Known = {
  readonly row: readonly string[]
  readonly inputs: readonly (View | Pointwise)[]
  readonly statistics: readonly string[]
}

const measure = (shader: Shader, asked: Rows, statistic: Statistic, known: Known): string => {
  const { combine, term, finish } = statistic
  const found = shader.var(combine === 'sum' ? 'F(0.0)' : 'F(-3.4028234663852886e38)')
  walk(shader, asked, known.row, (at) => {
    const inputs = known.inputs.map((input) => shader.read(input, at))
    const value = term({ shader, inputs, statistics: known.statistics })
    shader.line(
      `${found} = ${combine === 'sum' ? `${found} + ${value}` : `max(${found}, ${value})`};`,
    )
  })
  const one = shader.let(shader.lanes === 1 ? found : across(combine, found))
  return finish === undefined ? one : shader.let(finish(one))
}

/** The four lanes as one number. */
const across = (combine: Statistic['combine'], v: string): string =>
  combine === 'sum'
    ? `(${v}[0] + ${v}[1]) + (${v}[2] + ${v}[3])`
    : `max(max(${v}[0], ${v}[1]), max(${v}[2], ${v}[3]))`

/** Loops over the elements of a row. */
const walk = (
  shader: Shader,
  { shape, rowRank }: Rows,
  row: readonly string[],
  body: (at: readonly string[]) => void,
): void => {
  const inner = shape.slice(shape.length - rowRank)
  for (const [i, size] of inner.entries()) {
    const step = i === inner.length - 1 ? shader.lanes : 1
    shader.line(`for (var c${i} = 0; c${i} < ${size}; c${i} += ${step}) {`)
  }
  body([...row, ...inner.map((_, i) => `c${i}`)])
  for (const _ of inner) shader.line('}')
}

/**
 * Rows on a software adapter, which computes four invocations at once, as lanes of its vectors, and where each
 * access to memory costs more than the arithmetic around it: an invocation walks a row as few times as can
 * be, and two rows at a time where they are written with the same factors.
 */
import { sizeOf } from '../tensor.ts'
import { leavesOf } from '../value.ts'
import { foldRow } from './row-kernel.ts'
import type { Shape } from '../tensor.ts'
import type { Pointwise } from '../value.ts'
import type { View } from '../view.ts'
import type { Laid, Moments, RowKernel, Walk } from './row-kernel.ts'

const WORKGROUP = 4
/** Few rows are rather spread over threads. */
const FEW_ROWS = 32
/** Vectors that are looked at together: their own mean and spread need no second look at memory. */
const BLOCK = 4

type Row = { readonly at: readonly string[]; readonly statistics: readonly string[] }

export const rowsByInvocation = (kernel: RowKernel): Laid => {
  const { shader, asked, inputs, outer } = kernel
  const count = sizeOf({ shape: outer })
  const shared = inputs.map((input) => isSameForRows(input, outer))
  const together = shared.includes(true) && count % 2 === 0 && count >= FEW_ROWS ? 2 : 1
  const workgroup = count < FEW_ROWS ? 1 : WORKGROUP
  shader.line(`let first = (group.x * ${workgroup} + local.x) * ${together};`)
  shader.line(`if (first >= ${count}) { return; }`)
  const each = Array.from({ length: together }, (_, i): Row => {
    const at = shader.coordinates(shader.let(`first + ${i}`), outer)
    return { at, statistics: statisticsOf(kernel, at) }
  })
  walkIn(kernel)((column) => {
    // All is read before anything is stored: nobody knows that what is stored lies elsewhere.
    const common = inputs.map((input, i) =>
      shared[i]! ? shader.read(input, [...each[0]!.at, ...column]) : null,
    )
    const found = each.map(({ at, statistics }) => {
      const own = inputs.map((input, i) => common[i] ?? shader.read(input, [...at, ...column]))
      return shader.let(asked.body({ shader, inputs: own, statistics }))
    })
    for (const [i, { at }] of each.entries()) kernel.store([...at, ...column], found[i]!)
  })
  const grid = Math.ceil(count / (workgroup * together))
  return { workgroup: [workgroup, 1, 1], grid: [grid, 1, 1] }
}

const isSameForRows = (input: View | Pointwise, { length }: Shape): boolean =>
  [...leavesOf(input)].every(
    (leaf) =>
      leaf.kind === 'view' &&
      leaf.strides.slice(0, length).every((stride, i) => stride === 0 || leaf.shape[i] === 1),
  )

const statisticsOf = (kernel: RowKernel, row: readonly string[]): readonly string[] => {
  const statistics: string[] = []
  for (const one of kernel.asked.statistics) {
    const found =
      one.combine === 'moments'
        ? momentsOf(kernel, one, row, statistics)
        : [foldRow(kernel, one, walkIn(kernel, row), statistics)]
    statistics.push(...found)
  }
  return statistics
}

/**
 * In one walk, as exact as in two: blocks have means and spreads of their own, which are merged.
 *
 * @source Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979
 */
const momentsOf = (
  kernel: RowKernel,
  { term, finish }: Moments,
  row: readonly string[],
  statistics: readonly string[],
): readonly string[] => {
  const { shader, inputs, inner } = kernel
  const termAt = (column: readonly string[]): string => {
    const here = inputs.map((input) => shader.read(input, [...row, ...column]))
    return shader.let(term({ shader, inputs: here, statistics }))
  }
  // From a number of the row itself, so that no square is larger than it has to be.
  const mean = shader.var(`F((${termAt(inner.map(() => '0'))})${shader.lanes === 4 ? '[0]' : ''})`)
  const [spread, seen] = [shader.var('F(0.0)'), shader.var('0.0')]
  const merge = (terms: readonly string[]): void => {
    const n = terms.length
    const own = shader.let(`(${terms.join(' + ')}) * ${1 / n}f`)
    const away = terms.map((one) => shader.let(`${one} - ${own}`))
    const step = shader.let(`${own} - ${mean}`)
    shader.line(`${seen} += ${n}.0;`)
    const weight = shader.let(`${n}.0 / ${seen}`)
    const squares = away.map((one) => `${one} * ${one}`).join(' + ')
    shader.line(`${mean} += ${step} * ${weight};`)
    shader.line(`${spread} += ${squares} + ${step} * ${step} * (${n}.0 * (1.0 - ${weight}));`)
  }
  walkBlocks(kernel, (columns) => merge(columns.map(termAt)))
  const count = sizeOf({ shape: inner })
  if (shader.lanes === 1) return [mean, shader.let(finish(`${spread} / ${count}.0`))]
  const all = shader.let(`((${mean}[0] + ${mean}[1]) + (${mean}[2] + ${mean}[3])) * 0.25`)
  const apart = shader.let(`${mean} - F(${all})`)
  const sum = shader.let(`${spread} + ${apart} * ${apart} * ${count / 4}.0`)
  const variance = `((${sum}[0] + ${sum}[1]) + (${sum}[2] + ${sum}[3])) / ${count}.0`
  return [all, shader.let(finish(variance))]
}

/** All vectors of a row, behind its own coordinates. */
const walkIn =
  ({ shader, inner }: RowKernel, row: readonly string[] = []): Walk =>
  (body) => {
    for (const [i, size] of inner.entries()) {
      const step = i === inner.length - 1 ? shader.lanes : 1
      shader.line(`for (var c${i} = 0; c${i} < ${size}; c${i} += ${step}) {`)
    }
    body([...row, ...inner.map((_, i) => `c${i}`)])
    for (const _ of inner) shader.line('}')
  }

/** The same in blocks along the last dimension, and what is left over one by one. */
const walkBlocks = (
  { shader, inner }: RowKernel,
  body: (columns: readonly (readonly string[])[]) => void,
): void => {
  const [others, last] = [inner.slice(0, -1), inner.at(-1)!]
  for (const [i, size] of others.entries())
    shader.line(`for (var c${i} = 0; c${i} < ${size}; c${i}++) {`)
  const first = others.map((_, i) => `c${i}`)
  const block = BLOCK * shader.lanes
  const whole = Math.floor(last / block) * block
  const run = (from: number, to: number, vectors: number): void => {
    if (from === to) return
    shader.line(`for (var c = ${from}; c < ${to}; c += ${vectors * shader.lanes}) {`)
    body(Array.from({ length: vectors }, (_, i) => [...first, `c + ${i * shader.lanes}`]))
    shader.line('}')
  }
  run(0, whole, BLOCK)
  run(whole, last, 1)
  for (const _ of others) shader.line('}')
}

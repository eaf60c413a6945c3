/**
 * Rows on a GPU: the invocations of a workgroup walk a row together, neighbours at neighbouring places, and put
 * what they found together in workgroup memory. Short rows share a workgroup.
 */
import { sizeOf } from '../tensor.ts'
import { combined, foldRow } from './row-kernel.ts'
import type { Folded, Laid, RowKernel, Statistic, Walk } from './row-kernel.ts'

const WORKGROUP = 64

export const rowsByGroup = (kernel: RowKernel): Laid => {
  const { shader, asked, inputs, outer } = kernel
  const count = sizeOf({ shape: outer })
  const walkers = walkersOf(kernel)
  const each = WORKGROUP / walkers
  shader.global(`var<workgroup> found: array<f32, ${WORKGROUP}>;`)
  shader.line(`let walker = local.x % ${walkers};`)
  shader.line(`let place = group.x * ${each} + local.x / ${walkers};`)
  // All have to come to the barriers: those behind the last row walk along with it.
  shader.line(`let row = min(place, ${count - 1});`)
  const at = shader.coordinates('row', outer)
  const statistics: string[] = []
  for (const one of asked.statistics) statistics.push(...measure(kernel, one, at, statistics))
  shader.line(`if (place < ${count}) {`)
  walkIn(
    kernel,
    at,
  )((here) => {
    const read = inputs.map((input) => shader.read(input, here))
    kernel.store(here, shader.let(asked.body({ shader, inputs: read, statistics })))
  })
  shader.line('}')
  return { workgroup: [WORKGROUP, 1, 1], grid: [Math.ceil(count / each), 1, 1] }
}

/** As many as the row has vectors, in powers of two up to the workgroup. */
const walkersOf = ({ shader, inner }: RowKernel): number => {
  const vectors = sizeOf({ shape: inner }) / shader.lanes
  return Math.min(WORKGROUP, 2 ** Math.ceil(Math.log2(vectors)))
}

const measure = (
  kernel: RowKernel,
  statistic: Statistic,
  row: readonly string[],
  before: readonly string[],
): readonly string[] => {
  if (statistic.combine !== 'moments') return [fold(kernel, statistic, row, before)]
  const { term, finish } = statistic
  const count = `${sizeOf({ shape: kernel.inner })}.0`
  const sum = { combine: 'sum', term, finish: (all: string) => `${all} / ${count}` } as const
  const mean = fold(kernel, sum, row, before)
  const squares = {
    ...sum,
    term(place: Parameters<typeof term>[0]) {
      const away = place.shader.let(`${term(place)} - F(${mean})`)
      return `${away} * ${away}`
    },
    finish: (all: string) => finish(`${all} / ${count}`),
  }
  return [mean, fold(kernel, squares, row, before)]
}

const fold = (
  kernel: RowKernel,
  folded: Folded,
  row: readonly string[],
  statistics: readonly string[],
): string =>
  foldRow(kernel, folded, walkIn(kernel, row), statistics, (own) => tree(kernel, folded, own))

const tree = (kernel: RowKernel, folded: Folded, own: string): string => {
  const { shader } = kernel
  const walkers = walkersOf(kernel)
  if (walkers === 1) return own
  shader.line('workgroupBarrier();')
  shader.line(`found[local.x] = ${own};`)
  shader.line(`for (var half = ${walkers / 2}; half >= 1; half = half / 2) {`)
  shader.line('workgroupBarrier();')
  const both = combined(folded, 'found[local.x]', 'found[local.x + half]')
  shader.line(`if (walker < half) { found[local.x] = ${both}; }`)
  shader.line('}')
  shader.line('workgroupBarrier();')
  return shader.let('found[local.x - walker]')
}

/** Every so many vectors of a row, behind its own coordinates. */
const walkIn =
  (kernel: RowKernel, row: readonly string[]): Walk =>
  (body) => {
    const { shader, inner } = kernel
    const vectors = sizeOf({ shape: inner }) / shader.lanes
    shader.line(`for (var v = walker; v < ${vectors}; v += ${walkersOf(kernel)}) {`)
    const within = shader.coordinates('v', inner.with(-1, inner.at(-1)! / shader.lanes))
    const last = shader.lanes === 1 ? within.at(-1)! : shader.let(`${within.at(-1)!} * 4`)
    body([...row, ...within.with(-1, last)])
    shader.line('}')
  }

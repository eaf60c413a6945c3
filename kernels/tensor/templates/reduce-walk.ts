/** How a piece of a reduction is walked, and what the lanes and invocations that did so make of it together. */
import { elements } from '../../kernel.ts'
import { allOf } from '../conditions.ts'
import type { Build } from '../build.ts'
import type { Shader } from '../shader.ts'
import type { GpuElement, Shape } from '../tensor.ts'
import type { Pointwise } from '../value.ts'
import type { View } from '../view.ts'
import type { FoldText } from './fold.ts'

export const WORKGROUP = { software: 4, gpu: 64 } as const
/** Steps that are added up on their own before they join the sum. */
const BLOCK = 32

/** What is kept and what is folded, in the fewest dimensions each, the one with neighbours in memory last. */
export type Flat = {
  readonly value: View | Pointwise
  readonly kept: Shape
  readonly over: Shape
  readonly along: 'row' | 'column' | 'scalar'
}

/** Pieces are boxes of the folded dimensions: runs of the last one, by runs of all others taken together. */
export type Pieces = {
  readonly outer: number
  readonly inner: number
  readonly outerRun: number
  readonly innerRun: number
  readonly innerCount: number
  readonly count: number
}

export type Job = {
  readonly build: Build
  readonly flat: Flat
  readonly pieces: Pieces
  readonly text: FoldText
  readonly element: GpuElement
}

/** `place`: a workgroup for each on a GPU, with room for what its invocations find, else an invocation. */
export const places = (shader: Shader, { build, element }: Job, count: number): void => {
  const workgroup = WORKGROUP[build.target.family]
  if (build.target.family === 'gpu') {
    shader.global(`var<workgroup> found: array<vec4<${element}>, ${workgroup}>;`)
    shader.line('let place = group.x;')
  } else {
    shader.line(`let place = group.x * ${workgroup} + local.x;`)
    shader.line(`if (place >= ${count}) { return; }`)
  }
}

export const flopOf = ({ flat }: Job): number => elements(flat.kept) * elements(flat.over)

/** The four lanes as one number: the steps are written for vectors, so each lane is made one. */
export const scalarFold = (
  shader: Shader,
  element: GpuElement,
  { step }: FoldText,
  v: string,
): string => {
  const wide = (lane: number): string => `${element === 'f32' ? 'F' : 'I'}(${v}[${lane}])`
  const halves = [step(wide(0), wide(1)), step(wide(2), wide(3))].map((half) => shader.let(half))
  return `(${step(halves[0]!, halves[1]!)})[0]`
}

export const tree = (shader: Shader, { step }: FoldText, own: string, workgroup: number): void => {
  shader.line(`found[local.x] = ${own};`)
  // One barrier in a loop: adapters take long to compile many.
  shader.line(`for (var half = ${workgroup / 2}; half >= 1; half = half / 2) {`)
  shader.line('workgroupBarrier();')
  const other = 'found[local.x + half]'
  shader.line(`if (local.x < half) { found[local.x] = ${step('found[local.x]', other)}; }`)
  shader.line('}')
  shader.line('workgroupBarrier();')
}

/** Loops over the elements of a piece; names what was found. Vectors along rows where `step` is 4 or more. */
export const walk = (
  shader: Shader,
  { flat, pieces, text }: Job,
  kept: readonly string[],
  piece: string,
  { from, step }: { readonly from: string; readonly step: number },
): string => {
  const { outer, inner, outerRun, innerRun, innerCount } = pieces
  const found = shader.var(text.initial)
  const begin = shader.let(innerCount === 1 ? '0' : `(${piece} % ${innerCount}) * ${innerRun}`)
  const end = shader.let(`min(${begin} + ${innerRun}, ${inner})`)
  const first = shader.let(outer === outerRun ? '0' : `(${piece} / ${innerCount}) * ${outerRun}`)
  shader.line(`for (var o = ${first}; o < min(${first} + ${outerRun}, ${outer}); o++) {`)
  const others = shader.coordinates('o', flat.over.slice(0, -1))
  const read = (i: string): string =>
    shader.read(
      flat.value,
      flat.along === 'row' ? [...kept, ...others, i] : [...others, i, ...kept],
    )
  if (from === '0' && innerRun % (step * BLOCK) === 0 && inner % innerRun === 0) {
    walkWhole(shader, text, { found, begin, end, step }, read)
    shader.line('}')
    return found
  }
  const full = step === 1 ? end : shader.let(`${begin} + ((${end} - ${begin}) & ~3)`)
  shader.line(`for (var b = ${begin} + ${from}; b < ${full}; b += ${step * BLOCK}) {`)
  const block = shader.var(text.initial)
  shader.line(`for (var i = b; i < min(b + ${step * BLOCK}, ${full}); i += ${step}) {`)
  shader.line(`${block} = ${text.step(block, read('i'))};`)
  shader.line('}')
  shader.line(`${found} = ${text.step(found, block)};`)
  shader.line('}')
  if (step > 1 && inner % 4 !== 0) {
    // The last vector reaches beyond the row: what lies there is looked at, and does not count.
    shader.line(`if (${allOf([`${full} < ${end}`, `${from} == 0`])}) {`)
    const counts = `vec4<i32>(0, 1, 2, 3) < vec4<i32>(${end} - ${full})`
    const last = `select(${text.initial}, ${read(full)}, ${counts})`
    shader.line(`${found} = ${text.step(found, last)};`)
    shader.line('}')
  }
  shader.line('}')
  return found
}

/** The same where all blocks are whole: four steps at a time, which do not wait for each other. */
const walkWhole = (
  shader: Shader,
  text: FoldText,
  run: {
    readonly found: string
    readonly begin: string
    readonly end: string
    readonly step: number
  },
  read: (i: string) => string,
): void => {
  const { found, begin, end, step } = run
  shader.line(`for (var b = ${begin}; b < ${end}; b += ${step * BLOCK}) {`)
  const block = shader.var(text.initial)
  shader.line(`for (var i = b; i < b + ${step * BLOCK}; i += ${4 * step}) {`)
  const terms = [0, 1, 2, 3].map((n) => read(shader.let(`i + ${n * step}`)))
  const halves = [text.step(terms[0]!, terms[1]!), text.step(terms[2]!, terms[3]!)]
  const sum = text.step(shader.let(halves[0]!), shader.let(halves[1]!))
  shader.line(`${block} = ${text.step(block, `(${sum})`)};`)
  shader.line('}')
  shader.line(`${found} = ${text.step(found, block)};`)
  shader.line('}')
}

/**
 * The heart of products on GPUs: a workgroup computes a square of the result and walks K some steps at a time,
 * with both sides' parts in workgroup memory; an invocation has some rows of four columns. Products are added in
 * order of k.
 */
import type { Shader } from '../shader.ts'
import type { GpuElement } from '../tensor.ts'
import type { Tile } from '../tiles.ts'

/** Steps of k at once. */
export const DEPTH = 16

export type Square = {
  readonly element: GpuElement
  readonly side: number
  /** Of an invocation; it has one vector of columns. */
  readonly rows: number
  /** Invocations along columns and along rows. */
  readonly across: number
  readonly down: number
  /** One more than there are rows, so that neighbours along K do not meet in one bank. */
  readonly pitch: number
}

export const squareOf = (element: GpuElement, { rows, columns: side }: Tile): Square => {
  return { element, side, rows, across: side / 4, down: side / rows, pitch: side + 1 }
}

/** How the parts of both sides get into workgroup memory; they have to be zero beyond K. */
export type Fetch = {
  /** Loops over row and step of the left part; answers WGSL of the element. */
  readonly left: { readonly alongK: boolean; element(row: string, step: string): string }
  /** WGSL of four neighbouring columns of the right part, from the `column` of the result on. */
  right(step: string, column: string): string
}

/** WGSL names of the sums, a vector for each row of an invocation. */
export const addSquares = (shader: Shader, square: Square, k: number, fetch: Fetch): string[] => {
  const { element, rows, across, pitch } = square
  shader.global(`var<workgroup> tile_a: array<${element}, ${DEPTH * pitch}>;`)
  shader.global(`var<workgroup> tile_b: array<vec4<${element}>, ${DEPTH * across}>;`)
  const sums = Array.from({ length: rows }, () => shader.var(`vec4<${element}>(0)`))
  shader.line(`for (var begin = 0; begin < ${k}; begin += ${DEPTH}) {`)
  shader.line('workgroupBarrier();')
  fetchBoth(shader, square, fetch)
  shader.line('workgroupBarrier();')
  shader.line(`for (var step = 0; step < ${DEPTH}; step++) {`)
  const y = shader.let(`tile_b[step * ${across} + local.x]`)
  for (const [r, sum] of sums.entries())
    shader.line(`${sum} = ${sum} + tile_a[step * ${pitch} + local.y * ${rows} + ${r}] * ${y};`)
  shader.line('}')
  shader.line('}')
  return sums
}

/** Goes through an invocation's rows in a loop, as compiling takes long where there are many stores. */
export const eachRow = (
  shader: Shader,
  { element, side, rows }: Square,
  sums: readonly string[],
  body: (row: string, column: string, sum: string) => void,
): void => {
  const column = shader.let(`group.x * ${side} + local.x * 4`)
  const all = shader.var(`array<vec4<${element}>, ${rows}>(${sums.join(', ')})`)
  shader.line(`for (var r = 0; r < ${rows}; r++) {`)
  const row = shader.let(`group.y * ${side} + local.y * ${rows} + r`)
  body(row, column, `${all}[r]`)
  shader.line('}')
}

const fetchBoth = (
  shader: Shader,
  { side, across, down, pitch }: Square,
  { left, right }: Fetch,
): void => {
  const first = shader.let(`local.y * ${across} + local.x`)
  const walk = (count: number, inner: number): readonly [string, string] => {
    shader.line(`for (var e = ${first}; e < ${count}; e += ${across * down}) {`)
    return [shader.let(`e / ${inner}`), shader.let(`e % ${inner}`)]
  }
  // Neighbours in memory go to neighbours in the workgroup.
  const [a, b] = walk(side * DEPTH, left.alongK ? DEPTH : side)
  const [row, step] = left.alongK ? [a, b] : [b, a]
  const x = left.element(shader.let(`group.y * ${side} + ${row}`), shader.let(`begin + ${step}`))
  shader.line(`tile_a[${step} * ${pitch} + ${row}] = ${x};`)
  shader.line('}')
  const [deep, wide] = walk(DEPTH * across, across)
  const y = right(shader.let(`begin + ${deep}`), shader.let(`group.x * ${side} + ${wide} * 4`))
  shader.line(`tile_b[e] = ${y};`)
  shader.line('}')
}

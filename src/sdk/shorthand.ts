/** Jobs for which nobody should have to write a file: the spec is written here and read like any other. */
import { SwarmError } from './error.ts'

const spec = (run: string, params: string, inputs: string): string =>
  ['---', 'swarm: 1', `name: ${run}`, `run: ${run}`, params, inputs, '---', '']
    .filter((line) => line !== '')
    .join('\n')

/** `program`: lines of `let`, then one expression in `x`, `y` and `i`. A JSON text is a YAML text. */
export const mapSpec = (program: string, second: boolean): string => {
  if (typeof program !== 'string')
    throw new SwarmError('bad-program', `expression: expected a text, found ${typeof program}`)
  return spec(
    'map',
    `params: { program: ${JSON.stringify(program)} }`,
    `inputs: { x: { kind: f32 }${second ? ', y: { kind: f32 }' : ''} }`,
  )
}

export const sumSpec = (): string => spec('sum', '', 'inputs: { x: { kind: f32 } }')

export type Matrix = {
  readonly data: Float32Array | Int8Array
  readonly shape: readonly [number, number]
}

export const matmulSpec = (a: Matrix, b: Matrix): string => {
  for (const [name, matrix] of Object.entries({ a, b })) checkMatrix(name, matrix)
  const dtype = a.data instanceof Int8Array ? 'i8' : 'f32'
  if (a.shape[1] !== b.shape[0]) {
    throw new SwarmError('bad-input', `inputs.b: expected ${a.shape[1]} rows, found ${b.shape[0]}`)
  }
  return spec(
    'matmul',
    `params: { dtype: ${dtype} }`,
    `inputs: { a: { kind: ${dtype} }, b: { kind: ${dtype} } }`,
  )
}

/** Callers without types may hand over anything. */
const checkMatrix = (name: string, matrix: Partial<Matrix> | undefined): void => {
  const { data, shape } = matrix ?? {}
  if (ArrayBuffer.isView(data) && Array.isArray(shape) && shape.length === 2) return
  const found = matrix === undefined ? 'nothing' : JSON.stringify({ shape })
  throw new SwarmError(
    'bad-input',
    `inputs.${name}: expected data and its two sides, found ${found}`,
  )
}

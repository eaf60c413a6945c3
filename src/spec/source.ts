/** Whether what a spec wants computed can be: its formulas and shaders are read before anything is sent. */
import { mandelbrotView } from '../../kernels/fixed-point.ts'
import type { DType } from '../../kernels/kernel.ts'
import { parseMapProgram } from '../../kernels/map-program.ts'
import { readGraphText } from '../../kernels/tensor/read-graph-text.ts'
import type { Program } from '../core/job.ts'
import { inputLine, ownShader } from '../core/own-shader.ts'
import { MAIN_FENCE } from './program.ts'
import type { Place, Report } from './spec-error.ts'
import type { Tree } from './tree.ts'

/** Whether a map reads a second input; null when its program was refused. */
export const readsSecond = (program: Program, params: Tree, report: Report): boolean | null => {
  if (program.kind !== 'map') return false
  const parsed = parseMapProgram(program.program)
  if (parsed.ok) return parsed.value.inputs === 2
  refused(program.kind, parsed.error, params, report)
  return null
}

export const isComputable = (
  program: Program,
  inputs: Readonly<Record<string, { readonly dtype: DType }>>,
  params: Tree,
  report: Report,
): boolean => {
  if (program.kind === 'mandelbrot') {
    const view = mandelbrotView(program)
    if (view.ok) return true
    const { param, expected, found } = view.error
    report.add('out-of-range', placeOf(params, param), `params.${param}`, expected, found)
    return false
  }
  if (program.kind !== 'wgsl') return true
  const { kind, items: _, constants, ...same } = program
  const one = { ...same, items: 1, first: 0, constants: constants.join('\n') }
  const tensors = Object.entries(inputs)
  const lines = tensors.map(([name, { dtype }]) => inputLine(name, dtype)).join('\n')
  // Four bytes are one pixel, and one word of anything else is enough.
  const lengths = tensors.map(() => 4)
  const admitted = ownShader({ ...one, inputs: lines, lengths }, 'planning')
  if (admitted.ok) return true
  refused(kind, admitted.error, params, report)
  return false
}

type Fault = {
  readonly line: number
  readonly column: number
  readonly expected: string
  readonly found: string
}

/** A graph's text can be read, if it is there: what it comes to, the plan says. */
export const isGraphReadable = (program: Program, params: Tree, report: Report): boolean => {
  if (program.kind !== 'graph' || program.graph === '') return true
  const read = readGraphText(program.graph)
  if (read.ok) return true
  refused(program.kind, { ...read.error, column: 1 }, params, report)
  return false
}

const refused = (
  kind: 'map' | 'graph' | 'wgsl',
  fault: Fault,
  params: Tree,
  report: Report,
): void => {
  const { line, column, expected, found } = fault
  const { param } = MAIN_FENCE[kind]!
  const text = params.kind === 'map' ? params.entries.get(param)?.value : undefined
  const start = text?.place ?? params.place
  // A fence and a block scalar begin on the line after the one that opens them.
  const below = text?.kind === 'scalar' && text.source.includes('\n') && start.line > 0 ? line : 0
  const field = line > 0 ? `${param}, line ${line} column ${column}` : param
  report.add('bad-program', { file: start.file, line: start.line + below }, field, expected, found)
}

const placeOf = (params: Tree, name: string): Place =>
  (params.kind === 'map' ? params.entries.get(name)?.place : undefined) ?? params.place

/** The parameters of a spec as fields of a form: what a person may change, in friendly units. */
import type { Program } from '../core/job.ts'
import { MICRO_PER_CREDIT } from '../base/units.ts'
import type { Spec } from './spec.ts'

export type FormField = {
  readonly key: string
  readonly label: string
  readonly help: string | null
  readonly value: string
} & (
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly step: number }
  | { readonly kind: 'decimal' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'code' }
)

const integer = (
  key: string,
  label: string,
  value: number,
  min: number,
  max: number,
  help: string | null = null,
  step = 1,
): FormField => ({
  key,
  label,
  help,
  value: String(value),
  kind: 'integer',
  min,
  max,
  step,
})
const decimal = (
  key: string,
  label: string,
  value: string,
  help: string | null = null,
): FormField => ({
  key,
  label,
  help,
  value,
  kind: 'decimal',
})
const choice = (
  key: string,
  label: string,
  value: string,
  choices: readonly string[],
): FormField => ({
  key,
  label,
  help: null,
  value,
  kind: 'choice',
  choices,
})
const code = (key: string, label: string, value: string, help: string): FormField => ({
  key,
  label,
  help,
  value,
  kind: 'code',
})

const milli = (n: number): string => String(n / 1000)

const programFields = (program: Program): FormField[] => {
  switch (program.kind) {
    case 'mandelbrot':
      return [
        integer('width', 'Width', program.width, 1, 16_384, 'pixels'),
        integer('height', 'Height', program.height, 1, 16_384, 'pixels'),
        decimal('centerX', 'Centre, real part', program.centerX),
        decimal('centerY', 'Centre, imaginary part', program.centerY),
        decimal('zoom', 'Zoom', program.zoom, '1 shows the whole set'),
        integer('iterations', 'Iterations', program.iterations, 1, 65_535, 'more for deeper zooms'),
        choice('palette', 'Palette', program.palette, ['sheet', 'fire', 'ice', 'grey']),
      ]
    case 'image': {
      const { filter, radius, sigmaMilli, amountMilli } = program
      const detail = 'for unsharp: how much detail is added'
      return [
        choice('filter', 'Filter', filter, ['gaussian-blur', 'sobel', 'unsharp']),
        integer('radius', 'Radius', radius, 1, 16, 'pixels'),
        decimal('sigma', 'Sigma', milli(sigmaMilli || 2_000), 'pixels; how wide the blur is'),
        decimal('amount', 'Amount', milli(amountMilli || 1_000), detail),
      ]
    }
    case 'matmul':
      return [
        integer('m', 'Rows of A', program.m, 1, 65_536),
        integer('k', 'Columns of A', program.k, 1, 65_536),
        integer('n', 'Columns of B', program.n, 1, 65_536),
        choice('dtype', 'Numbers', program.dtype, ['f32', 'i8']),
      ]
    case 'map': {
      const help = 'for each element x (and y): an expression in WGSL terms'
      return [
        integer('length', 'Elements', program.length, 1, 2 ** 28),
        code('program', 'Program', program.program, help),
      ]
    }
    case 'sum':
      return [integer('length', 'Elements', program.length, 1, 2 ** 28)]
    case 'graph': {
      const help = 'tasks that the model is cut into; 0 is as few as there can be'
      // A number of parts has no meaning beside the places to cut at.
      if (program.cut.length > 0) return []
      return [integer('parts', 'Parts', program.parts, 0, 4_096, help)]
    }
    case 'wgsl': {
      const { items, iterations, source } = program
      const help = 'runs only on nodes whose owners allow strangers’ WGSL'
      return [
        integer('items', 'Items', items, 1, 2 ** 28),
        integer('iterations', 'Loop iterations per item, at most', iterations, 0, 2 ** 22),
        code('source', 'Shader', source, help),
      ]
    }
  }
}

/** Parameters first, then what every job has. Keys are those of `--set`. */
export const formFields = (spec: Spec): readonly FormField[] => [
  // A size of 0 is as large as the input, and nothing a person could set.
  ...programFields(spec.program).filter(
    (f) => f.kind !== 'integer' || f.min === 0 || f.value !== '0',
  ),
  integer(
    'redundancy',
    'Nodes per task',
    spec.redundancy,
    1,
    5,
    'each result from so many different nodes',
  ),
  decimal(
    'budget',
    'Budget',
    String(spec.budget / MICRO_PER_CREDIT),
    'credits; the most the job may cost',
  ),
]

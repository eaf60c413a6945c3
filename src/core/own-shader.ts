/**
 * A spec's own WGSL as a task. Kernel `wgsl@1` is not pinned by hash as the others are: its source
 * travels in the parameters and is admitted anew by whoever plans it and whoever runs it.
 *
 * `source`, `items`, `itemLength`, `iterations` and `output` (a dtype) are the spec's; `inputs` are its
 * input tensors, lines such as `x: f32`, and `lengths` their elements; u8, the bytes of a picture, are
 * words of four to the shader. `constants` are lines such as `gain: f32 = 1.5`. The first constant is always `first: u32`, the number of the task's first item
 * in the whole job; a slice of an input begins there too.
 */
import {
  customKernel,
  type CustomInput,
  type CustomKernel,
  type CustomParams,
} from '../../kernels/custom.ts'
import type { DType, Params, ShaderKernel } from '../../kernels/kernel.ts'
import { err, ok, type Result } from '../base/result.ts'

export const OWN_SHADER = 'wgsl@1'

export type OwnShader = { readonly kernel: CustomKernel; readonly params: CustomParams }
export type OwnShaderError = {
  readonly code: string
  /** From 1; 0 where the fault is not in the source. */
  readonly line: number
  readonly column: number
  readonly expected: string
  readonly found: string
}

/** Source and names travel in a message head of 64 KiB. */
const SOURCE_MAX = 32 * 1024
const LINES_MAX = 2_048
const CONSTANT = /^([A-Za-z][A-Za-z0-9_]{0,31})\s*:\s*(f32|i32|u32)\s*=\s*([-+.0-9eE]{1,40})$/
const INPUT = /^([A-Za-z][A-Za-z0-9_]{0,31}): (f32|i32|u32|u8)$/
const OUTPUTS = ['f32', 'i32', 'u32'] as const
const KEYS = [
  'source',
  'items',
  'itemLength',
  'iterations',
  'output',
  'inputs',
  'lengths',
  'constants',
  'first',
]

const refuse = (expected: string, found: unknown) =>
  err({ code: 'bad-param', line: 0, column: 0, expected, found: String(found).slice(0, 60) })

/** Admits a task's source. `digest` names the kernel in caches: 8 to 64 of a-z and 0-9. */
export const ownShader = (params: Params, digest: string): Result<OwnShader, OwnShaderError> => {
  const { source, items, itemLength, iterations, output, inputs, lengths, constants, first } =
    params
  const stray = Object.keys(params).find((key) => !KEYS.includes(key))
  if (stray !== undefined) return refuse(`only ${KEYS.join(', ')}`, stray)
  if (typeof source !== 'string' || source.length > SOURCE_MAX) {
    return refuse(`source of at most ${SOURCE_MAX} characters`, String(source).length)
  }
  const type = OUTPUTS.find((dtype) => dtype === output)
  if (type === undefined) return refuse(`output ${OUTPUTS.join(', ')}`, output)
  if (typeof inputs !== 'string' || inputs.length > LINES_MAX)
    return refuse('lines of inputs', inputs)
  if (typeof constants !== 'string' || constants.length > LINES_MAX) {
    return refuse('lines of constants', constants)
  }
  if (typeof itemLength !== 'number' || typeof iterations !== 'number') {
    return refuse(
      'itemLength and iterations as numbers',
      `${String(itemLength)}, ${String(iterations)}`,
    )
  }
  const read = readConstants(constants === '' ? [] : constants.split('\n'))
  if (!read.ok) return read
  const tensors = readInputs(inputs === '' ? [] : inputs.split('\n'))
  if (!tensors.ok) return tensors
  const made = customKernel(source, {
    digest,
    title: 'A shader of its own',
    inputs: tensors.value,
    output: { name: 'result', type },
    constants: [
      { name: 'first', type: 'u32' },
      ...read.value.map(({ name, type: t }) => ({ name, type: t })),
    ],
    iterations,
    itemLength,
  })
  if (!made.ok) {
    const { code, line, column, found, allowed } = made.error
    return err({ code, line, column, expected: allowed, found })
  }
  const values = Object.fromEntries(read.value.map(({ name, value }) => [name, value]))
  const given = { items: items ?? 0, lengths: lengths ?? [], first: first ?? 0, ...values }
  const parsed = made.value.parse(given)
  if (!parsed.ok)
    return refuse(`${parsed.error.param}: ${parsed.error.expected}`, parsed.error.found)
  return ok({ kernel: made.value, params: parsed.value })
}

/**
 * All own shaders as one kernel, for whoever takes kernels by id and parameters by value. There is no
 * reference: a result is compared with those of other nodes.
 */
export const ownKernel: Omit<
  ShaderKernel<OwnShader>,
  'check' | 'reference' | 'range' | 'tolerance'
> & {
  readonly check: 'replicas'
} = {
  id: OWN_SHADER,
  title: 'A shader of its own',
  parse(params) {
    const admitted = ownShader(params, 'ownshader')
    if (admitted.ok) return admitted
    const { line, column, expected, found } = admitted.error
    const param = line > 0 ? `source, line ${line} column ${column}` : 'source'
    return { ok: false, error: { code: 'bad-param', param, expected, found } }
  },
  inputs: ({ kernel, params }) => kernel.inputs(params),
  output: ({ kernel, params }) => kernel.output(params),
  costFlop: ({ kernel, params }) => kernel.costFlop(params),
  costBytes: ({ kernel, params }) => kernel.costBytes(params),
  items: ({ kernel, params }) => kernel.items(params),
  itemLength: ({ kernel, params }) => kernel.itemLength(params),
  check: 'replicas',
  shader: 'custom',
  specialise: (_, { kernel }) => kernel.source,
  dispatch: ({ kernel, params }, from, to) => kernel.dispatch(params, from, to),
  // The largest there can be; each shader has its own.
  workgroup: [256, 1, 1],
  cases: [],
}

type Constant = {
  readonly name: string
  readonly type: 'f32' | 'i32' | 'u32'
  readonly value: number | string
}

/** An input as `params` say it. */
export const inputLine = (name: string, dtype: DType): string => `${name}: ${dtype}`

const readInputs = (lines: readonly string[]): Result<CustomInput[], OwnShaderError> => {
  const inputs: CustomInput[] = []
  for (const line of lines) {
    const [, name, dtype] = INPUT.exec(line) ?? []
    if (name === undefined) return refuse('an input such as x: f32', line)
    if (dtype === 'u8') inputs.push({ name, type: 'u32', packed: true })
    else inputs.push({ name, type: dtype as 'f32' | 'i32' | 'u32' })
  }
  return ok(inputs)
}

const readConstants = (lines: readonly string[]): Result<Constant[], OwnShaderError> => {
  const constants: Constant[] = []
  for (const line of lines) {
    const match = CONSTANT.exec(line.trim())
    if (!match) return refuse('a constant such as gain: f32 = 1.5', line)
    const [, name, type, text] = match as unknown as [string, string, Constant['type'], string]
    constants.push({ name, type, value: type === 'f32' ? text : Number(text) })
  }
  return ok(constants)
}

/**
 * A kernel from a spec's own WGSL: what was admitted, with the shapes and the cost its spec declares.
 *
 * The source is a complete shader. Invocation `gid.x` computes item `params.offset + gid.x`, that is
 * `itemLength` elements of the output from `item * itemLength` on:
 *
 *     struct Params { offset: u32, items: u32, gain: f32 }     // then the spec's constants, in order
 *     @group(0) @binding(0) var<uniform> params: Params;
 *     @group(0) @binding(1) var<storage, read> x: array<f32>;         // the declared inputs, in order,
 *                                                                     // as f32, i32 or u32
 *     @group(0) @binding(2) var<storage, read_write> y: array<f32>;   // the declared output
 *     @compute @workgroup_size(64)
 *     fn main(@builtin(global_invocation_id) gid: vec3<u32>) { ... }
 *
 * The uniform block is at most sixteen 4-byte words: 0 `offset`, the first item of the slice; 1 `items`,
 * how many; 2.. the constants, as u32, i32 or the bits of an f32. Invocations from `items` on end before
 * the first statement. Inputs and the output are bound whole, at exactly their size, and the output is
 * zero before the first slice: what a kernel does not write must not show what another left behind.
 *
 * Nobody can foretell a stranger's numbers, so there is no reference: results are compared with replicas.
 */
import { admit } from './admission.ts'
import { refusal } from './admission-error.ts'
import { dtypeBytes, MAX_TENSOR_BYTES, tensorBytes } from './kernel.ts'
import { uniformWords } from './layout.ts'
import { integer, readParams, withinLimits } from './params.ts'
import type { Declared } from './admission.ts'
import type { Checked } from './admission-error.ts'
import type { ShaderKernel, ParamValue, Params, Parsed, TensorType, Tolerance } from './kernel.ts'
import type { Field } from './params.ts'
import type { ScalarType } from './wgsl-interface.ts'

/** `packed`: bytes, four to a `u32`, the first in its lowest bits: the pixels of a picture. */
export type CustomInput = Declared['inputs'][number] & { readonly packed?: boolean }

export type CustomDeclared = Omit<Declared, 'inputs'> & {
  readonly inputs: readonly CustomInput[]
  /** Short digest of source and declaration, made by whoever can hash: 8 to 64 of a-z and 0-9. */
  readonly digest: string
  readonly title: string
  /** Output elements per item. */
  readonly itemLength: number
  /** How far replicas may differ; only for an f32 output. */
  readonly tolerance?: Tolerance
}

export type CustomParams = {
  readonly items: number
  /** Elements of each input. */
  readonly lengths: readonly number[]
  /** The constants as 4-byte words, in the declared order. */
  readonly words: readonly number[]
}

/** As every kernel, but what it computes can only be compared with what others computed. */
export type CustomKernel = Omit<ShaderKernel<CustomParams>, 'check' | 'reference' | 'range'> & {
  readonly check: 'replicas'
  /** The shader, as rewritten by the admission. */
  readonly source: string
}

const MAX_ITEM_LENGTH = 65_536
/** WebGPU's default for maxComputeWorkgroupsPerDimension: items lie along x. */
const MAX_GROUPS = 65_535

/** As far as one adapter class differs from another in sums and elementary functions (measured). */
const F32_TOLERANCE: Tolerance = { abs: 1e-6, rel: 1e-5, scale: 'tensor' }

export const customKernel = (source: string, declared: CustomDeclared): Checked<CustomKernel> => {
  const { digest, itemLength } = declared
  const nowhere = { line: 0, column: 0 }
  if (!/^[a-z0-9]{8,64}$/.test(digest)) {
    return refusal('declared', nowhere, digest, 'a digest of 8 to 64 characters a-z, 0-9')
  }
  if (!Number.isInteger(itemLength) || itemLength < 1 || itemLength > MAX_ITEM_LENGTH) {
    const allowed = `an item length from 1 to ${MAX_ITEM_LENGTH}`
    return refusal('declared', nowhere, String(itemLength), allowed)
  }
  const admitted = admit(source, declared)
  if (!admitted.ok) return admitted
  const { workgroup, workPerItem } = admitted.value
  const inputs = ({ lengths }: CustomParams): TensorType[] =>
    declared.inputs.map(({ type, packed }, i) => ({
      dtype: packed ? 'u8' : type,
      shape: [lengths[i] ?? 0],
    }))
  const output = ({ items }: CustomParams): TensorType => ({
    dtype: declared.output.type,
    shape: itemLength === 1 ? [items] : [items, itemLength],
  })
  const floats = declared.output.type === 'f32'
  return {
    ok: true,
    value: {
      id: `wgsl@${digest}`,
      title: declared.title,
      source: admitted.value.source,
      parse: (params) => {
        const read = parse(params, declared, workgroup)
        return read.ok
          ? withinLimits(read.value, [...inputs(read.value), output(read.value)])
          : read
      },
      inputs,
      output,
      costFlop: ({ items }) => items * workPerItem,
      costBytes: (p) => [...inputs(p), output(p)].reduce((sum, type) => sum + tensorBytes(type), 0),
      items: ({ items }) => items,
      itemLength: () => itemLength,
      check: 'replicas',
      ...(floats ? { tolerance: declared.tolerance ?? F32_TOLERANCE } : {}),
      shader: 'custom',
      specialise: () => admitted.value.source,
      dispatch: ({ words }, from, to) => ({
        grid: [Math.ceil((to - from) / workgroup), 1, 1],
        uniforms: uniformWords([from, to - from, ...words]),
      }),
      workgroup: [workgroup, 1, 1],
      cases: [],
    },
  }
}

const parse = (
  params: Params,
  declared: CustomDeclared,
  workgroup: number,
): Parsed<CustomParams> => {
  const { constants } = declared
  const fields: Record<string, Field<unknown>> = {
    items: integer(1, workgroup * MAX_GROUPS),
    lengths: lengthsOf(declared.inputs),
    ...Object.fromEntries(constants.map(({ name, type }) => [name, CONSTANTS[type]])),
  }
  const read = readParams(params, fields)
  if (!read.ok) return read
  const value = read.value as { items: number; lengths: readonly number[]; [name: string]: unknown }
  const words = constants.map(({ name }) => value[name] as number)
  return { ok: true, value: { items: value.items, lengths: value.lengths, words } }
}

const lengthsOf = (inputs: readonly CustomInput[]): Field<readonly number[]> => {
  const most = MAX_TENSOR_BYTES / dtypeBytes('f32')
  const fits = (length: unknown, packed: boolean): boolean =>
    Number.isInteger(length) &&
    Number(length) >= 1 &&
    Number(length) <= most &&
    // A shader reads whole words.
    (!packed || Number(length) % 4 === 0)
  return {
    expected: `a list of ${inputs.length} integers from 1 to ${most}, of bytes in fours`,
    read: (value) =>
      Array.isArray(value) &&
      value.length === inputs.length &&
      inputs.every(({ packed = false }, i) => fits(value[i], packed))
        ? value
        : undefined,
  }
}

const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/

/** The bits of the f32 nearest to a decimal text, or undefined where there is none that is finite. */
export const f32Bits = (text: string): number | undefined => {
  if (text.length > 40 || !DECIMAL.test(text)) return undefined
  const value = Math.fround(Number(text))
  return Number.isFinite(value) ? new Uint32Array(Float32Array.of(value).buffer)[0] : undefined
}

const whole = (min: number, max: number): Field<number> => {
  const field = integer(min, max)
  return {
    expected: field.expected,
    read: (value) => {
      const found = field.read(value)
      return found === undefined ? undefined : found >>> 0
    },
  }
}

/** How a constant travels, and its word in the uniform block. */
const CONSTANTS: Record<ScalarType, Field<number>> = {
  u32: whole(0, 0xffff_ffff),
  i32: whole(-0x8000_0000, 0x7fff_ffff),
  f32: {
    expected: 'a decimal number as text, such as "-1.5e-3"',
    read: (value: ParamValue | undefined) =>
      typeof value === 'string' ? f32Bits(value) : undefined,
  },
}

/**
 * What an operator is: its name, how shapes follow, what it costs, a plain float64 reference, how it is
 * lowered to kernels, and cases that hold the two against each other. See CONTRIBUTING.md, "Add an operator".
 */
import { isFloat } from './tensor.ts'
import type { Tolerance } from '../kernel.ts'
import type { Build } from './build.ts'
import type { Draw } from './draw.ts'
import type { Attribute } from './graph.ts'
import type { Refusal } from './outcome.ts'
import type { Numbers, Tensor, TensorType } from './tensor.ts'
import type { Value } from './value.ts'

export type AttributeKind = 'int' | 'float' | 'text' | 'ints' | 'floats' | 'texts' | 'tensor'

/** One use of an operator in a graph. Kinds of attributes and the number of inputs have been checked. */
export type Call = {
  readonly opset: number
  readonly attributes: ReadonlyMap<string, Attribute>
  /** null for an optional input that is left out; as many as given where there may be any number. */
  readonly inputs: readonly (TensorType | null)[]
  /** Values that are known before the run; always there for `shapeInputs`. */
  readonly known: readonly (Tensor | null)[]
  /** How many outputs the graph names, those it does not use among them. */
  readonly outputCount: number
  /** What `infer` answered; empty while it is asked. */
  readonly outputs: readonly TensorType[]
}

/** One trial of an operator. */
export type Sample = {
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly inputs: readonly (Tensor | null)[]
  /** Outputs asked for; 1 if absent. */
  readonly outputs?: number
  /** Version of the operator set; the newest if absent. */
  readonly opset?: number
}

export type Op = {
  /** ONNX's name, in its default domain. */
  readonly name: string
  /** Fewest and most inputs. */
  readonly inputs: readonly [number, number]
  readonly attributes: Readonly<Record<string, AttributeKind>>
  /** Inputs whose values decide shapes: they have to be known before the run. */
  readonly shapeInputs?: readonly number[]
  /** The result follows from the shapes of the inputs alone. */
  readonly fromShapes?: true
  /** Types of the outputs, or why there are none. */
  infer(call: Call): readonly TensorType[] | Refusal
  /** Operations from shapes; 0 if absent (only moves). */
  flop?(call: Call): number
  /** Plain loops in float64, one list of numbers per output; independent of the lowering. */
  reference(call: Call, inputs: readonly (Tensor | null)[]): readonly Numbers[]
  /** Values with the shapes and element types that `infer` said. */
  lower(call: Call, inputs: readonly (Value | null)[], build: Build): readonly Value[]
  /** How far a GPU may be from the reference; DEFAULT_TOLERANCE if absent. */
  readonly tolerance?: Tolerance
  /** By name: each makes a trial from a seed, and is asked with several. */
  readonly cases: Readonly<Record<string, (draw: Draw) => Sample>>
}

/** Sums of some thousand f32 terms stay well below; see also docs on numerics. */
export const DEFAULT_TOLERANCE: Tolerance = { abs: 1e-6, rel: 1e-5, scale: 'tensor' }

export const intOf = (call: Call, name: string, missing: number): number =>
  (call.attributes.get(name) as number | undefined) ?? missing
export const floatOf = (call: Call, name: string, missing: number): number =>
  (call.attributes.get(name) as number | undefined) ?? missing
export const textOf = (call: Call, name: string, missing: string): string =>
  (call.attributes.get(name) as string | undefined) ?? missing
export const intsOf = (call: Call, name: string): readonly number[] | null =>
  (call.attributes.get(name) as readonly number[] | undefined) ?? null
export const tensorOf = (call: Call, name: string): Tensor | null =>
  (call.attributes.get(name) as { readonly tensor: Tensor } | undefined)?.tensor ?? null

/** An input that is not optional. */
export const inputOf = (call: Call, i: number): TensorType => call.inputs[i]!

/** Whether all inputs that are given hold floats, but for those with these numbers. */
export const areFloats = (call: Call, ...others: readonly number[]): boolean =>
  call.inputs.every((input, i) => input === null || others.includes(i) || isFloat(input.element))

/** Numbers of an input of `shapeInputs`, or null where it is left out. */
export const knownInts = (call: Call, i: number): readonly number[] | null => {
  const known = call.known[i]
  return known === null || known === undefined ? null : [...known.data]
}

/** Numbers that older operator sets keep in an attribute and newer ones in an input. */
export const intsOrInput = (call: Call, name: string, i: number): readonly number[] | null =>
  knownInts(call, i) ?? intsOf(call, name)

/** An axis counted from the front, or null where there is no such axis. */
export const axisIn = (axis: number, rank: number): number | null => {
  const front = axis < 0 ? axis + rank : axis
  return Number.isInteger(front) && front >= 0 && front < rank ? front : null
}

/** The axis of the first input that `axis` names. */
export const axisOf = (call: Call, missing: number): number | null =>
  axisIn(intOf(call, 'axis', missing), inputOf(call, 0).shape.length)

/** Axes counted from the front, or null where one is wrong or named twice. */
export const axesIn = (axes: readonly number[], rank: number): readonly number[] | null => {
  const found = axes.map((axis) => axisIn(axis, rank))
  if (!found.every((axis) => axis !== null)) return null
  return new Set(found).size === found.length ? found : null
}

/** The kind that ONNX gave an attribute. */
export const isKind = (kind: AttributeKind, value: Attribute): boolean => {
  const all = (check: (x: unknown) => boolean): boolean =>
    Array.isArray(value) && value.every((x: unknown) => check(x))
  switch (kind) {
    case 'int':
      return Number.isSafeInteger(value)
    case 'float':
      return typeof value === 'number'
    case 'text':
      return typeof value === 'string'
    case 'ints':
      return all((x) => Number.isSafeInteger(x))
    case 'floats':
      return all((x) => typeof x === 'number')
    case 'texts':
      return all((x) => typeof x === 'string')
    case 'tensor':
      return typeof value === 'object' && 'tensor' in value
  }
}

/** Operators that work element by element, inputs stretched to one shape: one formula in float64, one in WGSL. */
import {
  broadcast,
  gpuElement,
  isFloat,
  sameShape,
  sizeOf,
  smallRange,
  unusedBits,
} from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf } from '../op.ts'
import { stretched } from './stretched.ts'
import type { Tolerance } from '../../kernel.ts'
import type { Draw } from '../draw.ts'
import type { AttributeKind, Call, Op, Sample } from '../op.ts'
import type { WgslFunction } from '../wgsl-function.ts'
import type { ElementType, Tensor } from '../tensor.ts'

/** Names of WGSL types that fit the inputs: F or I, for one element or four. */
export type Alias = 'F' | 'I'

export type PointwiseSpec = {
  readonly name: string
  /** How many inputs; 1 if absent. More than 3 do not fit one kernel. */
  readonly arity?: 1 | 2 | 3
  readonly attributes?: Readonly<Record<string, AttributeKind>>
  /** Element types that inputs may have; floats if absent. */
  readonly accepts?: 'floats' | 'numbers' | 'integers' | 'bools' | 'all'
  /** Inputs that need not have the type of the first. */
  readonly mixed?: true
  /** Inputs that do not stretch to one shape, but must have it. */
  readonly sameShape?: true
  /** Element type of the result; that of the first input if absent. */
  result?(call: Call): ElementType
  compute(call: Call): (x: number, y: number, z: number) => number
  wgsl(args: readonly string[], alias: Alias, call: Call): string
  readonly functions?: readonly WgslFunction[]
  readonly tolerance?: Tolerance
  /** Where the function is worth trying; -3 to 3 if absent. */
  readonly range?: readonly [number, number]
  /** Trials of attributes, each with one drawn input per argument. */
  readonly trials?: readonly NonNullable<Sample['attributes']>[]
  /** What happens to NaN, infinities and zeros is tried too, unless this is false. */
  readonly specials?: boolean
  readonly cases?: Op['cases']
}

const fits = (accepts: NonNullable<PointwiseSpec['accepts']>, element: ElementType): boolean => {
  switch (accepts) {
    case 'floats':
      return isFloat(element)
    case 'numbers':
      return element !== 'bool'
    case 'integers':
      return !isFloat(element) && element !== 'bool'
    case 'bools':
      return element === 'bool'
    case 'all':
      return true
  }
}

export const pointwiseOp = (spec: PointwiseSpec): Op => {
  const { name, arity = 1, accepts = 'floats', functions = [], tolerance } = spec
  return {
    name,
    inputs: [arity, arity],
    attributes: spec.attributes ?? {},
    infer(call) {
      const inputs = Array.from({ length: arity }, (_, i) => inputOf(call, i))
      const first = inputs[0]!
      const odd = inputs.find(({ element }) => !fits(accepts, element))
      if (odd !== undefined) return refuse('unsupported', `elements of type ${odd.element}`)
      if (spec.mixed !== true && inputs.some(({ element }) => element !== first.element))
        return refuse('bad-graph', 'inputs of different element types')
      const shape = broadcast(...inputs.map((input) => input.shape))
      const differs = inputs.some((input) => !sameShape(input.shape, first.shape))
      if (shape === null || (spec.sameShape === true && differs))
        return refuse('bad-shape', 'the inputs do not stretch to one shape')
      return [{ element: spec.result?.(call) ?? first.element, shape }]
    },
    flop: (call) => sizeOf(call.outputs[0]!),
    reference(call, inputs) {
      const compute = spec.compute(call)
      const { shape } = call.outputs[0]!
      const [x, y, z] = inputs.map((input) => stretched(input!, shape))
      const out = new Float64Array(x!.length)
      for (let i = 0; i < out.length; i++) out[i] = compute(x![i]!, y?.[i] ?? 0, z?.[i] ?? 0)
      return [out]
    },
    lower(call, inputs, build) {
      const { shape, element } = call.outputs[0]!
      const args = inputs.slice(0, arity).map((input) => build.expand(input!, shape))
      const alias = isFloat(inputOf(call, 0).element) ? 'F' : 'I'
      const text = (names: readonly string[]): string =>
        narrowText(element, spec.wgsl(names, alias, call))
      return [build.pointwise(gpuElement(element), args, text, functions)]
    },
    ...(tolerance === undefined ? {} : { tolerance }),
    cases: { ...casesOf(spec, arity), ...spec.cases },
  }
}

/** Integers of fewer than 32 bits wrap around as they would in memory of their own. */
export const narrowText = (element: ElementType, text: string): string => {
  const range = smallRange(element)
  if (range === null) return text
  const unused = unusedBits(element)
  return range[0] < 0
    ? `((${text}) << U(${unused}u)) >> U(${unused}u)`
    : `(${text}) & I(${range[1]})`
}

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 2, -2, 20, -20, 100, -100]

const casesOf = (spec: PointwiseSpec, arity: number): Record<string, (draw: Draw) => Sample> => {
  const { accepts = 'floats', trials = [{}] } = spec
  const drawn = (draw: Draw, shape: readonly number[]): Tensor =>
    accepts === 'bools'
      ? draw.bools(shape)
      : accepts === 'integers'
        ? draw.integers(shape, 1, 20, 'i32')
        : draw.floats(shape, ...(spec.range ?? [-3, 3]))
  const cases: Record<string, (draw: Draw) => Sample> = {
    'one shape': (draw) => {
      const shape = draw.shape(draw.whole(0, 4))
      const inputs = Array.from({ length: arity }, () => drawn(draw, shape))
      return { attributes: draw.pick(trials), inputs }
    },
  }
  if (arity > 1 && spec.sameShape !== true)
    cases['stretched inputs'] = (draw) => {
      const shape = draw.shape(draw.whole(1, 4))
      const inputs = Array.from({ length: arity }, () => drawn(draw, draw.narrowed(shape)))
      return { attributes: draw.pick(trials), inputs }
    }
  if (spec.specials !== false && (accepts === 'floats' || accepts === 'numbers'))
    cases['NaN, infinities and zeros'] = (draw) => {
      const count = SPECIAL.length ** Math.min(2, arity)
      const inputs = Array.from({ length: arity }, (_, i): Tensor => {
        const data = Float32Array.from({ length: count }, (__, at) => {
          return SPECIAL[Math.floor(at / SPECIAL.length ** i) % SPECIAL.length]!
        })
        return { element: 'f32', shape: [count], data }
      })
      return { attributes: draw.pick(trials), inputs }
    }
  return cases
}

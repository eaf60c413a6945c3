/** What both ways of selecting share: a round over candidates of lines, in parts, and what they are ordered by. */
import { gpuElement } from '../tensor.ts'
import { isNan, wgsl } from '../wgsl-math.ts'
import type { Build } from '../build.ts'
import type { Shader } from '../shader.ts'
import type { ElementType, Shape } from '../tensor.ts'
import type { View } from '../view.ts'

export type Order = { readonly element: ElementType; readonly largest: boolean }

export type Round = {
  readonly build: Build
  /** [...outer, all]. */
  readonly x: View
  readonly outer: Shape
  /** How many each part keeps. */
  readonly count: number
  readonly order: Order
  /** Places in the line [...outer, length], those below 0 being none; all of the line if null. */
  readonly candidates: View | null
  readonly length: number
  readonly chunk: number
  readonly chunks: number
}

/** Places [...outer, chunks * count], and what lies there, where one part is all. */
export type Kept = { readonly places: View; readonly values: View | null }

/** Names the place of candidate number `j` of a line, and what it is ordered by. */
export const candidate = (
  { x, candidates, order }: Round,
  shader: Shader,
  line: readonly string[],
  j: string,
): { readonly place: string; readonly key: string } => {
  if (candidates === null)
    return { place: j, key: orderKey(shader, shader.read(x, [...line, j]), order) }
  const place = shader.read(candidates, [...line, j])
  const key = orderKey(shader, shader.read(x, [...line, shader.let(`max(${place}, 0)`)]), order)
  // What is none comes after all others by its place.
  return { place, key: shader.let(`select(0u, ${key}, ${place} >= 0)`) }
}

/** Stores number `i` of what a part keeps. */
export const keep = (
  { x, count }: Round,
  { places, values }: Kept,
  shader: Shader,
  one: { readonly line: readonly string[]; readonly part: string; readonly place: string },
): void => {
  const { line, part, place } = one
  shader.store(places, [...line, shader.let(`${part} * ${count} + i`)], place)
  if (values !== null) shader.store(values, [...line, 'i'], shader.read(x, [...line, place]))
}

/** Names a whole number (u32) that is larger for what comes first; 0 for NaN, which comes last. */
export const orderKey = (shader: Shader, value: string, { element, largest }: Order): string => {
  const isFloat = gpuElement(element) === 'f32'
  const made = isFloat ? FLOAT_KEY : element === 'u32' ? UNSIGNED_KEY : WHOLE_KEY
  shader.use([made])
  const key = shader.let(`${made.name}(${value})`)
  if (largest) return key
  return shader.let(isFloat ? `select(~${key}, 0u, ${key} == 0u)` : `~${key}`)
}

/** Bits in the order of what they mean: a compiler may assume that there is no NaN. */
const FLOAT_KEY = wgsl(
  'float_key',
  `fn float_key(x: f32) -> u32 {
  var bits = bitcast<u32>(x);
  bits = select(bits, 0u, bits == 0x80000000u);
  let key = select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
  return select(key, 0u, is_nan(x));
}`,
  [isNan],
)

const WHOLE_KEY = wgsl(
  'whole_key',
  'fn whole_key(x: i32) -> u32 { return bitcast<u32>(x) ^ 0x80000000u; }',
)

const UNSIGNED_KEY = wgsl(
  'unsigned_key',
  'fn unsigned_key(x: i32) -> u32 { return bitcast<u32>(x); }',
)

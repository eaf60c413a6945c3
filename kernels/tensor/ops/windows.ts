/** Windows that slide over the spatial dimensions: how many there are, and what they look at. */
import { allOf } from '../conditions.ts'
import { intOf, intsOf, textOf } from '../op.ts'
import type { Call } from '../op.ts'
import type { Shape } from '../tensor.ts'
import type { Shader } from '../shader.ts'
import type { Draw } from '../draw.ts'
import type { Attribute } from '../graph.ts'

/** One spatial dimension. Window number o looks at o * stride + k * dilation - before, for k in the kernel. */
export type Window = {
  readonly size: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
  /** How many windows. */
  readonly out: number
}

export const AUTO_PADS: readonly string[] = ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']

export const isSame = (autoPad: string): boolean => autoPad.startsWith('SAME')

/** Attributes that all operators with windows have. */
export const WINDOW_ATTRIBUTES = {
  auto_pad: 'text',
  dilations: 'ints',
  kernel_shape: 'ints',
  pads: 'ints',
  strides: 'ints',
} as const

/** Far beyond what people use, and few enough that nobody is kept busy by one window. */
const MAX_WINDOW = 2 ** 16

/** A list with one number for each dimension, or null where it has another length or a number out of bounds. */
export const perDimension = (
  call: Call,
  name: string,
  length: number,
  { missing, least }: { readonly missing: number; readonly least: number },
): readonly number[] | null => {
  const given = intsOf(call, name) ?? Array.from({ length }, () => missing)
  return given.length === length && given.every((x) => x >= least && x <= MAX_WINDOW) ? given : null
}

/** How far a window reaches. */
export const reach = ({ kernel, dilation }: Pick<Window, 'kernel' | 'dilation'>): number =>
  (kernel - 1) * dilation + 1

/** One for each spatial dimension of `spatial`, or null where the attributes make no sense. */
export const windowsOf = (
  call: Call,
  spatial: Shape,
  kernel: readonly number[],
): readonly Window[] | null => {
  const rank = spatial.length
  const strides = perDimension(call, 'strides', rank, { missing: 1, least: 1 })
  const dilations = perDimension(call, 'dilations', rank, { missing: 1, least: 1 })
  const pads = perDimension(call, 'pads', 2 * rank, { missing: 0, least: 0 })
  const autoPad = textOf(call, 'auto_pad', 'NOTSET')
  if (strides === null || dilations === null || pads === null || !AUTO_PADS.includes(autoPad))
    return null
  if (rank === 0 || kernel.length !== rank || kernel.some((size) => size < 1 || size > MAX_WINDOW))
    return null
  const windows = spatial.map((size, i): Window => {
    const shape = { size, kernel: kernel[i]!, stride: strides[i]!, dilation: dilations[i]! }
    if (isSame(autoPad)) return padded(shape, autoPad)
    const [before, after] = autoPad === 'VALID' ? [0, 0] : [pads[i]!, pads[i + rank]!]
    const room = size + before + after - reach(shape)
    const ceil = intOf(call, 'ceil_mode', 0) !== 0
    const steps = ceil ? Math.ceil(room / shape.stride) : Math.floor(room / shape.stride)
    // A window that would begin behind the input and its pads looks at nothing.
    const extra = ceil && steps * shape.stride >= size + before
    return { ...shape, before, after, out: steps + (extra ? 0 : 1) }
  })
  return windows.every(({ out }) => out >= 1) ? windows : null
}

/** As many windows as strides fit the input, and what they lack as pads on both sides. */
const padded = (
  shape: Pick<Window, 'size' | 'kernel' | 'stride' | 'dilation'>,
  autoPad: string,
): Window => {
  const out = Math.ceil(shape.size / shape.stride)
  const total = Math.max(0, (out - 1) * shape.stride + reach(shape) - shape.size)
  const less = Math.floor(total / 2)
  const before = autoPad === 'SAME_UPPER' ? less : total - less
  return { ...shape, before, after: total - before, out }
}

/** Where window `o` looks with place `k` of its kernel. */
export const lookAt = (windows: readonly Window[], o: Shape, k: Shape): number[] =>
  windows.map(({ stride, dilation, before }, i) => o[i]! * stride + k[i]! * dilation - before)

export const isInside = (windows: readonly Window[], at: readonly number[]): boolean =>
  windows.every(({ size }, i) => at[i]! >= 0 && at[i]! < size)

/** The same in WGSL: coordinates that are always inside, and whether they are the true ones. */
export const lookText = (
  shader: Shader,
  windows: readonly Window[],
  o: readonly string[],
  k: readonly string[],
): { readonly at: readonly string[]; readonly inside: string } => {
  const inside: string[] = []
  const at = windows.map((window, i) => {
    const { size, stride, dilation, before, out } = window
    const place = shader.let(`${o[i]} * ${stride} + ${k[i]} * ${dilation} - ${before}`)
    if (before === 0 && (out - 1) * stride + reach(window) <= size) return place
    inside.push(`${place} >= 0`, `${place} < ${size}`)
    return `clamp(${place}, 0, ${size - 1})`
  })
  return { at, inside: allOf(inside) }
}

/** Attributes by chance that fit an input of these sizes. */
export const drawWindows = (draw: Draw, spatial: Shape): Record<string, Attribute> => {
  const kernel = spatial.map((size) => draw.whole(1, Math.min(3, size)))
  const dilations = spatial.map((size, i) => (kernel[i]! * 2 - 1 <= size ? draw.whole(1, 2) : 1))
  const strides = spatial.map(() => draw.whole(1, 3))
  // No pad may be as large as the kernel, or a window would see nothing else.
  const pads = [...kernel, ...kernel].map((size) => draw.whole(0, size - 1))
  const auto = draw.pick(AUTO_PADS)
  const padding = auto === 'NOTSET' ? { pads } : { auto_pad: auto }
  return { kernel_shape: kernel, dilations, strides, ...padding }
}

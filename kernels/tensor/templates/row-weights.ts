/**
 * Rows of weights as a product of one row, or a few, walks them: a look at memory, or a formula over several looks, as
 * where weights are quantised. What a word has several weights of is read once for all of them, and what rows have in
 * common once for all rows.
 */
import { elements } from '../../kernel.ts'
import { transposeView } from '../view.ts'
import { leavesOf } from '../value.ts'
import type { Build } from '../build.ts'
import type { Shader } from '../shader.ts'
import type { Shape } from '../tensor.ts'
import type { Lazy, Pointwise, RowWeights, Value } from '../value.ts'
import type { View } from '../view.ts'

/** Of [N, K], which products turn; null where vectors of it cannot be read. */
export const rowWeights = (build: Build, weights: Value): RowWeights | null => {
  const lazy = build.lazy(weights)
  if (lazy.kind === 'view') return isInRows(lazy) ? { value: lazy, shared: [1], own: [] } : null
  const formula = lazy.kind === 'deferred' ? lazy.formula : undefined
  if (formula === undefined) return null
  const { shape } = formula
  if (shape[0] !== lazy.shape[0] || shape.length < 2 || shape.at(-1)! % 4 !== 0) return null
  const largest = viewsOf(formula).reduce((a, b) => (sizeIn(b) > sizeIn(a) ? b : a))
  const axes = shape.map((_, i) => i).slice(1)
  const isOwn = (i: number): boolean => i < shape.length - 1 && !dependsOn(largest, i)
  return { value: formula, shared: axes.filter((i) => !isOwn(i)), own: axes.filter(isOwn) }
}

/** Looks of rank 2 whose rows are vectors that lie in memory one after the other. */
const isInRows = ({ shape, strides, offset }: View): boolean =>
  shape.length === 2 && strides[1] === 1 && strides[0]! % 4 === 0 && offset % 4 === 0

export const turnedRows = (view: View): View => {
  const two = { ...view, shape: view.shape.slice(-2), strides: view.strides.slice(-2) }
  return transposeView(two, [1, 0])
}

/** What kernels must have in common to walk their weights together. */
export const formOf = ({ value, shared, own }: RowWeights): string =>
  [value.shape.join(), shared.join(), own.join()].join('/')

export const sharedSize = ({ value, shared }: RowWeights): number =>
  elements(shared.map((i) => value.shape[i]!))

type Walk = {
  readonly walker: string
  readonly walkers: number
  /** Names of the rows that are walked together, of each of the weights. */
  readonly lines: readonly string[]
}

/**
 * Loops over all of a row, four weights at a time; `step` gets where they are in it, and reads them for row number
 * `r` of the weights number `i`.
 */
export const walkRows = (
  shader: Shader,
  all: readonly RowWeights[],
  { walker, walkers, lines }: Walk,
  step: (k: string, read: (i: number, r: number) => string) => void,
): void => {
  const [{ value, shared, own }] = all as readonly [RowWeights]
  const sizes = (axes: readonly number[]): Shape => axes.map((i) => value.shape[i]!)
  const [size, times] = [elements(sizes(shared)), elements(sizes(own))]
  shader.line(`for (var w = ${walker} * 4; w < ${size}; w += ${4 * walkers}) {`)
  const outer = shader.coordinates('w', sizes(shared))
  const at = value.shape.map((_, i) => outer[shared.indexOf(i)] ?? '0')
  const held = all.map((weights) => lines.map((line) => readHeld(shader, weights, line, at)))
  if (times > 1) shader.line(`for (var p = 0; p < ${times}; p++) {`)
  const inner = times > 1 ? shader.coordinates('p', sizes(own)) : []
  const here = at.map((place, i) => inner[own.indexOf(i)] ?? place)
  const common = all.map((weights) => readCommon(shader, weights, here))
  step(placeText(shader, value.shape, here), (i, r) => {
    const found = new Map([...held[i]![r]!, ...common[i]!])
    return shader.read(all[i]!.value, here.with(0, lines[r]!), found)
  })
  if (times > 1) shader.line('}')
  shader.line('}')
}

type Found = ReadonlyMap<Lazy, string>

/** What a row has for itself, and what does not change while an invocation walks by itself. */
const readHeld = (
  shader: Shader,
  { value, own }: RowWeights,
  line: string,
  at: readonly string[],
): Found => {
  const some = viewsOf(value).filter(
    (view) => dependsOn(view, 0) && !own.some((i) => dependsOn(view, i)),
  )
  return new Map(some.map((view) => [view, shader.let(shader.read(view, at.with(0, line)))]))
}

/** What is the same in all rows. */
const readCommon = (shader: Shader, { value }: RowWeights, at: readonly string[]): Found => {
  const some = viewsOf(value).filter((view) => !dependsOn(view, 0))
  return new Map(some.map((view) => [view, shader.let(shader.read(view, at))]))
}

/** In a row, from the place in all dimensions. */
const placeText = (shader: Shader, shape: Shape, at: readonly string[]): string => {
  const terms = at.slice(1).map((place, i) => {
    const step = elements(shape.slice(i + 2))
    return step === 1 ? place : `${place} * ${step}`
  })
  return terms.length === 1 ? terms[0]! : shader.let(terms.join(' + '))
}

const viewsOf = (value: View | Pointwise): readonly View[] =>
  [...leavesOf(value)].filter((leaf) => leaf.kind === 'view')

const dependsOn = ({ shape, strides }: View, axis: number): boolean =>
  strides[axis] !== 0 && shape[axis]! > 1

/** How many different elements it looks at. */
const sizeIn = (view: View): number =>
  elements(view.shape.map((size, i) => (dependsOn(view, i) ? size : 1)))

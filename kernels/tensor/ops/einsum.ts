/** Einsum: products summed over whatever the equation leaves out. Two operands are a product of matrices. */
import { broadcast, isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, textOf } from '../op.ts'
import { matmul } from '../templates/matmul.ts'
import { nest } from '../templates/nest.ts'
import { transposeView } from '../view.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Build } from '../build.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'
import type { View } from '../view.ts'

/** More operands do not fit a kernel's bindings. */
const MAX_INPUTS = 7
const TERM = /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/

/** Labels of each operand and of the result; those that an ellipsis stands for are numbers. */
type Equation = {
  readonly terms: readonly (readonly string[])[]
  readonly result: readonly string[]
  readonly sizes: ReadonlyMap<string, number>
}

const equationOf = (call: Call): Equation | null => {
  const shapes = call.inputs.map((input) => input!.shape)
  const [left, right, ...more] = textOf(call, 'equation', '').replaceAll(' ', '').split('->')
  const words = left!.split(',')
  if (more.length > 0 || words.length !== shapes.length) return null
  if (![...words, right ?? ''].every((word) => TERM.test(word))) return null
  const spare = shapes.map((shape, i) => shape.length - words[i]!.replace('...', '').length)
  const rest = Math.max(0, ...spare)
  const labels = (word: string, dots: number): string[] => {
    const [before, after] = word.split('...') as [string, string | undefined]
    if (after === undefined) return before.split('')
    const between = Array.from({ length: dots }, (_, i) => String(rest - dots + i))
    return [...before.split(''), ...between, ...after.split('')]
  }
  if (spare.some((count, i) => count < 0 || (count > 0 && !words[i]!.includes('...')))) return null
  const terms = words.map((word, i) => labels(word, spare[i]!))
  const result = right === undefined ? implied(terms, rest) : labels(right, rest)
  const sizes = new Map<string, number>()
  for (const [i, term] of terms.entries())
    for (const [axis, label] of term.entries()) {
      const size = broadcast([sizes.get(label) ?? 1], [shapes[i]![axis]!])?.[0]
      if (size === undefined) return null
      sizes.set(label, size)
    }
  const known = new Set(result).size === result.length && result.every((label) => sizes.has(label))
  return known ? { terms, result, sizes } : null
}

/** Without an arrow: what the ellipsis stands for, then labels that occur once, in order. */
const implied = (terms: readonly (readonly string[])[], rest: number): string[] => {
  const all = terms.flat().filter((label) => /[A-Za-z]/.test(label))
  const once = all.filter((label) => all.indexOf(label) === all.lastIndexOf(label))
  return [...Array.from({ length: rest }, (_, i) => String(i)), ...once.toSorted()]
}

const shapeFor = ({ sizes }: Equation, labels: readonly string[]): number[] =>
  labels.map((label) => sizes.get(label)!)

const summed = ({ sizes, result }: Equation): string[] =>
  [...sizes.keys()].filter((label) => !result.includes(label))

/** A look at an operand with one dimension for each of `labels`; a label that occurs twice walks a diagonal. */
const lookOf = (
  view: View,
  own: readonly string[],
  equation: Equation,
  labels: readonly string[],
): View => ({
  ...view,
  shape: shapeFor(equation, labels),
  strides: labels.map((label) =>
    own.reduce((step, each, axis) => {
      return each === label && view.shape[axis] !== 1 ? step + view.strides[axis]! : step
    }, 0),
  ),
})

/** Labels as a product of matrices has them; null where one of them is summed within one operand. */
const matrixLabels = (
  equation: Equation,
): { batch: string[]; rows: string[]; columns: string[]; inner: string[] } | null => {
  const [a, b] = equation.terms
  if (a === undefined || b === undefined || equation.terms.length > 2) return null
  const inner = summed(equation)
  if (!inner.every((label) => a.includes(label) && b.includes(label))) return null
  const { result } = equation
  return {
    batch: result.filter((label) => a.includes(label) && b.includes(label)),
    rows: result.filter((label) => !b.includes(label)),
    columns: result.filter((label) => !a.includes(label)),
    inner,
  }
}

const asMatrices = (build: Build, inputs: readonly Value[], equation: Equation): Lazy | null => {
  const found = matrixLabels(equation)
  if (found === null) return null
  const { batch, rows, columns, inner } = found
  const sizes = (labels: readonly string[]): number => sizeOf({ shape: shapeFor(equation, labels) })
  const side = (i: number, first: readonly string[], second: readonly string[]): Lazy => {
    const labels = [...batch, ...first, ...second]
    const look = lookOf(build.realise(inputs[i]!), equation.terms[i]!, equation, labels)
    return build.reshape(look, [sizes(batch), sizes(first), sizes(second)])
  }
  const order = [...batch, ...rows, ...columns]
  const product = matmul(build, side(0, rows, inner), side(1, inner, columns))
  const apart = build.reshape(product, shapeFor(equation, order))
  const back = equation.result.map((label) => order.indexOf(label))
  return build.move(apart, (view) => transposeView(view, back))
}

export const einsum: Op = {
  name: 'Einsum',
  inputs: [1, MAX_INPUTS],
  attributes: { equation: 'text' },
  infer(call) {
    const { element } = inputOf(call, 0)
    if (
      call.inputs.some((input) => input !== null && input.element !== element) ||
      !isFloat(element)
    )
      return refuse('unsupported', `products of ${element}`)
    const given = { ...call, inputs: call.inputs.filter((input) => input !== null) }
    const equation = equationOf(given)
    if (equation === null) return refuse('bad-shape', 'the equation does not fit the inputs')
    return [{ element, shape: shapeFor(equation, equation.result) }]
  },
  flop(call) {
    const { sizes } = equationOf(present(call))!
    return 2 * [...sizes.values()].reduce((product, size) => product * size, 1)
  },
  reference(call, inputs) {
    const given = inputs.filter((input) => input !== null)
    const equation = equationOf(present(call))!
    const over = summed(equation)
    const all = [...equation.result, ...over]
    return [
      fill(shapeFor(equation, equation.result), (at) => {
        let sum = 0
        fill(shapeFor(equation, over), (rest) => {
          const place = [...at, ...rest]
          const product = given.reduce((found, { data, shape }, i) => {
            const own = equation.terms[i]!.map((label, axis) =>
              shape[axis] === 1 ? 0 : place[all.indexOf(label)]!,
            )
            return found * data[placeOf(shape, own)]!
          }, 1)
          return (sum += product)
        })
        return sum
      }),
    ]
  },
  lower(call, inputs, build) {
    const given = inputs.filter((input) => input !== null)
    const equation = equationOf(present(call))!
    const matrices = asMatrices(build, given, equation)
    if (matrices !== null) return [matrices]
    const over = summed(equation)
    const labels = [...equation.result, ...over]
    const looks = given.map((input, i) => {
      return lookOf(build.realise(input), equation.terms[i]!, equation, labels)
    })
    return [
      nest(build, {
        element: 'f32',
        shape: call.outputs[0]!.shape,
        inputs: looks,
        over: {
          sizes: shapeFor(equation, over),
          combine: { initial: '0.0', step: (sum, term) => `${sum} + ${term}` },
        },
        body: ({ shader, out, over: rest, inputs: views }) =>
          views.map((view) => shader.read(view, [...out, ...rest])).join(' * '),
      }),
    ]
  },
  cases: Object.fromEntries(
    [
      ['ij,jk->ik', [3, 4], [4, 5]],
      ['bij, bjk -> bik', [2, 3, 4], [2, 4, 5]],
      ['...ii ->...i', [2, 3, 3]],
      ['i,i', [5], [5]],
      ['ij->i', [3, 4]],
      ['ij->ji', [3, 4]],
      ['...ij,...jk', [2, 1, 3, 4], [5, 4, 2]],
      ['bhqd,bkhd->bhqk', [2, 2, 3, 4], [2, 5, 2, 4]],
      ['ab,bc,cd->ad', [2, 3], [3, 4], [4, 2]],
      ['ij,kl->', [2, 3], [3, 2]],
    ].map(([equation, ...shapes]) => [
      equation as string,
      (draw) => ({
        attributes: { equation: equation as string },
        inputs: (shapes as Shape[]).map((shape) => draw.floats(shape)),
      }),
    ]),
  ) as Op['cases'],
}

const present = (call: Call): Call => ({
  ...call,
  inputs: call.inputs.filter((input) => input !== null),
})

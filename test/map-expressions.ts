/** Map programs of every kind, for the tests of the language on the CPU and of its ranges on a GPU. */
import fc from 'fast-check'
import { FUNCTIONS } from '../kernels/map-operations.ts'

/** Expressions over x, y, i and some numbers, at most five deep. */
export const mapExpressions = fc.letrec<{ num: string; bool: string }>((tie) => ({
  num: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'tree' },
    fc.constantFrom('x', 'y', 'i', '0.5', '2', '3.25'),
    fc
      .tuple(tie('num'), fc.constantFrom('+', '-', '*', '/', '%'), tie('num'))
      .map(([a, sign, b]) => `(${a} ${sign} ${b})`),
    fc
      .tuple(fc.constantFrom(...FUNCTIONS.keys()), tie('num'), tie('num'), tie('num'), tie('bool'))
      .map(([name, a, b, c, condition]) => {
        const { takes } = FUNCTIONS.get(name)!
        const args = takes.map((type, at) => (type === 'bool' ? condition : [a, b, c][at]))
        return `${name}(${args.join(', ')})`
      }),
  ),
  bool: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'tree' },
    fc
      .tuple(tie('num'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('num'))
      .map(([a, sign, b]) => `${a} ${sign} ${b}`),
    fc
      .tuple(tie('bool'), fc.constantFrom('&&', '||'), tie('bool'))
      .map(([a, sign, b]) => `((${a}) ${sign} (${b}))`),
    tie('bool').map((a) => `!(${a})`),
  ),
})).num

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { largest } from './largest.ts'

const values = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ noNaN: true })), {
  maxLength: 400,
})

test('the largest of numbers are those that come first when all are put in order', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: 300 }), (all, count) => {
      const order = all.map((_, i) => i).sort((a, b) => compare(all[b]!, all[a]!) || a - b)
      expect([...largest(all, count)]).toEqual(order.slice(0, count))
    }),
  )
})

const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

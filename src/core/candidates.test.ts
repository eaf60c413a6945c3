import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candidateBytes, CANDIDATES_MAX, likeliest, readCandidates } from './candidates.ts'

const logit = fc.oneof(fc.float(), fc.constantFrom(0, -0, 1, NaN, Infinity, -Infinity))

/** By their definition: whoever has fewer before it comes first. */
const plainly = (logits: Float32Array): number[] => {
  const isBefore = (a: number, b: number): boolean => {
    const [x, y] = [logits[a]!, logits[b]!]
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? Number.isNaN(y) && a < b : true
    return x > y || (x === y && a < b)
  }
  const ids = [...logits.keys()]
  return ids.toSorted(
    (a, b) =>
      ids.filter((id) => isBefore(id, a)).length - ids.filter((id) => isBefore(id, b)).length,
  )
}

describe('the likeliest', () => {
  it('are the largest, of equal ones the first, and what is no number last', () => {
    const isRight = fc.property(
      fc.array(logit, { maxLength: 40 }),
      fc.constantFrom(1, 2, 7, CANDIDATES_MAX, CANDIDATES_MAX + 1),
      (numbers, count) => {
        const logits = Float32Array.from(numbers)
        const { ids, logits: found } = likeliest(logits, count)
        expect([...ids]).toEqual(plainly(logits).slice(0, count))
        expect([...found]).toEqual([...ids].map((id) => logits[id]!))
      },
    )
    fc.assert(isRight)
  })

  it('are the same whether few or many are asked for', () => {
    const logits = Float32Array.from({ length: 3_000 }, (_, i) => Math.round(40 * Math.sin(i * i)))
    const all = likeliest(logits, logits.length)
    for (const count of [1, 40, CANDIDATES_MAX])
      expect(likeliest(logits, count)).toEqual({
        ids: all.ids.slice(0, count),
        logits: all.logits.slice(0, count),
      })
  })
})

describe('what a stranger says of the likeliest', () => {
  const sent = (...pairs: readonly (readonly [number, number])[]): Uint8Array =>
    candidateBytes({
      ids: Uint32Array.from(pairs, ([id]) => id),
      logits: Float32Array.from(pairs, ([, x]) => x),
    })

  it('is read as it was sent, from any byte on', () => {
    const of = likeliest(Float32Array.of(1, 3, -2, 2.5, 3), 4)
    const bytes = candidateBytes(of)
    expect([...bytes.subarray(0, 8)]).toEqual([0, 0, 64, 64, 1, 0, 0, 0])
    const moved = new Uint8Array(bytes.length + 1)
    moved.set(bytes, 1)
    expect(readCandidates(moved.subarray(1), 5)).toEqual(of)
  })

  it.each([
    ['a token beyond the vocabulary', sent([1, 3], [5, 2])],
    ['a token twice', sent([1, 3], [2, 2], [1, 1])],
    ['the same twice', sent([1, 3], [1, 3])],
    ['a less likely one first', sent([1, 2], [2, 3])],
    ['the larger number of two alike first', sent([2, 3], [1, 3])],
    ['no number behind another', sent([1, 3], [2, Number.NaN])],
    ['no number before another', sent([1, Number.NaN], [2, 3])],
  ])('is nothing where it names %s', (_, bytes) => {
    expect(readCandidates(bytes, 5)).toBeNull()
  })
})

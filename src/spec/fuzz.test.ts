import { expect, it } from 'vitest'
import { readMutants } from '../../test/spec-mutants.ts'

it('a mutated spec is read or refused in words, twenty thousand times, and never thrown over', () => {
  const { codes, troubles } = readMutants(0, 20_000)
  expect(troubles).toEqual([])
  // Mutations that are all refused for one reason would prove little.
  expect(codes.get('ok')).toBeGreaterThan(600)
  expect(codes.size).toBeGreaterThanOrEqual(12)
})

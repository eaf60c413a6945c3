/** Ten times more mutated specs than a decoder is asked to withstand: SPEC_MUTANTS (1,000,000) of them. */
import { expect, it } from 'vitest'
import { readMutants } from '../spec-mutants.ts'

const MUTANTS = Number(process.env['SPEC_MUTANTS'] ?? 1_000_000)

it(`${MUTANTS} mutated specs are read or refused in words`, () => {
  expect(readMutants(0, MUTANTS).troubles).toEqual([])
})

import { expect, it } from 'vitest'
import { BROWSER_BUDGET, constructionBudget } from './budget.ts'

const MINUTE = 60_000

it('gives a page twelve connections at once, then six a minute, and 400 in its life', () => {
  const budget = constructionBudget(BROWSER_BUDGET, 0)
  const now = Array.from({ length: 30 }, () => budget.take(0, true)).filter(Boolean).length
  expect(now).toBe(12)
  const nextMinute = Array.from({ length: 30 }, () => budget.take(MINUTE, true)).filter(
    Boolean,
  ).length
  expect(nextMinute).toBe(6)
  let taken = now + nextMinute
  for (let minute = 2; minute < 1_000; minute++) {
    while (budget.take(minute * MINUTE, true)) taken += 1
  }
  expect(taken).toBe(400)
})

it('lets others use three quarters, and keeps the rest for calls of our own', () => {
  const budget = constructionBudget(BROWSER_BUDGET, 0)
  const theirs = Array.from({ length: 30 }, () => budget.take(0, false)).filter(Boolean).length
  expect(theirs).toBe(9)
  expect(budget.take(0, true)).toBe(true)
  let inLife = theirs
  for (let minute = 1; minute < 1_000; minute++) {
    while (budget.take(minute * MINUTE, false)) inLife += 1
  }
  expect(inLife + 1).toBe(300)
  expect(budget.take(1_001 * MINUTE, true)).toBe(true)
})

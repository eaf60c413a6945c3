import { describe, expect, it } from 'vitest'
import { cid, did, jobId, taskId } from '../base/ids.ts'
import { microCredits, ms } from '../base/units.ts'
import { agreement, openRun, type JobRun, type Passed } from './dispatch.ts'
import type { Job } from './job.ts'
import { plan } from './plan.ts'

const job: Job = {
  v: 1,
  spec: cid('bafyspec'),
  name: 'sum',
  program: { kind: 'sum', length: 1_000 },
  inputs: [{ name: 'x', cid: cid('bafyx'), dtype: 'f32', shape: [1_000] }],
  needs: { adapter: 'any', memoryBytes: 2 ** 26 },
  redundancy: 2,
  deadlineMs: ms(60_000),
  budget: microCredits(0),
  privacy: 'public',
  tile: 0,
}

const runOf = (): JobRun => {
  const planned = plan(job)
  if (!planned.ok) throw new Error(planned.error.what)
  const name = (index: number) => taskId(`bafytask${index}`)
  return openRun(jobId('bafyjob'), job, planned.value, name, new Set(), 0, ms(0))
}

/** A result of somebody; `equals` where it counts as the same as another's. */
const passed = (who: string, output: string, equals = output): Passed => ({
  lease: who.length,
  node: did(who),
  attempt: 1,
  price: microCredits(1),
  output: cid(output),
  equals: cid(equals),
  check: 'replicas',
  computeMs: 1,
  elapsedMs: 1,
})

const agreed = (exact: boolean, ...results: Passed[]): string[] | null => {
  const run = runOf()
  const task = run.tasks[0]!
  task.passed.push(...results)
  return agreement(run, task, exact)?.map(({ node }) => node) ?? null
}

describe('agreement of two', () => {
  it('takes the results that are the same to the bit, and leaves mallory out', () => {
    expect(agreed(true, passed('alice', 'bafyone'), passed('mallory', 'bafytwo'))).toBe(null)
    const three = [
      passed('alice', 'bafyone'),
      passed('mallory', 'bafytwo'),
      passed('bob', 'bafyone'),
    ]
    expect(agreed(true, ...three)).toEqual(['alice', 'bob'])
  })

  it('takes floats that differ in their last places for the same, where the requester found them so', () => {
    const close = passed('bob', 'bafyother', 'bafyone')
    expect(agreed(true, passed('alice', 'bafyone'), close)).toEqual(['alice', 'bob'])
  })

  it('takes any two where each has passed a check of its own', () => {
    expect(agreed(false, passed('alice', 'bafyone'), passed('bob', 'bafytwo'))).toEqual([
      'alice',
      'bob',
    ])
    expect(agreed(false, passed('alice', 'bafyone'))).toBe(null)
  })
})

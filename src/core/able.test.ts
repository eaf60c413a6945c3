import { describe, expect, it } from 'vitest'
import { bob } from '../../test/people.ts'
import { job, mandelbrot, planned } from '../../test/plan-jobs.ts'
import { jobId, taskId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { ms } from '../base/units.ts'
import { mayWork } from './able.ts'
import { openRun } from './dispatch.ts'
import type { Job } from './job.ts'
import { emptySwarm, type Skills } from './swarm-state.ts'

const pictures = job(mandelbrot(64, 64), {}, { tile: 32 })
const shader = {
  kind: 'wgsl',
  source: `
struct Params { offset: u32, items: u32, first: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) { result[params.offset + gid.x] = 1u; }`,
  items: 100,
  itemLength: 1,
  iterations: 0,
  output: 'u32',
  constants: [],
} as const
const own = job(shader, {}, { redundancy: 2 })
const bobs: Skills = { node: bob.did, adapter: 'cpu', memoryBytes: 2 ** 28, wgsl: false }

/** Whether bob may work on what is left when the first `done` tasks are. */
const may = (of: Job, is: Partial<Skills> = {}, trust = 0.3, done = 0): boolean => {
  const state = emptySwarm(prng(1))
  const accepted = new Set(Array.from({ length: done }, (_, index) => index))
  const name = (index: number) => taskId(`bafytask${index}`)
  const run = openRun(jobId('bafyjob'), of, planned(of), name, accepted, 0, ms(0))
  state.runs.set(run.id, run)
  const standing = { trust: () => trust, pheromone: () => 1 }
  return mayWork(state, standing, ms(0))({ ...bobs, ...is })
}

describe('bob may work for alice', () => {
  it('on what any device can do', () => {
    expect(may(pictures)).toBe(true)
  })

  it('until nothing is left', () => {
    expect(may(pictures, {}, 0.3, 3)).toBe(true)
    expect(may(pictures, {}, 0.3, 4)).toBe(false)
  })

  it.each([
    ['gpu', 'cpu', false],
    ['gpu', 'software', false],
    ['gpu', 'gpu', true],
    ['webgpu', 'cpu', false],
    ['webgpu', 'software', true],
  ] as const)('on a job that needs %s with %s: %s', (adapter, his, expected) => {
    const needs = { adapter, memoryBytes: 2 ** 28 }
    expect(may({ ...pictures, needs }, { adapter: his })).toBe(expected)
  })

  it('where the smallest task that is left fits into his memory', () => {
    const least = planned(pictures).tasks[0]!.bytes
    expect(may(pictures, { memoryBytes: least })).toBe(true)
    expect(may(pictures, { memoryBytes: least - 1 })).toBe(false)
  })

  it('on her own shader where he lets strangers’ shaders run', () => {
    expect(may(own, { wgsl: true })).toBe(true)
    expect(may(own)).toBe(false)
  })

  it('unless she caught him, or asks for trust that he has not earned', () => {
    expect(may(pictures, {}, 0)).toBe(false)
    expect(may({ ...pictures, privacy: 'trusted' }, {}, 0.4)).toBe(false)
    expect(may({ ...pictures, privacy: 'trusted' }, {}, 0.6)).toBe(true)
  })
})

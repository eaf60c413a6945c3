import { describe, expect, it } from 'vitest'
import type { JobId } from '../base/ids.ts'
import { cid } from '../base/ids.ts'
import { microCredits, ms } from '../base/units.ts'
import type { Job } from '../core/job.ts'
import { plan } from '../core/plan.ts'
import { cidOf } from '../wire/codec.ts'
import type { HeadOf } from '../wire/messages.ts'
import { appraise } from './held.ts'
import { taskIdOf } from './running-job.ts'

const shader = (body: string): string => `
struct Params { offset: u32, items: u32, first: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) { ${body} }`

const job: Job = {
  v: 1,
  spec: cid('bafyspec'),
  name: 'own',
  program: {
    kind: 'wgsl',
    source: shader('result[params.offset + gid.x] = params.first + gid.x;'),
    items: 300,
    itemLength: 1,
    iterations: 0,
    output: 'u32',
    constants: [],
  },
  inputs: [],
  needs: { adapter: 'any', memoryBytes: 2 ** 26 },
  redundancy: 2,
  deadlineMs: ms(60_000),
  budget: microCredits(0),
  privacy: 'public',
  tile: 100,
}
const planned = plan(job)
if (!planned.ok) throw new Error(planned.error.what)
const task = planned.value.tasks[1]!

/** Alice's offer of a task with her own shader in it. */
const offer = (source?: string): HeadOf<'offer'> => ({
  k: 'offer',
  lease: 1,
  job: cidOf(job) as JobId,
  task: taskIdOf(cidOf(job) as JobId, task),
  attempt: 1,
  title: 'own',
  kernel: task.kernel,
  params: {
    ...task.params,
    ...(source === undefined ? {} : { source }),
  } as HeadOf<'offer'>['params'],
  reads: [],
  microCredits: 0,
  deadlineMs: 60_000,
})

describe("a stranger's shader in an offer", () => {
  it('is metered by bob as alice planned it, where he allows such', () => {
    const { flop, bytes, microCredits: cost } = task
    expect(appraise(offer(), true)).toMatchObject({ flop, bytes, cost, memoryBytes: 400 })
  })

  it('is refused by name where the owner does not allow any, good or bad', () => {
    expect(appraise(offer(), false)).toBe('wgsl-not-allowed')
    expect(appraise(offer('while'), false)).toBe('wgsl-not-allowed')
  })

  it('is no task when mallory has put in what admission refuses', () => {
    for (const body of ['result[0] = result[1];', 'workgroupBarrier();', 'main(gid);', '}}']) {
      expect(appraise(offer(shader(body)), true), body).toBe('bad-task')
    }
  })
})

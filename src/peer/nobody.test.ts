import { describe, expect, it } from 'vitest'
import { alice, bob, carol } from '../../test/people.ts'
import { job, mandelbrot } from '../../test/plan-jobs.ts'
import { microCredits } from '../base/units.ts'
import type { Job } from '../core/job.ts'
import { whyNobody } from './nobody.ts'
import type { NodeView, View } from './view.ts'

const node = ({ did: account, peer }: typeof alice, change: Partial<NodeView> = {}): NodeView => ({
  account,
  peer,
  adapter: 'software',
  f32: 9,
  state: 'ready',
  link: 'direct',
  rttMs: 4,
  queued: 0,
  wgsl: false,
  trust: 0,
  accepted: 0,
  rejected: 0,
  self: false,
  ...change,
})
const self = node(alice, { self: true, wgsl: true, adapter: 'gpu', trust: 1 })

const own = {
  kind: 'wgsl',
  source: '',
  items: 1,
  itemLength: 1,
  iterations: 1,
  output: 'u32',
  constants: [],
} as const

const asked = (
  others: readonly NodeView[],
  change: Partial<Job>,
  balance = 0,
  program: Job['program'] = mandelbrot(8, 8),
): string | null => {
  const wallet = { balance: microCredits(balance) } as View['wallet']
  const reachability = { kind: 'reachable', relay: '' } as const
  const seen = { nodes: [self, ...others], wallet, reachability }
  return whyNobody(seen, { ...job(program), ...change })
}

describe('why nobody comes to alice', () => {
  it.each<[string, string | null, string | null]>([
    ['nobody lends', asked([], {}), 'no other node lends'],
    ['bob has paused', asked([node(bob, { state: 'paused' })], {}), 'no other node lends'],
    [
      'she wants a GPU',
      asked([node(bob)], { needs: { adapter: 'gpu', memoryBytes: 1 } }),
      'of the nodes there (1) none has a GPU',
    ],
    [
      'she wants WebGPU',
      asked([node(bob, { adapter: 'cpu' })], { needs: { adapter: 'webgpu', memoryBytes: 1 } }),
      'none has WebGPU',
    ],
    [
      'nobody allows her shader',
      asked([node(bob), node(carol)], { redundancy: 2 }, 0, own),
      'of the nodes there (2) none runs shaders of others',
    ],
    [
      'only bob allows her shader',
      asked([node(bob, { wgsl: true }), node(carol)], { redundancy: 2 }, 0, own),
      'from 2 different nodes, and only one node may do it',
    ],
    ['she trusts nobody yet', asked([node(bob)], { privacy: 'trusted' }), 'none is trusted'],
    ['she has no credits', asked([node(bob)], { budget: microCredits(5) }), 'no credits'],
    ['nothing speaks against it', asked([node(bob)], { budget: microCredits(5) }, 1), null],
    ['she asks for free work', asked([node(bob)], {}), null],
    [
      'both allow her shader',
      asked([node(bob, { wgsl: true }), node(carol, { wgsl: true })], { redundancy: 2 }, 0, own),
      null,
    ],
    [
      'she does not reach the relay',
      whyNobody(
        {
          nodes: [self],
          wallet: { balance: microCredits(0) } as View['wallet'],
          reachability: { kind: 'no-relay', detail: 'refused' },
        },
        job(mandelbrot(8, 8)),
      ),
      'the relay cannot be reached',
    ],
  ])('is said where %s', (_, said, expected) => {
    if (expected === null) expect(said).toBe(null)
    else expect(said).toContain(expected)
  })
})

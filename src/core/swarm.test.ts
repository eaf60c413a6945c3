import { describe, expect, it } from 'vitest'
import { bob, carol, mallory } from '../../test/people.ts'
import { job, mandelbrot, planned } from '../../test/plan-jobs.ts'
import { cid, jobId, taskId, type Did } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { microCredits, ms } from '../base/units.ts'
import { LEASE_LIMITS, openRun } from './dispatch.ts'
import type { Job } from './job.ts'
import { SERVE_LIMITS } from './serve.ts'
import { step } from './swarm.ts'
import { emptySwarm, newcomer, type Skills, type SwarmEffect } from './swarm-state.ts'

let funds = Number.POSITIVE_INFINITY
const standing = { trust: () => 0.5, pheromone: () => 1, funds: () => funds }
/** A hundred pictures' pieces, all of one size. */
const pictures = job(mandelbrot(320, 320), {}, { tile: 32, budget: microCredits(1_000_000) })
const COST = planned(pictures).tasks[0]!.microCredits

const skills = (node: Did, change: Partial<Skills> = {}): Skills => ({
  node,
  adapter: 'cpu',
  memoryBytes: 2 ** 28,
  wgsl: false,
  ...change,
})

/** A requester with one job, and what it says to whom. */
const requester = (of: Job = pictures) => {
  const state = emptySwarm(prng(7))
  const run = openRun(
    jobId('bafyjob'),
    of,
    planned(of),
    (index) => taskId(`bafytask${index}`),
    new Set(),
    0,
    ms(0),
  )
  let at = 0
  const feed = (event: Parameters<typeof step>[1]): SwarmEffect[] =>
    step(state, event, ms(at), standing)
  const offersIn = (effects: readonly SwarmEffect[]) =>
    effects.flatMap((effect) => (effect.kind === 'offer' ? [effect] : []))
  feed({ kind: 'opened', run })
  return {
    state,
    run,
    feed,
    later: (by: number): void => void (at += by),
    joins: (node: Did): SwarmEffect[] => feed({ kind: 'node', node: newcomer(skills(node), 1) }),
    /** A node says how fast it is; gives the offers that follow. */
    answers: (node: Did, tasksPerSecond: number, willing = true) =>
      offersIn(
        feed({
          kind: 'load',
          node,
          queued: 0,
          speed: tasksPerSecond * COST,
          price: 1_000,
          willing,
        }),
      ),
    /** A good result of the oldest lease of a node; gives the offers that follow. */
    delivers(node: Did) {
      const { lease } = [...state.leases.values()].find((held) => held.lease.node === node)!
      feed({ kind: 'accepted', node, lease: lease.id })
      feed({ kind: 'committed', node, lease: lease.id })
      const output = cid('bafyoutput')
      const kind = 'passed'
      const result = { kind, lease: lease.id, output, equals: output } as const
      return offersIn(feed({ ...result, check: 'bit-equality', exact: true, computeMs: 16 }))
    },
    holds: (node: Did): number => state.nodes.get(node)?.inFlight ?? 0,
  }
}

describe('a node that does short tasks', () => {
  it('is given two at first, and more at a time after each good result', () => {
    const alices = requester()
    alices.joins(bob.did)
    expect(alices.answers(bob.did, 1_000)).toHaveLength(LEASE_LIMITS.perNode)
    for (const more of [1, 2, 3]) {
      alices.delivers(bob.did)
      expect(alices.holds(bob.did)).toBe(LEASE_LIMITS.perNode + more)
    }
  })

  it('is given no more than it says it does in a quarter second', () => {
    const alices = requester()
    alices.joins(bob.did)
    alices.answers(bob.did, 20)
    for (let i = 0; i < 20; i++) {
      alices.delivers(bob.did)
      alices.feed({ kind: 'settled', node: bob.did })
    }
    expect(alices.holds(bob.did)).toBe(5)
  })

  it('is given two of the long ones, however good it is', () => {
    const alices = requester()
    alices.joins(bob.did)
    alices.answers(bob.did, 1)
    for (let i = 0; i < 20; i++) {
      alices.delivers(bob.did)
      alices.feed({ kind: 'settled', node: bob.did })
    }
    expect(alices.holds(bob.did)).toBe(LEASE_LIMITS.perNode)
  })

  it('is never given more than the most, whatever it says', () => {
    const alices = requester()
    alices.joins(mallory.did)
    alices.answers(mallory.did, 1e12)
    for (let i = 0; i < 60; i++) {
      alices.delivers(mallory.did)
      alices.feed({ kind: 'settled', node: mallory.did })
      expect(alices.holds(mallory.did)).toBeLessThanOrEqual(LEASE_LIMITS.perNodeMost)
    }
    expect(alices.holds(mallory.did)).toBe(LEASE_LIMITS.perNodeMost)
  })

  it('begins anew with two after it failed', () => {
    const alices = requester()
    alices.joins(bob.did)
    alices.answers(bob.did, 1_000)
    for (let i = 0; i < 6; i++) alices.delivers(bob.did)
    const [held] = alices.state.leases.values()
    alices.feed({ kind: 'failed', node: bob.did, lease: held!.lease.id, code: 'cancelled' })
    expect(alices.state.nodes.get(bob.did)?.ahead).toBe(LEASE_LIMITS.perNode)
  })
})

describe('a node that says it has enough', () => {
  const refuse = (alices: ReturnType<typeof requester>, code: string): SwarmEffect[] => {
    const { lease } = [...alices.state.leases.values()].at(-1)!
    return alices.feed({ kind: 'refused', node: bob.did, lease: lease.id, code })
  }

  it.each(['busy', 'no-credit'])(
    '(%s) goes on with what it has, and gets no more than that',
    (code) => {
      const alices = requester()
      alices.joins(bob.did)
      alices.answers(bob.did, 1_000)
      for (let i = 0; i < 6; i++) alices.delivers(bob.did)
      const before = alices.holds(bob.did)
      expect(refuse(alices, code).filter(({ kind }) => kind === 'offer')).toEqual([])
      expect(alices.holds(bob.did)).toBe(before - 1)
      expect(alices.state.nodes.get(bob.did)?.restUntil).toBe(0)
      expect(alices.run.queue.length).toBeGreaterThan(0)
      expect(alices.delivers(bob.did).length).toBeGreaterThan(0)
    },
  )

  it('though it has nothing of ours, is left alone for a while', () => {
    const alices = requester()
    alices.joins(bob.did)
    alices.answers(bob.did, 1_000)
    while (alices.holds(bob.did) > 0) refuse(alices, 'busy')
    expect(alices.state.nodes.get(bob.did)?.restUntil).toBe(LEASE_LIMITS.restMs)
  })
})

describe('a node that has not countersigned', () => {
  it('works for alice no further on credit than it would, and goes on once it has', () => {
    const alices = requester()
    alices.joins(bob.did)
    alices.answers(bob.did, 1_000)
    let results = 0
    while (alices.holds(bob.did) > 0) {
      alices.delivers(bob.did)
      results += 1
    }
    expect(results).toBe(SERVE_LIMITS.unpaidPerRequester)
    expect(alices.run.queue.length).toBeGreaterThan(0)
    alices.feed({ kind: 'settled', node: bob.did })
    expect(alices.holds(bob.did)).toBe(1)
  })

  it('is owed nothing for what was free', () => {
    const alices = requester({ ...pictures, budget: microCredits(0) })
    alices.joins(bob.did)
    alices.answers(bob.did, 1_000)
    for (let i = 0; i < 40; i++) alices.delivers(bob.did)
    expect(alices.holds(bob.did)).toBeGreaterThan(0)
  })
})

describe('a node that takes a task and only says that it is alive', () => {
  /** Bob beats every two seconds until his lease ends; gives when that was, and what was said then. */
  const beats = (speed: number, queued = 0, others: readonly Did[] = []) => {
    const alices = requester(job(mandelbrot(32, 32), {}, { tile: 32, deadlineMs: ms(3_600_000) }))
    const load = { kind: 'load', queued, speed, price: 1_000, willing: true } as const
    alices.joins(bob.did)
    alices.feed({ ...load, node: bob.did })
    const { task, lease } = [...alices.state.leases.values()][0]!
    for (const node of others) {
      alices.joins(node)
      alices.feed({ ...load, node, queued: 0, speed: 1_000 })
    }
    alices.feed({ kind: 'accepted', node: bob.did, lease: lease.id })
    let elsewhere: number | null = null
    for (let at = 2_000; at <= 3_600_000; at += 2_000) {
      alices.later(2_000)
      const effects = others.flatMap((node) =>
        alices.feed({ ...load, node, queued: 0, speed: 1_000 }),
      )
      const beat = alices.feed({ kind: 'beat', node: bob.did, lease: lease.id, permille: 1 })
      effects.push(...beat)
      for (const { id, node } of task.leases.filter((each) => each.node !== bob.did)) {
        elsewhere ??= at
        effects.push(...alices.feed({ kind: 'accepted', node, lease: id }))
        effects.push(...alices.feed({ kind: 'beat', node, lease: id, permille: 1 }))
      }
      const overdue = effects.filter((each) => each.kind === 'overdue' && each.node === bob.did)
      if (overdue.length > 0) return { at, elsewhere, overdue, task }
    }
    throw new Error('for ever')
  }
  const { microCredits: cost } = planned(job(mandelbrot(32, 32), {}, { tile: 32 })).tasks[0]!

  it('loses it after the time it needs for it, four times over, and is to blame', () => {
    const { at, overdue, task } = beats(1)
    const needs = (1_000 * cost) / LEASE_LIMITS.slowest
    const most = LEASE_LIMITS.inputsMs + LEASE_LIMITS.patience * needs
    expect(at).toBeGreaterThanOrEqual(most)
    expect(at).toBeLessThan(most + 4_000)
    expect(overdue).toEqual([{ kind: 'overdue', node: bob.did, task }])
    expect(task.why).toBe('overdue')
  })

  it('gains no more than sixteen tasks of that size by saying that it has much to do', () => {
    expect(beats(1_000, Number.MAX_SAFE_INTEGER).at).toBeLessThanOrEqual(
      LEASE_LIMITS.inputsMs + (4 * 17 * 1_000 * cost) / 1_000 + 4_000,
    )
  })

  it('does not hold it up: somebody else gets it as well, though nobody has done any yet', () => {
    const { elsewhere } = beats(1_000, 0, [carol.did])
    expect(elsewhere).toBeLessThanOrEqual(LEASE_LIMITS.stragglerMs + 2_000)
  })

  it('and keeps a result back that it has committed to is to blame as well', () => {
    const alices = requester()
    alices.joins(bob.did)
    alices.answers(bob.did, 1_000)
    const { lease, task } = [...alices.state.leases.values()][0]!
    alices.feed({ kind: 'accepted', node: bob.did, lease: lease.id })
    alices.feed({ kind: 'committed', node: bob.did, lease: lease.id })
    alices.later(LEASE_LIMITS.resultMs)
    const effects = alices.feed({ kind: 'beat', node: bob.did, lease: lease.id, permille: 1 })
    expect(effects).toContainEqual({ kind: 'overdue', node: bob.did, task })
  })
})

describe('an account', () => {
  it('offers no more at a time than it can pay, and ends the job when that is spent', () => {
    funds = 2 * COST + 1
    const alices = requester()
    for (const node of [bob.did, carol.did]) {
      alices.joins(node)
      alices.answers(node, 1_000)
    }
    expect(alices.holds(bob.did) + alices.holds(carol.did)).toBe(2)
    expect(alices.run.phase).toBe('running')
    for (const [node] of [[bob.did], [bob.did]] as const) {
      alices.delivers(node)
      funds -= COST
    }
    alices.feed({ kind: 'settled', node: bob.did })
    expect(alices.run.accepted).toBe(2)
    expect([alices.run.phase, alices.run.problem?.code]).toEqual(['failed', 'no-credit'])
    funds = Number.POSITIVE_INFINITY
  })
})

describe('a question about load', () => {
  const probes = (effects: readonly SwarmEffect[]): Did[] =>
    effects.flatMap((effect) => (effect.kind === 'probe' ? [effect.node] : []))

  it('is asked once, however many tasks wait for the answer', () => {
    const alices = requester()
    expect(probes(alices.joins(bob.did))).toEqual([bob.did])
    expect(probes(alices.joins(carol.did)).filter((node) => node === bob.did)).toEqual([])
    expect(alices.answers(bob.did, 1_000)).toHaveLength(LEASE_LIMITS.perNode)
  })

  it('that is answered late still ends the rest that silence began', () => {
    const alices = requester()
    alices.joins(bob.did)
    alices.later(1_000)
    alices.feed({ kind: 'tick' })
    expect(alices.state.nodes.get(bob.did)?.restUntil).toBeGreaterThan(1_000)
    expect(alices.answers(bob.did, 1_000)).toHaveLength(LEASE_LIMITS.perNode)
  })

  it('does not end the rest of a node that failed', () => {
    const alices = requester()
    alices.joins(bob.did)
    alices.answers(bob.did, 1_000)
    const [held] = alices.state.leases.values()
    alices.feed({ kind: 'failed', node: bob.did, lease: held!.lease.id, code: 'device-lost' })
    expect(alices.answers(bob.did, 1_000)).toEqual([])
  })
})

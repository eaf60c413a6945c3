import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { donate, jobView, LIMITS, tiles, view, working } from '../../test/ui/fixtures.ts'
import { stillServices, stillShell } from '../../test/ui/stand-ins.ts'
import { ms } from '../base/units.ts'
import type { JobView, NodeHandle, View } from '../peer/view.ts'
import type { Booted, Shell } from './services.ts'
import { Swarm } from './swarm.svelte.ts'

/** A node whose view the test sets, and that writes down what it is asked. */
const puppet = (first: View) => {
  let now = first
  let then: () => void = () => undefined
  const asked: string[] = []
  const note =
    (what: string) =>
    (...rest: unknown[]): void =>
      void asked.push([what, ...rest.map((one) => JSON.stringify(one))].join(' '))
  const node: NodeHandle = {
    view: () => now,
    watch: (call) => {
      then = call
      return () => (then = () => undefined)
    },
    start: note('start'),
    pause: note('pause'),
    resume: note('resume'),
    finish: note('finish'),
    stop: note('stop'),
    setLimits: note('setLimits'),
    limits: () => LIMITS,
    condition: note('condition'),
    submit: () => first.jobs[0]!.id,
    cancel: note('cancel'),
    resumeJob: note('resumeJob'),
    forgetJob: note('forgetJob'),
    output: () => null,
    talk: () => '',
    stopTalk: note('stopTalk'),
    close: async () => undefined,
  }
  const show = (next: View): void => {
    now = next
    then()
  }
  return { node, asked, show }
}
const shellWith = (change: Partial<Shell> = {}): Shell => ({ ...stillShell({}), ...change })
const booted =
  (node: NodeHandle): (() => Promise<Booted>) =>
  async () => ({ kind: 'node', node, services: stillServices({}) })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the view model', () => {
  it('asks nothing of the node by itself: nothing computes before the click', async () => {
    const { node, asked } = puppet(view())
    const swarm = new Swarm(shellWith())
    swarm.start()
    await swarm.load(booted(node))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toEqual([])
    swarm.start()
    expect(asked).toEqual(['start'])
  })

  it('renders a burst of changes once, and the last of them', async () => {
    const { node, show } = puppet(view())
    const swarm = new Swarm(shellWith())
    await swarm.load(booted(node))
    const before = swarm.view
    for (let n = 0; n < 50; n++) show(view({ donate: working({ doneTasks: n }) }))
    expect(swarm.view).toBe(before)
    await vi.advanceTimersByTimeAsync(100)
    expect(swarm.view?.donate.doneTasks).toBe(49)
  })

  it('renders once a second where motion is not wanted', async () => {
    const { node, show } = puppet(view())
    const swarm = new Swarm(shellWith())
    swarm.look.set('calm', true)
    await swarm.load(booted(node))
    show(view({ donate: working({ doneTasks: 7 }) }))
    await vi.advanceTimersByTimeAsync(900)
    expect(swarm.view?.donate.doneTasks).toBe(0)
    await vi.advanceTimersByTimeAsync(200)
    expect(swarm.view?.donate.doneTasks).toBe(7)
  })

  it('renders nothing while hidden, and catches up when seen', async () => {
    let visible = true
    let tell: () => void = () => undefined
    const swarm = new Swarm(
      shellWith({ visible: () => visible, watch: (then) => ((tell = then), () => undefined) }),
    )
    const { node, show } = puppet(view())
    await swarm.load(booted(node))
    visible = false
    show(view({ donate: working({ doneTasks: 3 }) }))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(swarm.view?.donate.doneTasks).toBe(0)
    visible = true
    tell()
    expect(swarm.view?.donate.doneTasks).toBe(3)
  })

  it('applies a limit at once and keeps the others', async () => {
    const { node, asked } = puppet(view())
    const swarm = new Swarm(shellWith())
    await swarm.load(booted(node))
    swarm.limit({ share: 0.2 })
    expect(swarm.limits).toEqual({ ...LIMITS, share: 0.2 })
    expect(asked).toEqual([`setLimits ${JSON.stringify({ ...LIMITS, share: 0.2 })}`])
  })

  it('forecasts by what was done since a job was taken up again, not by what an earlier visit did', async () => {
    const { node, show } = puppet(
      view({ jobs: [jobView({ tasks: tiles(40, 0), elapsedMs: ms(0) })] }),
    )
    const swarm = new Swarm(shellWith())
    await swarm.load(booted(node))
    const at = async (done: number, elapsedMs: number): Promise<JobView> => {
      const job = jobView({ tasks: tiles(done, 0), elapsedMs: ms(elapsedMs) })
      show(view({ jobs: [job] }))
      await vi.advanceTimersByTimeAsync(1_000)
      return job
    }
    expect(swarm.forecast(await at(42, 2_000))).toBeNull()
    const range = swarm.forecast(await at(44, 4_000))
    expect(range?.lowMs).toBeLessThan(4_000)
    expect(range?.highMs).toBeGreaterThan(4_000)
    expect(swarm.forecast(await at(44, 10))).toBeNull()
  })

  it('goes on at half the share after a lost device', async () => {
    const { node, asked } = puppet(view())
    const swarm = new Swarm(shellWith())
    await swarm.load(booted(node))
    swarm.resumeHalf()
    expect(swarm.limits?.share).toBe(LIMITS.share / 2)
    expect(asked.slice(1)).toEqual(['condition "device-lost" false', 'resume'])
  })

  it('finishes the task before it puts an update in', async () => {
    const applyUpdate = vi.fn()
    const { node, asked, show } = puppet(view({ donate: working() }))
    const swarm = new Swarm(shellWith({ updateWaiting: () => true, applyUpdate }))
    await swarm.load(booted(node))
    swarm.update()
    expect(asked).toEqual(['finish'])
    show(view({ donate: working({ state: 'finishing' }) }))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(applyUpdate).not.toHaveBeenCalled()
    show(view({ donate: donate() }))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(applyUpdate).toHaveBeenCalledTimes(1)
  })

  it('has no forecast for a job that has stood still for long', async () => {
    const { node, show } = puppet(
      view({ jobs: [jobView({ tasks: tiles(0, 0), elapsedMs: ms(0) })] }),
    )
    const swarm = new Swarm(shellWith())
    await swarm.load(booted(node))
    const job = jobView({ tasks: tiles(9, 2), elapsedMs: ms(9_000) })
    show(view({ jobs: [job] }))
    await vi.advanceTimersByTimeAsync(200)
    expect(swarm.forecast(job)).not.toBeNull()
    await vi.advanceTimersByTimeAsync(60_000)
    swarm.tick()
    expect(swarm.forecast(job)).toBeNull()
  })

  it('says in words that the program did not load, and offers to load again', async () => {
    const reload = vi.fn()
    const swarm = new Swarm(shellWith({ reload }))
    await swarm.load(async () => {
      throw new Error('chunk missing')
    })
    expect(swarm.phase).toMatchObject({ kind: 'failed', problem: { code: 'not-loaded' } })
    if (swarm.phase.kind === 'failed') await swarm.phase.remedies[0]?.run()
    expect(reload).toHaveBeenCalledTimes(1)
  })

  it('gives the screen up when another tab takes the node', async () => {
    const { node, asked } = puppet(view())
    const swarm = new Swarm(shellWith())
    let moved: (() => void) | undefined
    await swarm.load(async (host) => {
      moved = () => host.moved({ show: () => undefined, moveHere: booted(node) })
      return booted(node)()
    })
    moved!()
    expect(swarm.phase.kind).toBe('other-tab')
    swarm.stop()
    expect(asked).toEqual([])
    if (swarm.phase.kind === 'other-tab') await swarm.moveHere(swarm.phase.tab)
    expect(swarm.phase.kind).toBe('node')
  })
})

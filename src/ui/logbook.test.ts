import { describe, expect, it } from 'vitest'
import { donate, jobView, nodes, tiles, view, wallet, working } from '../../test/ui/fixtures.ts'
import type { View } from '../peer/view.ts'
import { happened, LOG_MAX, logged } from './logbook.ts'

const texts = (was: View, is: View): string[] => happened(was, is).map(({ text }) => text)

describe('the log', () => {
  it('is silent while nothing happens', () => {
    const now = view()
    expect(texts(now, now)).toEqual([])
    expect(texts(now, view())).toEqual([])
  })
  it('says when alice starts, pauses and stops, and why', () => {
    const [idle, ready] = [view(), view({ donate: working({ state: 'ready', now: null }) })]
    expect(texts(idle, view({ donate: donate({ state: 'measuring' }) }))).toEqual([
      'Measuring this device for three seconds.',
    ])
    expect(
      texts(ready, view({ donate: working({ state: 'paused', pause: 'on-battery', now: null }) })),
    ).toEqual(['Paused: on battery.'])
    expect(texts(ready, view({ donate: working({ state: 'idle', now: null }) }))).toEqual([
      'Stopped. Nothing runs.',
    ])
  })
  it('says whose job it works on, once for each job', () => {
    const ready = view({ donate: working({ state: 'ready', now: null }) })
    expect(texts(ready, view({ donate: working() }))[0]).toMatch(
      /^Working for [a-z]+-[a-z]+-\d+: Lantern room\.$/,
    )
    const now = { ...working().now!, lease: 'a/2', permille: 10 }
    expect(texts(view({ donate: working() }), view({ donate: working({ now }) }))).toEqual([])
  })
  it('says who came, who left, and what became of links', () => {
    const all = nodes()
    const without = all.slice(0, -1)
    expect(texts(view({ nodes: without }), view({ nodes: all }))[0]).toMatch(/is linked, relayed/)
    expect(texts(view({ nodes: all }), view({ nodes: without }))[0]).toMatch(/left\.$/)
  })
  it('adds up receipts of one kind from one person, line after line', () => {
    const mine = wallet().receipts.filter(({ role }) => role === 'worker')
    const some = (n: number): View => view({ wallet: wallet({ receipts: mine.slice(0, n) }) })
    const [one] = happened(some(0), some(1))
    expect(one?.text).toMatch(/^Fractal tile for [a-z]+-[a-z]+-\d+: receipt, \+[\d.]+ credits\.$/)
    const again = { ...one!, text: `${one!.text} ` }
    const log = logged(logged([], [one!], 1), [again, { ...again, text: '' }], 2)
    expect(log.map(({ id, at, text }) => [id, at, text.replace(/\+.*/, '')])).toEqual([
      [1, 2, one!.text.replace('receipt', '3 receipts').replace(/\+.*/, '')],
    ])
    expect(happened(some(0), some(16)).length).toBeGreaterThan(1)
    expect(texts(some(3), some(3))).toEqual([])
  })
  it('says what became of a job, and that a wrong result came', () => {
    const [before, after] = [jobView({ tasks: tiles(3, 0) }), jobView({ tasks: tiles(3, 6) })]
    expect(texts(view({ jobs: [before] }), view({ jobs: [after] }))).toEqual([
      'Seahorse valley: a wrong result came; the unit goes to another node.',
    ])
    const refused = before.tasks.map((task, at) =>
      at < 3 || at > 4 ? task : { ...task, why: 'refused: paused' },
    )
    const [line] = happened(view({ jobs: [before] }), view({ jobs: [jobView({ tasks: refused })] }))
    expect([line?.tone, line?.text.replace('\u00a0', ' ')]).toEqual([
      'usual',
      'Seahorse valley: 2 units handed back and queued again. The node did not take it: it is paused.',
    ])
    const failed = jobView({
      tasks: before.tasks,
      state: 'failed',
      problem: { code: 'deadline', text: 'the deadline passed' },
    })
    expect(texts(view({ jobs: [before] }), view({ jobs: [failed] }))).toEqual([
      'Seahorse valley: failed. The deadline passed.',
    ])
    expect(texts(view({ jobs: [before] }), view())).toEqual([
      'Seahorse valley: deleted from this device.',
    ])
  })
  it('does not say the same twice in a row, and says it again after a while', () => {
    const line = { text: 'Working for bob: Slow.', tone: 'usual' } as const
    const log = logged(logged([], [line, line], 0), [line], 1_000)
    expect(log).toHaveLength(1)
    expect(logged(log, [line], 100_000)).toHaveLength(2)
  })
  it('keeps the last lines only, with numbers that go on', () => {
    const line = { text: 'x', tone: 'usual' } as const
    let log = logged([], [], 0)
    for (let n = 0; n < LOG_MAX + 20; n++) log = logged(log, [{ ...line, text: `x${n}` }], n)
    expect(log).toHaveLength(LOG_MAX)
    expect(log.at(-1)?.id).toBe(LOG_MAX + 20)
  })
})

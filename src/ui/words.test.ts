import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../peer/donor.ts'
import { donate, jobView, nodes, tiles, view, working } from '../../test/ui/fixtures.ts'
import { announce, pauseWords, reachWords, remedyFor, stopWords, unitWords } from './words.ts'

describe('the sentences', () => {
  it('say exactly what pauses a node under its limits', () => {
    expect(pauseWords(DEFAULT_LIMITS)).toBe(
      'On battery, on a metered connection, or when the device is too warm.',
    )
    expect(pauseWords({ ...DEFAULT_LIMITS, pauseOnBattery: false, pauseOnMetered: false })).toBe(
      'When the device is too warm.',
    )
  })
  it('say whether it stops by itself', () => {
    expect(stopWords(DEFAULT_LIMITS)).toContain('Not by itself')
    expect(stopWords({ ...DEFAULT_LIMITS, stopAfterMinutes: 30 }).replace('\u00a0', ' ')).toContain(
      'by itself after 30 min',
    )
  })
  it('say what still works when the relay is gone', () => {
    const gone = { kind: 'no-relay', detail: '' } as const
    expect(reachWords({ reachability: gone, nodes: nodes() })).toContain('direct links still work')
    expect(reachWords({ reachability: gone, nodes: [] })).toContain('tried again')
    expect(reachWords(view())).toBeNull()
  })
  it('speak up for what changed, and are silent for what did not', () => {
    const idle = view()
    expect(announce(idle, idle)).toBeNull()
    expect(
      announce(
        view({ donate: working() }),
        view({ donate: working({ state: 'paused', pause: 'on-battery' }) }),
      ),
    ).toBe('Paused: on battery.')
    expect(announce(view({ donate: working() }), view({ donate: donate() }))).toBe(
      'Stopped. Nothing runs.',
    )
    const [before, after] = [jobView(), jobView({ state: 'done' })]
    expect(announce(view({ jobs: [before] }), view({ jobs: [after] }))).toBe(
      'Seahorse valley: done.',
    )
    expect(
      announce(idle, view({ problems: [{ code: 'clock-skew', text: 'The clock is off.' }] })),
    ).toBe('The clock is off.')
  })
  it('read a unit aloud with its state, progress and node', () => {
    const [task] = tiles(0, 2)
    expect(unitWords({ ...task!, state: 'computing', permille: 640 }, 'calm-otter-4')).toBe(
      'unit 1, computing, 64 %, calm-otter-4',
    )
  })
  it('know a way out of what they know', () => {
    expect(remedyFor({ code: 'device-lost', text: '' })).toBe('resume-half')
    expect(remedyFor({ code: 'never-heard-of', text: '' })).toBeNull()
  })
})

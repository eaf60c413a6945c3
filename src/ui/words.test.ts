import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../peer/donor.ts'
import { donate, jobView, nodes, tiles, view, working } from '../../test/ui/fixtures.ts'
import { SENSES } from '../../test/ui/stand-ins.ts'
import { announce, pauseWords, reachWords, stopWords, unitWords } from './words.ts'

describe('the sentences', () => {
  it('say exactly what pauses a node under its limits', () => {
    expect(pauseWords(DEFAULT_LIMITS, SENSES, true)).toBe(
      'On battery, on a metered connection, when the device is too warm or when you press Pause.',
    )
    const always = { ...DEFAULT_LIMITS, pauseOnBattery: false, pauseOnMetered: false }
    expect(pauseWords(always, SENSES, false)).toBe('When you press Pause.')
  })
  it('promise no pause that this browser cannot notice', () => {
    const dull = { ...SENSES, battery: false, metered: false, warmth: false }
    expect(pauseWords(DEFAULT_LIMITS, dull, true)).toBe(
      'When you press Pause. This browser does not tell whether it is on battery, whether the connection is metered or how warm it is.',
    )
    expect(pauseWords({ ...DEFAULT_LIMITS, pauseOnMetered: false }, dull, false)).toBe(
      'When you press Pause. This browser does not tell whether it is on battery.',
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
    expect(reachWords({ reachability: gone, nodes: nodes() }, false)).toContain(
      'direct links still work',
    )
    expect(reachWords({ reachability: gone, nodes: [] }, false)).toContain('can still be read')
    expect(reachWords(view(), false)).toBeNull()
  })
  it('say that work goes on without direct links, only slower', () => {
    const indirect = { kind: 'no-webrtc', detail: '' } as const
    expect(reachWords(view({ reachability: indirect }), false)).toContain('goes through the relay')
    expect(reachWords(view({ reachability: indirect }), true)).toContain('as you set it')
    const relayed = nodes().map((node) => ({ ...node, link: 'relayed' as const }))
    expect(reachWords(view({ nodes: relayed }), false)).toContain('No direct path')
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
})

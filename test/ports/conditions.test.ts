import { describe, expect, it } from 'vitest'
import {
  watchConditions,
  type Condition,
  type Surroundings,
} from '../../src/adapters/conditions.ts'
import type { PauseReason } from '../../src/peer/view.ts'

// Every condition is a reason that the view of a node knows.
const reasons: readonly PauseReason[] = [
  'hidden',
  'on-battery',
  'metered',
  'too-warm',
  'offline',
] satisfies Condition[]

type Changing = { -readonly [K in keyof Surroundings]: Surroundings[K] }

const machine = () => {
  const page = Object.assign(new EventTarget(), {
    visibilityState: 'visible' as DocumentVisibilityState,
  })
  const battery = Object.assign(new EventTarget(), { charging: true })
  const connection = Object.assign(new EventTarget(), { saveData: false, type: 'wifi' })
  const navigator = { onLine: true, connection, getBattery: async () => battery }
  let observers = 0
  let press = (_state: 'nominal' | 'fair' | 'serious' | 'critical'): void => undefined
  class PressureObserver {
    constructor(then: (records: { state: 'nominal' | 'fair' | 'serious' | 'critical' }[]) => void) {
      press = (state) => then([{ state }])
    }
    async observe(): Promise<void> {
      observers++
    }
    disconnect(): void {
      observers--
    }
  }
  const window = new EventTarget()
  const around: Changing = { page, window, navigator, PressureObserver }
  const log: string[] = []
  const start = () =>
    watchConditions((condition, present) => log.push(`${present ? '+' : '-'}${condition}`), around)
  const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 0))
  const take = (): string[] => log.splice(0)
  return {
    page,
    battery,
    connection,
    navigator,
    window,
    around,
    start,
    settle,
    take,
    press: (state: 'nominal' | 'fair' | 'serious' | 'critical') => press(state),
    observers: () => observers,
  }
}

describe('conditions of a page', () => {
  it('are silent while all is well, and report each change once', async () => {
    const m = machine()
    const watch = m.start()
    await m.settle()
    expect(m.take()).toEqual([])
    m.page.visibilityState = 'hidden'
    m.page.dispatchEvent(new Event('visibilitychange'))
    m.page.dispatchEvent(new Event('visibilitychange'))
    expect(m.take()).toEqual(['+hidden'])
    m.page.visibilityState = 'visible'
    m.page.dispatchEvent(new Event('visibilitychange'))
    expect(m.take()).toEqual(['-hidden'])
    m.battery.charging = false
    m.battery.dispatchEvent(new Event('chargingchange'))
    m.connection.type = 'cellular'
    m.connection.dispatchEvent(new Event('change'))
    m.navigator.onLine = false
    m.window.dispatchEvent(new Event('offline'))
    expect(m.take()).toEqual(['+on-battery', '+metered', '+offline'])
    m.connection.type = 'wifi'
    m.connection.saveData = true
    m.connection.dispatchEvent(new Event('change'))
    m.battery.charging = true
    m.battery.dispatchEvent(new Event('chargingchange'))
    expect(m.take()).toEqual(['-on-battery'])
    watch.close()
  })

  it('tell at the start what is already so', async () => {
    const m = machine()
    m.page.visibilityState = 'hidden'
    m.battery.charging = false
    m.connection.saveData = true
    m.navigator.onLine = false
    const watch = m.start()
    await m.settle()
    expect(m.take().toSorted()).toEqual(['+hidden', '+metered', '+offline', '+on-battery'])
    watch.close()
  })

  it('count a frozen page as out of reach until it resumes', () => {
    const m = machine()
    const watch = m.start()
    for (const [target, stop, go] of [
      [m.page, 'freeze', 'resume'],
      [m.window, 'pagehide', 'pageshow'],
    ] as const) {
      target.dispatchEvent(new Event(stop))
      expect(m.take()).toEqual(['+hidden', '+offline'])
      target.dispatchEvent(new Event(go))
      expect(m.take()).toEqual(['-hidden', '-offline'])
    }
    watch.close()
  })

  it('call a device warm only when it suffers, and cool only when it has recovered', () => {
    const m = machine()
    const watch = m.start()
    for (const state of [
      'nominal',
      'serious',
      'critical',
      'serious',
      'critical',
      'fair',
      'nominal',
    ] as const) {
      m.press(state)
    }
    expect(m.take()).toEqual(['+too-warm', '-too-warm'])
    watch.close()
  })

  it('stop with the watch, and do without what a browser lacks', async () => {
    const m = machine()
    const watch = m.start()
    expect(m.observers()).toBe(1)
    watch.close()
    expect(m.observers()).toBe(0)
    m.page.visibilityState = 'hidden'
    m.page.dispatchEvent(new Event('visibilitychange'))
    await m.settle()
    m.battery.charging = false
    m.battery.dispatchEvent(new Event('chargingchange'))
    expect(m.take()).toEqual([])

    const { page, window } = m
    const refusing = { onLine: true, getBattery: () => Promise.reject(new Error('not allowed')) }
    for (const navigator of [{ onLine: true }, refusing]) {
      const seen: string[] = []
      const bare = watchConditions((condition) => seen.push(condition), { page, window, navigator })
      await m.settle()
      expect(seen).toEqual(['hidden'])
      bare.close()
    }
    expect(reasons.length).toBe(5)
  })
})

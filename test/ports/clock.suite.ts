/** What every Clock in real time does. */
import { describe, expect, it } from 'vitest'
import { ms } from '../../src/base/units.ts'
import type { Clock } from '../../src/ports.ts'

type Closing = Clock & { close(): void }

const pause = (milliseconds: number): Promise<void> =>
  new Promise((done) => setTimeout(done, milliseconds))

export const clockSuite = (name: string, make: () => Closing): void => {
  describe(`${name} as a clock`, () => {
    it('counts whole milliseconds forward, and knows the date', async () => {
      const clock = make()
      const began = clock.now()
      await pause(30)
      const ended = clock.now()
      expect(Number.isInteger(began)).toBe(true)
      expect(ended - began).toBeGreaterThanOrEqual(28)
      expect(Math.abs(clock.epoch() - Date.now())).toBeLessThan(50)
      clock.close()
    })

    it('wakes alice once, and never early', async () => {
      const clock = make()
      for (const wait of [0, 1, 7, 60]) {
        const at = ms(clock.now() + wait)
        const calls: number[] = []
        await new Promise<void>((done) => {
          clock.wake(at, () => {
            calls.push(clock.now())
            done()
          })
          expect(calls).toEqual([])
        })
        expect(calls[0]).toBeGreaterThanOrEqual(at)
        await pause(40)
        expect(calls.length).toBe(1)
      }
      clock.close()
    })

    it('wakes at once when the moment has passed, but not before the call returns', async () => {
      const clock = make()
      let woken = false
      const done = new Promise<void>((resolve) => {
        clock.wake(ms(clock.now() - 10_000), () => {
          woken = true
          resolve()
        })
      })
      expect(woken).toBe(false)
      await done
      clock.close()
    })

    it('forgets an earlier wish when there is a later one', async () => {
      const clock = make()
      const calls: string[] = []
      clock.wake(ms(clock.now() + 20), () => calls.push('first'))
      clock.wake(ms(clock.now() + 50), () => calls.push('second'))
      await pause(150)
      expect(calls).toEqual(['second'])
      clock.wake(ms(clock.now() + 10_000), () => calls.push('far'))
      clock.wake(ms(clock.now() + 10), () => calls.push('near'))
      await pause(150)
      expect(calls).toEqual(['second', 'near'])
      clock.close()
    })

    it('can be asked again from within the call, and waits for a moment far away', async () => {
      const clock = make()
      let rounds = 0
      await new Promise<void>((done) => {
        const again = (): void => {
          if (++rounds === 20) done()
          else clock.wake(ms(clock.now() + 1), again)
        }
        clock.wake(clock.now(), again)
      })
      let early = false
      clock.wake(ms(clock.now() + 2 ** 40), () => (early = true))
      await pause(50)
      expect(early).toBe(false)
      clock.close()
    })

    it('is silent once it was closed', async () => {
      const clock = make()
      let woken = false
      clock.wake(ms(clock.now() + 10), () => (woken = true))
      clock.close()
      await pause(150)
      expect(woken).toBe(false)
    })
  })
}

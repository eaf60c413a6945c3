import { describe, expect, it } from 'vitest'
import { nodeClock } from '../../relay/node-clock.ts'
import { browserClock } from '../../src/adapters/clock.ts'
import { ms } from '../../src/base/units.ts'
import { clockSuite } from './clock.suite.ts'

const noWorker = (): Worker => {
  throw new Error('refused by a content security policy')
}
/** A worker that starts and then says nothing, as when its script does not load. */
const deafWorker = (): Worker =>
  Object.assign(new EventTarget(), {
    postMessage: () => undefined,
    terminate: () => undefined,
  }) as unknown as Worker

clockSuite('Node', nodeClock)
clockSuite('a page without a worker', () => browserClock(noWorker))

describe('the clock of a page', () => {
  it('goes on when its worker does not answer', async () => {
    const clock = browserClock(deafWorker)
    const began = clock.now()
    await new Promise<void>((done) => clock.wake(ms(began + 10), done))
    expect(clock.now() - began).toBeLessThan(1_000)
    clock.close()
  })
})

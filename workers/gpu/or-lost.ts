/** Waits for a device, but not for one that is gone or hangs. */
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Gpu } from './device.ts'

/** A slice or a compilation that takes this long will not come back: the device is given up. */
const HUNG_MS = 20_000

/** @error device-lost: it is gone, or answered nothing for so long that it was given up */
export const orLost = <T>(
  { device, loss }: Pick<Gpu, 'device' | 'loss'>,
  waiting: Promise<T>,
): Promise<Result<T, ComputeError>> =>
  new Promise((resolve) => {
    const lose = (why: string): void => settle(err(computeError('device-lost', why)))
    const timer = setTimeout(() => {
      device.destroy()
      lose(`no answer for ${HUNG_MS} ms`)
    }, HUNG_MS)
    const settle = (result: Result<T, ComputeError>): void => {
      clearTimeout(timer)
      unlisten()
      resolve(result)
    }
    let unlisten = (): void => undefined
    unlisten = loss.listen(lose)
    waiting.then(
      (value) => settle(ok(value)),
      (error: unknown) => lose(String(error)),
    )
  })

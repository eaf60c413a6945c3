/** What a computing thread does, one after another. */
import { err, type Result } from '../src/base/result.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'

/** Tasks that wait; the node before us holds only its few leases. */
const WAITING_MAX = 16

type Flag = { cancelled: boolean }

export const turns = () => {
  const present = new Map<string, Flag>()
  let last: Promise<unknown> = Promise.resolve()
  return {
    async take<T>(
      id: string,
      then: (flag: Flag) => Promise<Result<T, ComputeError>>,
    ): Promise<Result<T, ComputeError>> {
      if (present.has(id)) return err(computeError('bad-param', `${id} is already there`))
      if (present.size >= WAITING_MAX)
        return err(computeError('too-many', `${present.size} tasks wait`))
      const flag = { cancelled: false }
      present.set(id, flag)
      const mine = last.then(() =>
        flag.cancelled ? err(computeError('cancelled', id)) : then(flag),
      )
      last = mine.catch(() => undefined)
      return mine.finally(() => present.delete(id))
    },
    cancel(id: string): void {
      const flag = present.get(id)
      if (flag !== undefined) flag.cancelled = true
    },
  }
}

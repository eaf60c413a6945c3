/** What an engine does, one after another: two at once would only make both slower and their times worthless. */
import { err, type Result } from '../src/base/result.ts'
import { computeError, type ComputeError } from './errors.ts'

/** Tasks that wait for their turn: a worker of one node has its few leases, not a crowd. */
const MAX_WAITING = 16

export type Flag = { cancelled: boolean }

type Done<T> = Promise<Result<T, ComputeError>>

/** What may be done along with something else, before its turn comes. */
export type Shared<T> = {
  /** As soon as it is done, whoever did it. */
  readonly answer: Done<T>
  /** In its turn, also where there is nothing left to do. */
  run(): Promise<void>
}

export class Turns {
  /** What runs, waits or is done beside, by id. */
  readonly #present = new Map<string, Flag>()
  #last: Promise<unknown> = Promise.resolve()

  get isIdle(): boolean {
    return this.#present.size === 0
  }

  /** Behind all that came before. @error bad-param, too-many, cancelled */
  take<T>(id: string, then: (flag: Flag) => Done<T>): Done<T> {
    return this.#admitted(id, (flag) =>
      this.#behind(async () => (flag.cancelled ? err(computeError('cancelled', id)) : then(flag))),
    )
  }

  /** The same for what somebody with an earlier turn may take along. @error bad-param, too-many */
  share<T>(id: string, ask: (flag: Flag) => Shared<T>): Done<T> {
    return this.#admitted(id, (flag) => {
      const { answer, run } = ask(flag)
      return Promise.race([answer, this.#behind(run).then(() => answer)])
    })
  }

  /** Now, beside whatever runs. @error bad-param */
  beside<T>(id: string, then: (flag: Flag) => Done<T>): Done<T> {
    return this.#present.has(id) ? isThere(id) : this.#marked(id, then)
  }

  /** Ends it at its next slice. */
  cancel(id: string): void {
    const flag = this.#present.get(id)
    if (flag !== undefined) flag.cancelled = true
  }

  /** Ends all, and waits for the last one. */
  async cancelAll(): Promise<void> {
    for (const flag of this.#present.values()) flag.cancelled = true
    await this.#last
  }

  #admitted<T>(id: string, then: (flag: Flag) => Done<T>): Done<T> {
    if (this.#present.has(id)) return isThere(id)
    return this.#present.size < MAX_WAITING
      ? this.#marked(id, then)
      : Promise.resolve(err(computeError('too-many', `${MAX_WAITING} tasks are waiting`)))
  }

  #behind<T>(then: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(then)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #marked<T>(id: string, then: (flag: Flag) => Done<T>): Done<T> {
    const flag = { cancelled: false }
    this.#present.set(id, flag)
    try {
      return await then(flag)
    } finally {
      this.#present.delete(id)
    }
  }
}

const isThere = (id: string): Done<never> =>
  Promise.resolve(err(computeError('bad-param', `${id} is already there`)))

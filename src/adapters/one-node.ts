/**
 * One node per origin: two tabs with one account would be two nodes that sign with one key. The tab
 * that holds a Web Lock is the node; the others look on, and can ask to have it.
 */
import { err, ok, type Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'

export type Role = 'node' | 'viewer'

export type OneNodeEvents = {
  /** Another tab wants to be the node: finish the task in hand. The place is given up afterwards. */
  finish(): Promise<void>
  /** This tab was the node and is no longer: it gave way, or did not answer in time. */
  lost(how: 'gave-way' | 'taken'): void
  /** No tab is the node any more; `claim` may succeed now. */
  vacant(): void
  /** A viewer asks where the node is. Scripts cannot bring a tab to the front, so it makes itself seen. */
  show(): void
}

export type OneNode = {
  /** `node` until `lost` is called. A viewer is told when the place is vacant. */
  claim(): Promise<Result<Role, PortError>>
  /** Takes the node into this tab: asks first, and takes it by force when nobody answers in time. */
  moveHere(): Promise<Result<'node', PortError>>
  /** Asks the tab that is the node to make itself seen. */
  showIt(): void
  close(): void
}

export type OneNodeOptions = {
  readonly name?: string
  /** How long a task in hand may keep another tab waiting. */
  readonly waitMs?: number
}

/** Longer than most tasks take; a frozen tab never answers. */
const WAIT_MS = 20_000
/** Viewers that see the place vacant at once try one after another. */
const JITTER_MS = 200

const NO_LOCKS: PortError = {
  code: 'no-locks',
  detail:
    'This browser cannot tell whether another tab already is the node. Open the https address.',
}
const CLOSED: PortError = { code: 'closed', detail: 'This tab has left.' }

export const oneNode = (events: OneNodeEvents, options: OneNodeOptions = {}): OneNode =>
  new Tab(events, options)

class Tab implements OneNode {
  readonly #events: OneNodeEvents
  readonly #name: string
  readonly #waitMs: number
  readonly #locks: LockManager | undefined
  readonly #channel: BroadcastChannel
  readonly #left = new AbortController()
  #release: (() => void) | null = null
  #watching: AbortController | null = null
  #leaving = false

  constructor(events: OneNodeEvents, options: OneNodeOptions) {
    this.#events = events
    this.#name = options.name ?? 'swarmharness-node'
    this.#waitMs = options.waitMs ?? WAIT_MS
    this.#locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined
    this.#channel = new BroadcastChannel(this.#name)
    this.#channel.addEventListener('message', this.#heard)
  }

  async claim(): Promise<Result<Role, PortError>> {
    if (this.#locks === undefined) return err(NO_LOCKS)
    if (this.#left.signal.aborted) return err(CLOSED)
    if (this.#release !== null) return ok('node')
    const role = await this.#hold(this.#locks, { ifAvailable: true })
    if (role === 'viewer') this.#watch(this.#locks)
    return ok(role)
  }

  async moveHere(): Promise<Result<'node', PortError>> {
    if (this.#locks === undefined) return err(NO_LOCKS)
    if (this.#left.signal.aborted) return err(CLOSED)
    if (this.#release !== null) return ok('node')
    this.#channel.postMessage('move')
    const signal = AbortSignal.any([this.#left.signal, AbortSignal.timeout(this.#waitMs)])
    if ((await this.#hold(this.#locks, { signal })) === 'node') return ok('node')
    if (this.#left.signal.aborted) return err(CLOSED)
    const taken = await this.#hold(this.#locks, { steal: true })
    return taken === 'node' ? ok('node') : err(CLOSED)
  }

  showIt(): void {
    if (!this.#left.signal.aborted) this.#channel.postMessage('show')
  }

  close(): void {
    this.#left.abort()
    this.#watching?.abort()
    this.#channel.removeEventListener('message', this.#heard)
    this.#channel.close()
    this.#release?.()
    this.#release = null
  }

  readonly #heard = (event: MessageEvent<unknown>): void => {
    if (event.data === 'move') void this.#giveWay()
    if (event.data === 'show' && this.#release !== null) this.#events.show()
  }

  /** Asks for the lock and keeps it; resolves as soon as it is known who has it. */
  #hold(locks: LockManager, how: LockOptions): Promise<Role> {
    return new Promise((resolve) => {
      let mine = false
      const held = locks.request(this.#name, how, (lock) => {
        if (lock === null || this.#left.signal.aborted) return resolve('viewer')
        mine = true
        this.#watching?.abort()
        const kept = new Promise<void>((done) => (this.#release = done))
        resolve('node')
        return kept
      })
      held.catch(() => {
        // Not granted in time; or granted, and then only a theft ends it from outside.
        if (!mine) return resolve('viewer')
        this.#release = null
        if (this.#left.signal.aborted) return
        this.#watch(locks)
        this.#events.lost('taken')
      })
    })
  }

  /** Waits in line with a lock that many may share: it is granted once nobody is the node. */
  #watch(locks: LockManager): void {
    if (this.#left.signal.aborted || this.#watching?.signal.aborted === false) return
    const mine = new AbortController()
    this.#watching = mine
    const vacant = (): void => {
      if (mine.signal.aborted) return
      mine.abort()
      this.#events.vacant()
    }
    locks
      .request(this.#name, { mode: 'shared', signal: mine.signal }, () => undefined)
      .then(
        () => setTimeout(vacant, jitter()),
        () => undefined,
      )
  }

  async #giveWay(): Promise<void> {
    if (this.#release === null || this.#leaving) return
    this.#leaving = true
    await Promise.race([this.#events.finish().catch(() => undefined), after(this.#waitMs)])
    this.#leaving = false
    // Another tab may have taken it by force meanwhile, which was reported then.
    if (this.#release === null) return
    this.#release()
    this.#release = null
    if (this.#locks !== undefined) this.#watch(this.#locks)
    this.#events.lost('gave-way')
  }
}

const after = (milliseconds: number): Promise<void> =>
  new Promise((done) => setTimeout(done, milliseconds))

const jitter = (): number => Math.random() * JITTER_MS

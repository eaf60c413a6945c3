/**
 * What is seen of the node: its view as state the screens read, and the log of what happened. While the
 * page is hidden nothing is rendered; while it is seen, at most ten times a second, and less often where
 * a view is so large that rendering it would take the page's time.
 */
import { tick } from 'svelte'
import type { JobId } from '../base/ids.ts'
import type { JobView, NodeHandle, View } from '../peer/view.ts'
import { eta, type Range } from './eta.ts'
import { happened, logged, type LogLine } from './logbook.ts'
import type { Look } from './look.svelte.ts'
import type { Shell } from './services.ts'
import { announce, stateWord } from './words.ts'

/** Ten times a second is as fast as anybody reads; once where motion is not wanted. */
const RENDER_MS = 100
const RENDER_CALM_MS = 1_000
/** Rendering may take a third of the page's time; the rest is for links and for the person. */
const REST = 2
/** How fast the estimate of what a render costs follows: a screen that was just opened costs more once. */
const COST_WEIGHT = 0.3
/** The tab's icon and title, and the log of a hidden page. */
const BADGE_MS = 2_000

export class Seen {
  readonly #shell: Shell
  readonly #look: Look
  readonly #rendered: (view: View) => void
  view = $state.raw<View | null>(null)
  log = $state.raw<readonly LogLine[]>([])
  /** The last thing worth saying aloud. */
  said = $state.raw('')
  /** Milliseconds of the page's own clock, moving only while the page is seen. */
  nowMs = $state.raw(0)

  #node: NodeHandle | null = null
  #unwatch: (() => void) | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #dirty = false
  #costMs = 0
  #badgeAt = -BADGE_MS
  /** The view that the log knows. */
  #known: View | null = null
  readonly #paces = new Map<JobId, Pace>()

  /** `rendered` hears of each view, shown or not. */
  constructor(shell: Shell, look: Look, rendered: (view: View) => void) {
    this.#shell = shell
    this.#look = look
    this.#rendered = rendered
  }

  /** Begins to look at a node, or at none. */
  follow(node: NodeHandle | null): void {
    this.#unwatch?.()
    this.#unwatch = null
    this.#node = node
    this.#known = null
    this.view = null
    if (!node) return
    this.render()
    this.#unwatch = node.watch(() => this.#changed())
  }

  #changed(): void {
    this.#dirty = true
    if (this.#timer !== null) return
    const pace = this.#look.calm ? RENDER_CALM_MS : RENDER_MS
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        if (!this.#dirty || !this.#node) return
        if (this.#shell.visible()) this.render()
        else this.#glance()
      },
      Math.max(pace, REST * this.#costMs),
    )
  }

  render(): void {
    if (!this.#node) return
    const began = performance.now()
    this.#dirty = false
    const before = this.view
    const view = this.#node.view()
    for (const job of view.jobs)
      this.#paces.set(job.id, paceOf(this.#paces.get(job.id), job, began))
    this.nowMs = began
    this.view = view
    const words = before && announce(before, view)
    if (words) this.said = words
    this.#note(view)
    this.#badge(view)
    this.#rendered(view)
    void tick().then(() => {
      this.#costMs += COST_WEIGHT * (performance.now() - began - this.#costMs)
    })
  }

  /** A hidden page: what happens is written down, and shows in the tab's title. */
  #glance(): void {
    if (!this.#node || performance.now() - this.#badgeAt < BADGE_MS) return
    const view = this.#node.view()
    this.#note(view)
    this.#badge(view)
    this.#rendered(view)
  }

  #note(view: View): void {
    if (this.#known) this.log = logged(this.log, happened(this.#known, view), Date.now())
    this.#known = view
  }

  #badge({ donate, jobs }: View): void {
    const now = performance.now()
    if (now - this.#badgeAt < BADGE_MS) return
    this.#badgeAt = now
    const mine = jobs.find((job) => job.state === 'running')
    if (mine) {
      const part = mine.tasks.length === 0 ? 0 : mine.verified / mine.tasks.length
      this.#shell.badge(Math.floor(part * 9), `${Math.floor(part * 100)} % ${mine.title}`)
    } else if (donate.state === 'idle') this.#shell.badge(0, '')
    else this.#shell.badge(Math.floor((donate.now?.permille ?? 0) / 112), stateWord(donate))
  }

  /** The page is seen again. */
  catchUp(): void {
    if (this.#shell.visible() && this.#dirty) this.render()
  }

  /** Called once a second while there is something to count. */
  tick(): void {
    if (this.#shell.visible()) this.nowMs = performance.now()
  }

  /** When a job will be done, by what it has done since it began or was taken up again. */
  forecast({ id, verified, tasks, elapsedMs }: JobView): Range | null {
    const pace = this.#paces.get(id)
    if (!pace) return null
    const done = verified - pace.from.verified
    const all = tasks.length - pace.from.verified
    return eta(done, all, elapsedMs - pace.from.elapsedMs, this.nowMs - pace.movedAt)
  }
}

type Pace = {
  readonly verified: number
  readonly elapsedMs: number
  /** When the count of verified units last moved, on the page's clock. */
  readonly movedAt: number
  /** What an earlier visit had done says nothing about how fast it goes now. */
  readonly from: { readonly verified: number; readonly elapsedMs: number }
}

const paceOf = (before: Pace | undefined, job: JobView, now: number): Pace => {
  const { verified, elapsedMs } = job
  const here = { verified, elapsedMs }
  if (!before || elapsedMs < before.elapsedMs) return { ...here, movedAt: now, from: here }
  const movedAt = before.verified === verified ? before.movedAt : now
  return { ...here, movedAt, from: before.from }
}

/**
 * The one view model: what the node shows, as state the screens read, and what a person may ask of
 * it. While the page is hidden nothing is rendered; while it is seen, at most ten times a second.
 */
import type { JobId } from '../base/ids.ts'
import type { JobView, Limits, NodeHandle, PauseReason, Problem, View } from '../peer/view.ts'
import { plural } from './format.ts'
import { Look } from './look.svelte.ts'
import { readRoute, writeRoute, type Place, type Route } from './route.ts'
import type {
  Boot,
  Booted,
  Compiled,
  OtherTab,
  Probe,
  Remedy,
  Services,
  Shell,
  SpecFile,
} from './services.ts'
import { announce, stateWord } from './words.ts'

/** Ten times a second is as fast as anybody reads; once where motion is not wanted. */
const RENDER_MS = 100
const RENDER_CALM_MS = 1_000
const BADGE_MS = 2_000
/** A spec is prose and a little code; what is larger is not one. */
const SPEC_BYTES_MAX = 256 * 1024

export type Phase =
  | { readonly kind: 'loading'; readonly stage: string }
  | { readonly kind: 'node' }
  | { readonly kind: 'other-tab'; readonly tab: OtherTab }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly remedies: readonly Remedy[] }

export class Swarm {
  readonly shell: Shell
  readonly look: Look
  phase = $state.raw<Phase>({ kind: 'loading', stage: 'loading the program' })
  view = $state.raw<View | null>(null)
  limits = $state.raw<Limits | null>(null)
  services = $state.raw<Services | null>(null)
  probe = $state.raw<Probe | null>(null)
  route = $state.raw<Route>({ place: 'donate' })
  /** "Not now" was said: the contract stays folded until asked for. */
  declined = $state.raw(false)
  /** The last thing worth saying aloud. */
  said = $state.raw('')
  updateWaiting = $state.raw(false)
  /** An update is put in as soon as the task at hand is done. */
  updating = $state.raw(false)
  help = $state.raw(false)
  /** A spec somebody dropped or pasted, on its way to the playground. */
  dropped = $state.raw<SpecFile | File | null>(null)
  /** Seconds of the page's own clock, moving only while the page is seen. */
  nowMs = $state.raw(0)

  #node: NodeHandle | null = null
  #unwatch: (() => void) | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #dirty = false
  #badgeAt = -BADGE_MS
  /** When each job's count of verified units last moved, on the page's clock. */
  #moved = new Map<JobId, { verified: number; at: number }>()

  constructor(shell: Shell) {
    this.shell = shell
    this.look = new Look(shell)
    shell.watch(() => this.#conditions())
    this.#conditions()
  }

  /** Loads the rest of the program. Called after the first paint. */
  async load(boot: Boot): Promise<void> {
    void this.shell.probe().then((probe) => (this.probe = probe))
    try {
      this.#settle(
        await boot({
          stage: (stage) => {
            if (this.phase.kind === 'loading') this.phase = { kind: 'loading', stage }
          },
          moved: (tab) => this.#settle({ kind: 'other-tab', tab }),
        }),
      )
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause)
      this.fail({ code: 'not-loaded', text: `The program did not load: ${text}` })
    }
  }

  /** What could not be loaded at all: one sentence, and loading anew as the way out. */
  fail(problem: Problem): void {
    const again: Remedy = { label: 'Load again', run: async () => this.shell.reload() }
    this.#settle({ kind: 'failed', problem, remedies: [again] })
  }

  async moveHere(tab: OtherTab): Promise<void> {
    this.phase = { kind: 'loading', stage: 'waiting for the other tab to hand over' }
    this.#settle(await tab.moveHere())
  }

  #settle(booted: Booted): void {
    this.#unwatch?.()
    this.#unwatch = null
    this.#node = booted.kind === 'node' ? booted.node : null
    if (booted.kind === 'failed') {
      this.phase = { kind: 'failed', problem: booted.problem, remedies: booted.remedies }
    } else if (booted.kind === 'other-tab') {
      this.view = null
      this.phase = { kind: 'other-tab', tab: booted.tab }
    } else {
      const { node, services } = booted
      this.services = services
      this.limits = node.limits()
      this.#render()
      this.phase = { kind: 'node' }
      this.#unwatch = node.watch(() => this.#changed())
    }
  }

  #changed(): void {
    this.#dirty = true
    if (this.#timer !== null) return
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        if (!this.#dirty) return
        if (this.shell.visible()) this.#render()
        else this.#badge()
        this.#putUpdateIn()
      },
      this.look.calm ? RENDER_CALM_MS : RENDER_MS,
    )
  }

  #render(): void {
    if (!this.#node) return
    this.#dirty = false
    const before = this.view
    const view = this.#node.view()
    const now = performance.now()
    for (const job of view.jobs) {
      const seen = this.#moved.get(job.id)
      if (seen?.verified !== job.verified)
        this.#moved.set(job.id, { verified: job.verified, at: now })
    }
    this.nowMs = now
    this.view = view
    if (before) {
      const text = announce(before, view)
      if (text !== null) this.said = text
    }
    this.#badge()
    const running = ['ready', 'working', 'finishing', 'measuring'].includes(view.donate.state)
    this.services?.keepAwake(running && this.look.awake && this.shell.handheld)
  }

  #badge(): void {
    const now = performance.now()
    if (!this.#node || now - this.#badgeAt < BADGE_MS) return
    this.#badgeAt = now
    const { donate, jobs } = this.#node.view()
    const mine = jobs.find((job) => job.state === 'running')
    if (mine) {
      const part = mine.tasks.length === 0 ? 0 : mine.verified / mine.tasks.length
      this.shell.badge(Math.floor(part * 9), `${Math.floor(part * 100)} % ${mine.title}`)
    } else if (donate.state === 'idle') this.shell.badge(0, '')
    else this.shell.badge(Math.floor((donate.now?.permille ?? 0) / 112), stateWord(donate))
  }

  #conditions(): void {
    this.updateWaiting = this.shell.updateWaiting()
    if (this.shell.visible() && this.#dirty) this.#render()
  }

  /** How long a job's count has stood still. */
  quietMs(job: JobView): number {
    const seen = this.#moved.get(job.id)
    return seen ? this.nowMs - seen.at : 0
  }

  go(route: Route): void {
    location.hash = writeRoute(route)
  }

  /** The address follows what is looked at, without a step to go back for each square. */
  stay(route: Route): void {
    history.replaceState(null, '', writeRoute(route))
    this.route = route
  }

  goPlace(place: Place): void {
    this.go(readRoute(`#/${place}`))
  }

  /** A file that was dropped, pasted or chosen: a spec as text, a picture as it is. */
  async take(file: File): Promise<void> {
    const spec = /\.(md|markdown|txt)$/i.test(file.name) || file.type.startsWith('text/')
    if (spec && file.size > SPEC_BYTES_MAX) {
      this.said = `${file.name} is too large for a spec.`
      return
    }
    this.dropped = spec ? { name: file.name, text: await file.text() } : file
    this.goPlace('new')
  }

  start(): void {
    this.declined = false
    this.#ask((node) => node.start())
  }

  notNow(): void {
    this.declined = true
    this.said = 'Not now. Nothing runs.'
  }

  pause = (): void => this.#ask((node) => node.pause())
  resume = (): void => this.#ask((node) => node.resume())
  finish = (): void => this.#ask((node) => node.finish())
  stop = (): void => {
    this.updating = false
    this.#ask((node) => node.stop())
  }

  #ask(what: (node: NodeHandle) => void): void {
    if (!this.#node) return
    what(this.#node)
    this.#render()
  }

  /** Applies at once; there is no save button to forget. */
  limit(change: Partial<Limits>): void {
    if (!this.limits) return
    this.limits = { ...this.limits, ...change }
    const limits = this.limits
    this.#ask((node) => node.setLimits(limits))
  }

  resumeHalf(): void {
    if (this.limits) this.limit({ share: Math.max(0.05, Math.round(this.limits.share * 10) / 20) })
    this.#ask((node) => {
      node.condition('device-lost', false)
      node.resume()
    })
  }

  /** What the browser cannot sense is asked of the person. */
  tell(reason: PauseReason, present: boolean): void {
    this.#ask((node) => node.condition(reason, present))
  }

  submit(compiled: Compiled): JobId | null {
    const id = this.#node?.submit(compiled.job, compiled.title, compiled.inputs) ?? null
    if (id !== null) {
      this.#render()
      this.said = `${compiled.title}: handed to the swarm as ${plural(compiled.tasks, 'unit', 'units')}.`
    }
    return id
  }

  cancel = (job: JobId): void => this.#ask((node) => node.cancel(job))
  resumeJob = (job: JobId): void => this.#ask((node) => node.resumeJob(job))
  forgetJob = (job: JobId): void => this.#ask((node) => node.forgetJob(job))
  output = (job: JobId, name: string): Uint8Array<ArrayBuffer> | null =>
    this.#node?.output(job, name) ?? null

  /** Finish this task, then update: the page is loaded anew only when nothing computes. */
  update(): void {
    this.updating = true
    const state = this.view?.donate.state
    if (state === 'working' || state === 'ready' || state === 'paused') this.finish()
    this.#putUpdateIn()
  }

  #putUpdateIn(): void {
    if (!this.updating) return
    const view = this.#node?.view()
    const busy = view?.donate.state === 'working' || view?.donate.state === 'finishing'
    if (!busy) this.shell.applyUpdate()
  }

  /** The page's clock: called once a second while there is something to count. */
  tick(): void {
    if (this.shell.visible()) this.nowMs = performance.now()
  }
}

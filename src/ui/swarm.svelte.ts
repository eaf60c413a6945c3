/** The one view model: what the screens read, and what a person may ask of the node. */
import type { JobId } from '../base/ids.ts'
import type { JobView, Limits, NodeHandle, PauseReason, Problem, View } from '../peer/view.ts'
import type { Range } from './eta.ts'
import type { LogLine } from './logbook.ts'
import { Look } from './look.svelte.ts'
import type { TextWish } from './model-services.ts'
import { readRoute, writeRoute, type Place, type Route } from './route.ts'
import { Seen } from './seen.svelte.ts'
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
import { frame as t } from './text/frame.ts'

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
  readonly #seen: Seen
  phase = $state.raw<Phase>({ kind: 'loading', stage: t.stages.program })
  limits = $state.raw<Limits | null>(null)
  services = $state.raw<Services | null>(null)
  probe = $state.raw<Probe | null>(null)
  route = $state.raw<Route>({ place: 'donate' })
  /** "Not now" was said: the contract stays folded until asked for. */
  declined = $state.raw(false)
  updateWaiting = $state.raw(false)
  /** An update is put in as soon as the task at hand is done. */
  updating = $state.raw(false)
  /** What is open over the screen; another object each time, so that one opened twice is two. */
  dialog = $state.raw<{ readonly name: 'help' | 'log' } | null>(null)
  /** A spec somebody dropped or pasted, on its way to the playground. */
  dropped = $state.raw<SpecFile | File | null>(null)
  /** Files of a model, on their way to Chat. */
  brought = $state.raw<readonly File[] | null>(null)
  /** What a spec asks of a model, on its way there, too. */
  wished = $state.raw<TextWish | null>(null)
  /** What has been wrong since the page was opened, such as storage that keeps nothing. */
  troubles = $state.raw<readonly Problem[]>([])
  /** No direct links: chosen here, in force since the page was loaded. */
  readonly relayedOnly: boolean

  #node: NodeHandle | null = null
  #updated = false

  constructor(shell: Shell) {
    this.shell = shell
    this.look = new Look(shell)
    this.relayedOnly = shell.recall('relayed-only') === 'yes'
    this.#seen = new Seen(shell, this.look, (view) => this.#rendered(view))
    shell.watch(() => this.#conditions())
    this.#conditions()
  }

  get view(): View | null {
    return this.#seen.view
  }
  get log(): readonly LogLine[] {
    return this.#seen.log
  }
  get nowMs(): number {
    return this.#seen.nowMs
  }
  /** The last thing worth saying aloud. */
  get said(): string {
    return this.#seen.said
  }
  set said(text: string) {
    this.#seen.said = text
  }
  tick = (): void => this.#seen.tick()
  forecast = (job: JobView): Range | null => this.#seen.forecast(job)

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
          trouble: (problem) => {
            const others = this.troubles.filter(({ code }) => code !== problem.code)
            this.troubles = [...others, problem]
          },
          relayedOnly: this.relayedOnly,
          save: (name, bytes) => this.shell.save(name, bytes),
        }),
      )
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause)
      this.fail({ code: 'not-loaded', text: t.said.notLoaded(text) })
    }
  }

  /** What could not be loaded at all: one sentence, and loading anew as the way out. */
  fail(problem: Problem): void {
    const run = async (): Promise<null> => {
      this.shell.reload()
      return null
    }
    this.#settle({ kind: 'failed', problem, remedies: [{ label: t.again, run }] })
  }

  async moveHere(tab: OtherTab): Promise<void> {
    this.phase = { kind: 'loading', stage: t.stages.handOver }
    this.#settle(await tab.moveHere())
  }

  /** A way out that was offered; it may lead to a node after all. */
  async remedy(remedy: Remedy): Promise<void> {
    const booted = await remedy.run()
    if (booted) this.#settle(booted)
  }

  #settle(booted: Booted): void {
    this.#node = booted.kind === 'node' ? booted.node : null
    if (booted.kind === 'failed') {
      this.phase = { kind: 'failed', problem: booted.problem, remedies: booted.remedies }
    } else if (booted.kind === 'other-tab') {
      this.phase = { kind: 'other-tab', tab: booted.tab }
    } else {
      this.services = booted.services
      this.limits = booted.node.limits()
      this.phase = { kind: 'node' }
    }
    this.#seen.follow(this.#node)
  }

  #rendered({ donate }: View): void {
    const running = ['ready', 'working', 'finishing', 'measuring'].includes(donate.state)
    this.services?.keepAwake(running && this.look.awake && this.shell.handheld)
    this.#putUpdateIn()
  }

  #conditions(): void {
    this.updateWaiting = this.shell.updateWaiting()
    this.#seen.catchUp()
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
      this.said = t.said.tooLarge(file.name)
      return
    }
    this.dropped = spec ? { name: file.name, text: await file.text() } : file
    this.goPlace('new')
  }

  takeModel(files: readonly File[]): void {
    this.brought = files
    this.goPlace('chat')
  }

  takeWish(wish: TextWish): void {
    this.wished = wish
    this.goPlace('chat')
  }

  start(): void {
    this.declined = false
    this.#ask((node) => node.start())
  }

  notNow(): void {
    this.declined = true
    this.said = t.said.notNow
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
    this.#seen.render()
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
      this.#seen.render()
      this.said = t.said.handed(compiled.title, compiled.tasks)
    }
    return id
  }

  cancel = (job: JobId): void => this.#ask((node) => node.cancel(job))
  /** Reads a job back from the disk, and goes on with it where something is left to do. */
  resumeJob = (job: JobId): void => this.#ask((node) => node.resumeJob(job))
  /** A job that ended without a result is handed in again: what was verified is kept and not paid twice. */
  retry = ({ job, title }: JobView): void => this.#ask((node) => void node.submit(job, title, {}))
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
    const state = this.#node?.view().donate.state
    if (state === 'working' || state === 'finishing' || this.#updated) return
    this.#updated = true
    this.shell.applyUpdate()
  }
}

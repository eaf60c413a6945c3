/** A job being written: the open spec, the values of its form, and what it would cost, kept up to date. */
import { untrack } from 'svelte'
import type {
  Compiled,
  Draft,
  OpenSpec,
  Services,
  SlotValue,
  SpecFile,
  SpecProblem,
} from './services.ts'

/** Typing is let come to rest before the plan is made anew. */
const REST_MS = 200

export class Writing {
  readonly services: Services
  spec = $state.raw<OpenSpec | null>(null)
  values = $state.raw<Readonly<Record<string, string>>>({})
  slots = $state.raw<Readonly<Record<string, SlotValue>>>({})
  /** Sizes that follow from files, shown in place of the values until somebody sets another. */
  fitted = $state.raw<Readonly<Record<string, string>>>({})
  free = $state.raw(false)
  compiled = $state.raw<Compiled | null>(null)
  /** The spec that could not be opened, to be mended by hand. */
  refused = $state.raw<SpecFile | null>(null)
  problem = $state.raw<SpecProblem | null>(null)
  busy = $state.raw(false)

  #turn = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(services: Services) {
    this.services = services
  }

  /** Opens a spec; values of an earlier one are not carried over. */
  async open(file: SpecFile): Promise<boolean> {
    const turn = ++this.#turn
    const opened = await this.services.openSpec(file)
    if (turn !== this.#turn) return false
    if (!opened.ok) {
      this.problem = opened.error
      this.refused = file
      return false
    }
    this.spec = opened.value
    this.refused = null
    this.values = Object.fromEntries(opened.value.fields.map((field) => [field.key, field.value]))
    this.slots = {}
    this.fitted = {}
    this.compiled = null
    this.problem = null
    this.#soon(0)
    return true
  }

  set(key: string, value: string): void {
    this.values = { ...this.values, [key]: value }
    const { [key]: _, ...rest } = this.fitted
    this.fitted = rest
    this.#soon(REST_MS)
  }

  fill(slot: string, value: SlotValue | null): void {
    const { [slot]: _, ...rest } = this.slots
    this.slots = value ? { ...rest, [slot]: value } : rest
    this.#soon(0)
  }

  setFree(free: boolean): void {
    this.free = free
    this.#soon(0)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#turn += 1
  }

  #soon(wait: number): void {
    const turn = ++this.#turn
    this.busy = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#compile(turn), wait)
  }

  async #compile(turn: number): Promise<void> {
    const spec = untrack(() => this.spec)
    if (!spec) return
    const draft: Draft = untrack(() => ({
      values: this.values,
      slots: this.slots,
      free: this.free,
    }))
    const compiled = await this.services.compile(spec, draft)
    // A later change has been made meanwhile: its answer is the one that counts.
    if (turn !== this.#turn) return
    this.busy = false
    this.compiled = compiled.ok ? compiled.value : null
    this.fitted = compiled.ok ? compiled.value.fitted : {}
    this.problem = compiled.ok ? null : compiled.error
  }
}

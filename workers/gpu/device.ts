/**
 * The adapter and its device, asked for again when lost, but not for ever: after two losses within two
 * minutes Chromium takes the adapter away from the whole site for that long, so we wait before it does.
 */
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { BufferPool } from './buffers.ts'
import { Pipelines } from './pipelines.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'

export type AdapterKind = 'gpu' | 'software'

export type AdapterLabel = {
  readonly kind: AdapterKind
  /** `Software adapter (swiftshader)`, `NVIDIA ada-lovelace`: for a person. */
  readonly label: string
}

export type Gpu = {
  readonly device: GPUDevice
  readonly adapter: AdapterLabel
  readonly buffers: BufferPool
  readonly pipelines: Pipelines
  readonly loss: Loss
}

/** Whether a device is gone, and who wants to hear of it: a promise would keep every one who ever asked. */
export class Loss {
  #why: string | null = null
  readonly #waiting = new Set<(why: string) => void>()

  tell(why: string): void {
    this.#why = why
    for (const then of this.#waiting) then(why)
    this.#waiting.clear()
  }

  /** Calls back once, at once if it is gone already; the answer takes the wish back. */
  listen(then: (why: string) => void): () => void {
    if (this.#why === null) this.#waiting.add(then)
    else then(this.#why)
    return () => {
      this.#waiting.delete(then)
    }
  }
}

/** Losses in this time count; more of them than the limit and we wait for the oldest to pass. */
const LONG_WINDOW_MS = 10 * 60_000
const MAX_LOSSES = 3
const SHORT_WINDOW_MS = 2 * 60_000

/** CPUs in the clothes of a GPU, by the names their drivers give. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|warp|basic render/i

export const labelOf = (info: GPUAdapterInfo): AdapterLabel => {
  const words = [info.vendor, info.architecture, info.device, info.description]
  const named = SOFTWARE.exec(words.join(' '))?.[0]
  if (named !== undefined || info.isFallbackAdapter) {
    return {
      kind: 'software',
      label: `Software adapter (${named ?? (info.description || 'fallback')})`,
    }
  }
  const label = [...new Set([info.vendor, info.architecture])].filter((w) => w !== '').join(' ')
  return { kind: 'gpu', label: label === '' ? 'GPU' : label }
}

export class DeviceKeeper {
  readonly #gpu: GPU
  readonly #budgetBytes: number
  #current: Promise<Result<Gpu, ComputeError>> | null = null
  #losses: number[] = []
  #closed = false

  constructor(gpu: GPU, budgetBytes: number) {
    this.#gpu = gpu
    this.#budgetBytes = budgetBytes
  }

  /** Losses in the last ten minutes. */
  get losses(): number {
    return this.#losses.filter((at) => at > performance.now() - LONG_WINDOW_MS).length
  }

  async get(): Promise<Result<Gpu, ComputeError>> {
    if (this.#closed) return err(computeError('device-lost', 'closed'))
    if (this.#current === null) {
      const waitMs = this.#waitMs()
      if (waitMs > 0) {
        const detail = `lost ${this.losses} times; asking again would lose it for longer`
        return err({ ...computeError('device-lost', detail), retryAfterMs: waitMs })
      }
      this.#current = this.#open()
    }
    const opening = this.#current
    const opened = await opening
    if (!opened.ok && this.#current === opening) this.#current = null
    return opened
  }

  async close(): Promise<void> {
    this.#closed = true
    const opened = await this.#current
    if (opened?.ok === true) opened.value.device.destroy()
  }

  #waitMs(): number {
    const now = performance.now()
    const recent = this.#losses.filter((at) => at > now - LONG_WINDOW_MS)
    const last = recent.at(-1) ?? -Infinity
    const before = recent.at(-2) ?? -Infinity
    const short = last - before < SHORT_WINDOW_MS ? last + SHORT_WINDOW_MS - now : 0
    const long = recent.length >= MAX_LOSSES ? recent.at(-MAX_LOSSES)! + LONG_WINDOW_MS - now : 0
    return Math.max(0, short, long)
  }

  async #open(): Promise<Result<Gpu, ComputeError>> {
    try {
      const adapter = await this.#gpu.requestAdapter({ powerPreference: 'high-performance' })
      if (adapter === null) return err(computeError('device-lost', 'there is no adapter'))
      const device = await adapter.requestDevice(wishes(adapter))
      const loss = new Loss()
      void device.lost.then(({ reason, message }) => {
        this.#current = null
        if (!this.#closed) this.#losses = [...this.#losses, performance.now()].slice(-MAX_LOSSES)
        loss.tell(`${reason}: ${message}`)
      })
      return ok({
        device,
        adapter: labelOf(adapter.info),
        buffers: new BufferPool(device, this.#budgetBytes),
        pipelines: new Pipelines(device),
        loss,
      })
    } catch (error) {
      return err(computeError('device-lost', String(error)))
    }
  }
}

/** Large buffers and subgroups, where the adapter has them. */
const wishes = ({ features, limits }: GPUAdapter): GPUDeviceDescriptor => ({
  requiredFeatures: features.has('subgroups') ? ['subgroups'] : [],
  requiredLimits: {
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
  },
})

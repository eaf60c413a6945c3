/** Compiled shaders, kept by their text: compiling takes 50 to 300 ms, and again every time. */
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'

/** More programs than a person runs side by side; a pipeline takes some hundred KB. */
const MAX_PIPELINES = 32

type Made = Result<GPUComputePipeline, ComputeError>

export class Pipelines {
  readonly #device: GPUDevice
  readonly #most: number
  /** Least recently used first; those that still compile are here too. */
  readonly #kept = new Map<string, Promise<Made>>()

  constructor(device: GPUDevice, most = MAX_PIPELINES) {
    this.#device = device
    this.#most = most
  }

  /** One that is asked for twice compiles once. What failed is tried again. */
  async get(source: string, entry: string): Promise<Made> {
    const key = `${entry}\n${source}`
    const making = this.#kept.get(key) ?? this.#compile(source, entry)
    this.#kept.delete(key)
    this.#kept.set(key, making)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break
      this.#kept.delete(oldest)
    }
    const made = await making
    if (!made.ok && this.#kept.get(key) === making) this.#kept.delete(key)
    return made
  }

  async #compile(source: string, entry: string): Promise<Made> {
    this.#device.pushErrorScope('validation')
    const module = this.#device.createShaderModule({ code: source })
    const scope = this.#device.popErrorScope()
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, entryPoint: entry },
      })
      await scope
      return ok(pipeline)
    } catch (error) {
      const wrong = await scope.catch(() => null)
      return err(computeError('shader-failed', wrong?.message ?? String(error)))
    }
  }
}

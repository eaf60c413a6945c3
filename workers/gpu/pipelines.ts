/** Compiled shaders, kept by their text: compiling takes 50 to 300 ms, and again every time. */
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'

/** More programs than a person runs side by side; a pipeline takes some hundred KB. */
const MAX_PIPELINES = 32

export class Pipelines {
  readonly #device: GPUDevice
  readonly #most: number
  /** Least recently used first. */
  readonly #kept = new Map<string, GPUComputePipeline>()

  constructor(device: GPUDevice, most = MAX_PIPELINES) {
    this.#device = device
    this.#most = most
  }

  async get(source: string, entry: string): Promise<Result<GPUComputePipeline, ComputeError>> {
    const key = `${entry}\n${source}`
    const known = this.#kept.get(key)
    const made = known === undefined ? await this.#compile(source, entry) : ok(known)
    if (!made.ok) return made
    this.#kept.delete(key)
    this.#kept.set(key, made.value)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break
      this.#kept.delete(oldest)
    }
    return made
  }

  async #compile(source: string, entry: string): Promise<Result<GPUComputePipeline, ComputeError>> {
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

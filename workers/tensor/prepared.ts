/** A graph made ready to run, whatever it runs on. */
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Control } from '../runnable.ts'
import type { Tables } from './tables.ts'

/** What computes: WebGPU with one of two families of kernels, WebAssembly, or the operators' references. */
export type EngineKind = 'gpu' | 'software' | 'wasm' | 'reference'

export type GraphRun = {
  /** As the graph's outputs without states. */
  readonly outputs: readonly Tensor[]
  /** Time the device was busy with it, without the pauses. */
  readonly computeMs: number
  /** busy / wall, as measured. */
  readonly share: number
  readonly slices: number
}

export type Prepared = {
  readonly kind: EngineKind
  /** What it holds until it is closed. */
  readonly bytes: number
  /** `inputs` as the graph's inputs without states, which are in `tables`; one run at a time. */
  run(
    inputs: readonly Tensor[],
    control: Control,
    tables?: readonly Tables[],
  ): Promise<Result<GraphRun, ComputeError>>
  close(): void
}

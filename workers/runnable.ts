/** What an engine needs of a kernel. A stranger's admitted kernel is one too, without a CPU version. */
import type { ShaderKernel, TensorData } from '../kernels/kernel.ts'

export type Runnable = Omit<ShaderKernel, 'check' | 'reference' | 'range'> &
  Partial<Pick<ShaderKernel, 'reference'>>

/** A task whose parameters were read and whose inputs have the right sizes. */
export type Work = {
  readonly kernel: Runnable
  readonly p: unknown
  /** The bytes of each input, as they came. */
  readonly inputs: readonly Uint8Array<ArrayBuffer>[]
  readonly views: readonly TensorData[]
}

/** What the one who asked may do while a task runs; asked between slices. */
export type Control = {
  /** Part of wall time to be busy, 0.05 to 1. */
  share(): number
  cancelled(): boolean
  progress(permille: number): void
}

/** All of the time, and nobody who looks on. */
export const FREE: Control = {
  share: () => 1,
  cancelled: () => false,
  progress: () => undefined,
}

export type Finished = {
  readonly output: Uint8Array<ArrayBuffer>
  /** Time the device was busy with the task, without the pauses. */
  readonly computeMs: number
  /** busy / wall, as measured. */
  readonly share: number
  readonly slices: number
}

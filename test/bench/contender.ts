/** One of those that `swarm bench kernels` lets run in turn: ours, or another library in the same page. */
import type { Subject } from './subjects.ts'

/** A subject on a contender's device, inputs uploaded. */
export type Prepared = {
  /** Runs it so often, one after another, and waits until the device has done all of it. */
  run(times: number): Promise<void>
  /** Runs it once and reads the answer back, in the subject's order of elements. */
  read(): Promise<Float32Array>
  close(): void
}

export type Contender = {
  readonly name: string
  /** Others are told, and not compared with: what runs on the CPU is another kind of thing. */
  readonly gpu: boolean
  prepare(subject: Subject): Promise<Prepared>
}

/** Where the page finds the peers' packages: nothing of them is in any bundle. */
export const PEERS = '/peers'

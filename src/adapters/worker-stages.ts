/**
 * Stages of models in the worker that computes. Leaves go to it one by one, as it asks for them; they and rows are
 * copied once and then moved, so that the caller's stay hers. A worker that ended takes its stages with it, and
 * says so of each that is asked for.
 */
import { proxy, transfer } from 'comlink'
import { ok } from '../base/result.ts'
import type { Stages } from '../ports.ts'
import type { WorkerLane } from './worker-lane.ts'

export const workerStages = (lane: WorkerLane): Stages => ({
  open(stage, read, progress) {
    const heard = proxy((permille: number): void => {
      lane.progress()
      progress(permille)
    })
    const leaf = proxy(async (name: Parameters<typeof read>[0]) => {
      const found = await read(name)
      lane.progress()
      if (!found.ok) return found
      const bytes = found.value.slice()
      return transfer(ok(bytes), [bytes.buffer])
    })
    return lane.call((service) => service.openStage(stage, leaf, heard))
  },
  step(step, share) {
    lane.setShare(share)
    const { input } = step
    const copy = input instanceof Uint8Array ? input.slice() : input
    const buffers = copy instanceof Uint8Array ? [copy.buffer] : []
    return lane.call((service) => {
      lane.tellShare(service)
      return service.stepStage(transfer({ ...step, input: copy }, buffers))
    })
  },
  forget: (stage, session) => lane.tell((service) => service.forgetStage(stage, session)),
  close: (stage) => lane.tell((service) => service.closeStage(stage)),
})

/** The tensor engine itself: what a node runs, without the worker around it. */
import { bind } from '../../../kernels/tensor/bind.ts'
import { lower } from '../../../kernels/tensor/lower.ts'
import { DeviceKeeper } from '../../../workers/gpu/device.ts'
import { TensorRunner } from '../../../workers/tensor/runner.ts'
import { targetOf } from '../../../workers/tensor/target.ts'
import type { Gpu } from '../../../workers/gpu/device.ts'
import type { Contender } from '../contender.ts'

const BUDGET_BYTES = 2 ** 31

export const openOurs = async (): Promise<{ contender: Contender; gpu: Gpu }> => {
  const opened = await new DeviceKeeper(navigator.gpu, BUDGET_BYTES).get()
  if (!opened.ok) throw new Error(opened.error.detail)
  const { device } = opened.value
  const runner = new TensorRunner(opened.value)
  const contender: Contender = {
    name: 'ours',
    gpu: true,
    async prepare({ graph, inputs }) {
      const bound = bind(graph, inputs)
      if (!bound.ok) throw new Error(bound.error.detail)
      const prepared = await runner.prepare(lower(bound.value, targetOf(device)))
      if (!prepared.ok) throw new Error(prepared.error.detail)
      const program = prepared.value
      program.upload(inputs)
      return {
        async run(times) {
          for (let i = 0; i < times; i++) await program.compute()
          await device.queue.onSubmittedWorkDone()
        },
        async read() {
          await program.compute()
          const [answer] = await program.download()
          return answer!.data as Float32Array
        },
        close: () => program.close(),
      }
    },
  }
  return { contender, gpu: opened.value }
}

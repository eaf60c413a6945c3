/** The tensor engine as a node without a GPU has it, with the pieces and rests around WebAssembly. */
import { bind } from '../../../kernels/tensor/bind.ts'
import { FREE } from '../../../workers/runnable.ts'
import { TensorEngine } from '../../../workers/tensor/engine.ts'
import type { Tensor } from '../../../kernels/tensor/tensor.ts'
import type { Contender } from '../contender.ts'

const BUDGET_BYTES = 2 ** 31
/** As ONNX Runtime's beside it. */
const THREADS = 2

export const openOursOnCpu = (): Contender => {
  const engine = new TensorEngine({ memoryBytes: BUDGET_BYTES, threads: THREADS, force: 'cpu' })
  return {
    name: 'ours',
    gpu: false,
    async prepare({ graph, inputs }) {
      const bound = bind(graph, inputs)
      if (!bound.ok) throw new Error(bound.error.detail)
      const prepared = await engine.prepare(bound.value)
      if (!prepared.ok) throw new Error(prepared.error.detail)
      const once = async (): Promise<Tensor> => {
        const ran = await prepared.value.run(inputs, FREE)
        if (!ran.ok) throw new Error(ran.error.detail)
        return ran.value.outputs[0]!
      }
      return {
        async run(times) {
          for (let i = 0; i < times; i++) await once()
        },
        read: async () => (await once()).data as Float32Array,
        close: () => prepared.value.close(),
      }
    },
  }
}

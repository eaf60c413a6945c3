/** ONNX Runtime Web: its native WebGPU kernels, those of the default bundle, and WebAssembly on two threads. */
import { PEERS, type Contender } from '../contender.ts'
import { valueName, writeModel } from '../../../src/models/onnx/write-model.ts'
import type { Graph } from '../../../kernels/tensor/graph.ts'
import type { Tensor } from '../../../kernels/tensor/tensor.ts'
import type { Subject } from '../subjects.ts'

type OrtTensor = { getData(): Promise<Float32Array>; dispose(): void }
type Session = {
  readonly outputNames: readonly string[]
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
  release(): Promise<void>
}
type Dims = { dataType: 'float32'; dims: readonly number[] }
/** What we use of it; the package is not installed where types are checked. */
type Ort = {
  readonly env: {
    logLevel: string
    readonly wasm: { wasmPaths: string; numThreads: number }
    readonly webgpu: { readonly device: Promise<GPUDevice> }
  }
  readonly InferenceSession: { create(bytes: Uint8Array, options: object): Promise<Session> }
  readonly Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): OrtTensor
    fromGpuBuffer(buffer: GPUBuffer, options: Dims): OrtTensor
  }
}

type Bundle = { readonly file: string; readonly name: string; readonly gpu: boolean }

const WASM: Bundle = { file: 'ort.wasm.min.mjs', name: 'ORT wasm, 2 threads', gpu: false }
const BUNDLES: readonly Bundle[] = [
  { file: 'ort.webgpu.min.mjs', name: 'ORT webgpu', gpu: true },
  { file: 'ort.min.mjs', name: 'ORT default', gpu: true },
  WASM,
]
const THREADS = 2

type Feeds = { readonly feeds: Record<string, OrtTensor>; free(): void }

export const openOrts = (): Promise<Contender[]> => Promise.all(BUNDLES.map(open))
export const openOrtWasm = (): Promise<Contender> => open(WASM)

const open = async ({ file, name, gpu }: Bundle): Promise<Contender> => {
  const url = `${PEERS}/onnxruntime-web/dist/${file}`
  const ort = (await import(/* @vite-ignore */ url)) as Ort
  ort.env.logLevel = 'error'
  ort.env.wasm.wasmPaths = `${PEERS}/onnxruntime-web/dist/`
  ort.env.wasm.numThreads = gpu ? 1 : THREADS
  const options = gpu
    ? { executionProviders: ['webgpu'], preferredOutputLocation: 'gpu-buffer' }
    : { executionProviders: ['wasm'] }
  return {
    name,
    gpu,
    async prepare(subject) {
      const { graph, plain, inputs } = subject
      const session = await ort.InferenceSession.create(modelOf(plain ?? graph, inputs), options)
      // There is a device once there is a session.
      const device = gpu ? await ort.env.webgpu.device : null
      const { feeds, free } = device === null ? onCpu(ort, subject) : onGpu(ort, device, subject)
      const [output] = session.outputNames
      const once = async (): Promise<OrtTensor> => (await session.run(feeds))[output!]!
      return {
        async run(times) {
          const found: OrtTensor[] = []
          for (let i = 0; i < times; i++) found.push(await once())
          await device?.queue.onSubmittedWorkDone()
          for (const each of found) each.dispose()
        },
        async read() {
          const found = await once()
          const data = (await found.getData()).slice()
          found.dispose()
          return data
        },
        close() {
          free()
          void session.release()
        },
      }
    },
  }
}

const modelOf = (graph: Graph, inputs: readonly Tensor[]): Uint8Array => {
  const written = writeModel(graph, new Map(graph.inputs.map((id, i) => [id, inputs[i]!])))
  if (!written.ok) throw new Error(written.error.detail)
  return written.value
}

const onCpu = ({ Tensor }: Ort, { inputs, graph }: Subject): Feeds => {
  const made = inputs.map(({ data, shape }, i) => {
    return [
      valueName(graph.inputs[i]!),
      new Tensor('float32', data as Float32Array, shape),
    ] as const
  })
  return { feeds: Object.fromEntries(made), free: () => undefined }
}

const onGpu = ({ Tensor }: Ort, device: GPUDevice, { inputs, graph }: Subject): Feeds => {
  const buffers = inputs.map(({ data }) => {
    const bytes = data as Float32Array<ArrayBuffer>
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC
    const buffer = device.createBuffer({ size: Math.ceil(bytes.byteLength / 16) * 16, usage })
    device.queue.writeBuffer(buffer, 0, bytes)
    return buffer
  })
  const made = buffers.map((buffer, i) => {
    const dims = { dataType: 'float32', dims: inputs[i]!.shape } as const
    return [valueName(graph.inputs[i]!), Tensor.fromGpuBuffer(buffer, dims)] as const
  })
  return { feeds: Object.fromEntries(made), free: () => buffers.forEach((one) => one.destroy()) }
}

/** ONNX Runtime Web: its native WebGPU kernels with tables that stay on the device, and WebAssembly on two threads. */
import { valueName, writeModel } from '../../../src/models/onnx/write-model.ts'
import { PEERS } from '../contender.ts'
import { CACHED, PROMPT, type BenchModel } from './model.ts'
import { plainGraph, type PlainGraph } from './plain-graph.ts'
import type { LlmContender } from './contender.ts'

type OrtTensor = { getData(): Promise<Float32Array>; dispose(): void }
type Feeds = Record<string, OrtTensor>
type Session = { run(feeds: Feeds): Promise<Record<string, OrtTensor>> }
/** What we use of it; the package is not installed where types are checked. */
type Ort = {
  readonly env: { logLevel: string; readonly wasm: { wasmPaths: string; numThreads: number } }
  readonly InferenceSession: { create(bytes: Uint8Array, options: object): Promise<Session> }
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => OrtTensor
}

const THREADS = 2
const SIDES = {
  webgpu: { file: 'ort.webgpu.min.mjs', name: 'ORT webgpu' },
  wasm: { file: 'ort.wasm.min.mjs', name: 'ORT wasm, 2 threads' },
} as const

export const openOrt = async (
  made: BenchModel,
  side: keyof typeof SIDES,
): Promise<LlmContender> => {
  const { file, name } = SIDES[side]
  const ort = (await import(/* @vite-ignore */ `${PEERS}/onnxruntime-web/dist/${file}`)) as Ort
  ort.env.logLevel = 'error'
  ort.env.wasm.wasmPaths = `${PEERS}/onnxruntime-web/dist/`
  ort.env.wasm.numThreads = side === 'wasm' ? THREADS : 1
  const open = async (size: { fresh: number; past: number }): Promise<Opened> => {
    const plain = plainGraph(made, size)
    const written = writeModel(plain.graph, plain.types)
    if (!written.ok) throw new Error(written.error.detail)
    // Tables stay where they are; what is read is the logits.
    const places = [plain.logits, ...plain.after].map((id, i) => {
      return [valueName(id), i === 0 ? 'cpu' : 'gpu-buffer'] as const
    })
    const session = await ort.InferenceSession.create(written.value, {
      executionProviders: [side],
      ...(side === 'webgpu' ? { preferredOutputLocation: Object.fromEntries(places) } : {}),
    })
    return { plain, session }
  }
  const prompt = await open({ fresh: PROMPT, past: 0 })
  const talk = await open({ fresh: CACHED, past: 0 })
  const token = await open({ fresh: 1, past: CACHED })
  const run = (
    { plain, session }: Opened,
    tokens: readonly number[],
    before: readonly OrtTensor[],
  ) =>
    session.run({
      [valueName(plain.tokens)]: new ort.Tensor('int64', BigInt64Array.from(tokens, BigInt), [
        tokens.length,
      ]),
      ...Object.fromEntries(plain.before.map((id, i) => [valueName(id), before[i]!])),
    })
  const logitsOf = async ({ plain }: Opened, found: Record<string, OrtTensor>) => {
    const data = await found[valueName(plain.logits)]!.getData()
    for (const one of Object.values(found)) one.dispose()
    return data
  }
  let tables: readonly OrtTensor[] = []
  return {
    name,
    gpu: side === 'webgpu',
    prefill: async (tokens) => logitsOf(prompt, await run(prompt, tokens, [])),
    async say(tokens) {
      const found = await run(talk, tokens, [])
      tables = talk.plain.after.map((id) => found[valueName(id)]!)
    },
    decode: async (one) => logitsOf(token, await run(token, [one], tables)),
  }
}

type Opened = { readonly plain: PlainGraph; readonly session: Session }

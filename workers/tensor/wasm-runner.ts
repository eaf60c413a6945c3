/**
 * The engine of tabs without a usable GPU: graphs as ONNX models on ONNX Runtime's WebAssembly backend. It
 * is loaded when the first one is opened, as it weighs some megabytes.
 */
import { err, ok } from '../../src/base/result.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import { computeError } from '../errors.ts'
import type * as Ort from 'onnxruntime-web/wasm'
import type { ElementType, Numbers, Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'

/** What goes wrong is in the error; it need not be said aloud too. */
const SILENT = 4

/** A model, the names it reads and writes, and numbers of constants that are not in its bytes. */
export type WasmModel = {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly outside: readonly { readonly path: string; readonly data: Uint8Array }[]
}

export class WasmRunner {
  readonly #ort: typeof Ort
  /** One model is made after the other: what is outside of it is there for all that are being made. */
  #making: Promise<unknown> = Promise.resolve()

  private constructor(ort: typeof Ort) {
    this.#ort = ort
  }

  /**
   * `threads` above 1 need a page that is isolated from others. The engine itself comes with its first model,
   * so it is there for certain once `first` is.
   */
  static async open(threads: number, first: WasmModel): Promise<Result<WasmRunner, ComputeError>> {
    try {
      const ort = await import('onnxruntime-web/wasm')
      ort.env.wasm.numThreads = threads
      // What it refuses is said in an error; it need not be said aloud too.
      ort.env.logLevel = 'fatal'
      const runner = new WasmRunner(ort)
      const made = await runner.prepare(first)
      if (!made.ok) return made
      await made.value.close()
      return ok(runner)
    } catch (cause) {
      return err(computeError('device-lost', `no WebAssembly engine: ${String(cause)}`))
    }
  }

  prepare(model: WasmModel): Promise<Result<PreparedModel, ComputeError>> {
    const made = this.#making.then(() => this.#make(model))
    this.#making = made
    return made
  }

  async #make(model: WasmModel): Promise<Result<PreparedModel, ComputeError>> {
    try {
      const session = await this.#ort.InferenceSession.create(model.bytes, {
        executionProviders: ['wasm'],
        logSeverityLevel: SILENT,
        externalData: [...model.outside],
      })
      return ok(new PreparedModel(this.#ort, session, model))
    } catch (cause) {
      return err(computeError('unknown-kernel', String(cause)))
    }
  }
}

export class PreparedModel {
  readonly #ort: typeof Ort
  readonly #session: Ort.InferenceSession
  readonly #model: WasmModel

  constructor(ort: typeof Ort, session: Ort.InferenceSession, model: WasmModel) {
    this.#ort = ort
    this.#session = session
    this.#model = model
  }

  /** As many tensors as the model has inputs, and types as it has outputs. */
  async run(
    inputs: readonly Tensor[],
    types: readonly TensorType[],
  ): Promise<Result<readonly Tensor[], ComputeError>> {
    const { inputs: names, outputs } = this.#model
    try {
      const feeds = Object.fromEntries(names.map((name, i) => [name, this.#toOrt(inputs[i]!)]))
      const found = await this.#session.run(feeds, { logSeverityLevel: SILENT })
      return ok(types.map((type, i) => fromOrt(type, found[outputs[i]!]!)))
    } catch (cause) {
      return err(computeError('bad-param', String(cause)))
    }
  }

  async close(): Promise<void> {
    await this.#session.release()
  }

  #toOrt(tensor: Tensor): Ort.Tensor {
    const [type, pack] = FORMS[tensor.element]!
    return new this.#ort.Tensor(type, pack(tensor.data) as never, tensor.shape)
  }
}

type Packed = Ort.Tensor['data']
const whole = (data: Numbers): bigint[] => Array.from(data, (x) => BigInt(Math.trunc(x)))
const floats = (data: Numbers): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data)

/** How ONNX Runtime takes each type that a model can be written with. */
const FORMS: Readonly<
  Partial<Record<ElementType, readonly [Ort.Tensor.Type, (data: Numbers) => Packed]>>
> = {
  f32: ['float32', floats],
  f64: ['float64', (data) => Float64Array.from(data)],
  i64: ['int64', (data) => BigInt64Array.from(whole(data))],
  u64: ['uint64', (data) => BigUint64Array.from(whole(data))],
  i32: ['int32', (data) => Int32Array.from(data)],
  u32: ['uint32', (data) => Uint32Array.from(data)],
  i16: ['int16', (data) => Int16Array.from(data)],
  u16: ['uint16', (data) => Uint16Array.from(data)],
  i8: ['int8', (data) => Int8Array.from(data)],
  u8: ['uint8', (data) => Uint8Array.from(data)],
  bool: ['bool', (data) => Uint8Array.from(data, (x) => (x === 0 ? 0 : 1))],
}

const fromOrt = (type: TensorType, found: Ort.Tensor): Tensor => {
  const data = found.data as ArrayLike<number | bigint>
  const numbers =
    found.data instanceof Float32Array
      ? found.data
      : Float64Array.from({ length: data.length }, (_, i) => Number(data[i]))
  if (numbers.length !== sizeOf(type)) throw new Error(`${numbers.length} numbers came back`)
  return { ...type, data: numbers }
}

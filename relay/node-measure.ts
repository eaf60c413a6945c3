/** What the CPU of a Node process can do, measured with the kernels it will be asked to run. */
import type { ShaderKernel, TensorData } from '../kernels/kernel.ts'
import { matmulI8 } from '../kernels/matmul-i8.ts'
import { matmul } from '../kernels/matmul.ts'
import { floats, signedBytes } from '../kernels/noise.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import type { Capability } from '../src/ports.ts'
import { runOnCpu } from '../workers/cpu.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'
import type { Control } from '../workers/runnable.ts'

/** A product that keeps the processor busy this long says enough. */
const ENOUGH_MS = 300
const FIRST_SIDE = 64
const LAST_SIDE = 1_024
const COPY_BYTES = 1 << 25
const COPY_MS = 200

export const measureCpu = async (
  memoryBytes: number,
  control: Control,
): Promise<Result<Capability, ComputeError>> => {
  const part = (from: number, to: number): Control => ({
    ...control,
    share: () => 1,
    progress: (permille) => control.progress(Math.floor(from + ((to - from) * permille) / 1000)),
  })
  const f32 = await grow(matmul, floats, part(0, 450))
  if (!f32.ok) return f32
  const i8 = await grow(matmulI8, signedBytes, part(450, 900))
  if (!i8.ok) return i8
  const copyBytesPerSecond = copyRate()
  control.progress(1000)
  const [f32FlopPerSecond, i8OpPerSecond] = [f32.value, i8.value]
  const label = 'CPU (Node), no GPU'
  return ok({
    adapter: 'cpu',
    label,
    f32FlopPerSecond,
    i8OpPerSecond,
    copyBytesPerSecond,
    memoryBytes,
    graphs: { engine: 'wasm', measured: {} },
  })
}

/** Doubles the side until the product takes long enough; the last and largest one counts. */
const grow = async (
  kernel: ShaderKernel,
  fill: (length: number, seed: number) => TensorData,
  control: Control,
): Promise<Result<number, ComputeError>> => {
  for (let side = FIRST_SIDE; ; side *= 2) {
    const parsed = kernel.parse({ m: side, k: side, n: side })
    if (!parsed.ok) return err(computeError('bad-param', parsed.error.param))
    const p = parsed.value
    const views = [fill(side * side, 1), fill(side * side, 2)]
    const done = await runOnCpu({ kernel, p, views, inputs: [] }, control, Infinity)
    if (!done.ok) return done
    const { computeMs } = done.value
    if (computeMs >= ENOUGH_MS / 4 || side >= LAST_SIDE) {
      return ok(Math.round((1000 * kernel.costFlop(p)) / Math.max(0.1, computeMs)))
    }
  }
}

/** Reads and writes both count: a copy of n bytes moves 2 n. */
const copyRate = (): number => {
  const from = new Uint8Array(COPY_BYTES).fill(7)
  const to = new Uint8Array(COPY_BYTES)
  const began = performance.now()
  let moved = 0
  while (performance.now() - began < COPY_MS) {
    to.set(from)
    moved += 2 * COPY_BYTES
  }
  return Math.round((1000 * moved) / (performance.now() - began))
}

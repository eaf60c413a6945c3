import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KERNELS } from '../../kernels/index.ts'
import { allocate, elements, viewAs } from '../../kernels/kernel.ts'
import { check } from '../../src/core/verify.ts'
import { ComputeEngine } from '../../workers/compute.ts'
import { DeviceKeeper } from '../../workers/gpu/device.ts'
import { shaderSource } from '../../kernels/shaders.ts'
import type { Kernel, KernelCase, TensorData } from '../../kernels/kernel.ts'

type Case = { readonly kernel: Kernel; readonly one: KernelCase }

const CASES: readonly Case[] = KERNELS.flatMap((kernel) => kernel.cases.map((one) => ({ kernel, one })))
const named = CASES.map((one) => [`${one.kernel.id}: ${one.one.name}`, one] as const)

const asBytes = ({ data }: { readonly data: TensorData }): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.slice().buffer as ArrayBuffer)

let count = 0
const compute = async (engine: ComputeEngine, { kernel, one }: Case): Promise<TensorData> => {
  const inputs = one.inputs().map(asBytes)
  const task = { id: `task ${count++}`, kernel: kernel.id, params: one.params, inputs }
  const done = await engine.run(task)
  if (!done.ok) throw new Error(`${done.error.code}: ${done.error.detail}`)
  return viewAs(outputOf(kernel, one).dtype, done.value.output)
}

const outputOf = (kernel: Kernel, one: KernelCase) => kernel.output(parsed(kernel, one))

const parsed = (kernel: Kernel, one: KernelCase): unknown => {
  const read = kernel.parse(one.params)
  if (!read.ok) throw new Error(`${read.error.param}: expected ${read.error.expected}`)
  return read.value
}

/** The largest |got - want| as a part of what is allowed; 0 where bits must agree and do. */
const worst = ({ kernel, one }: Case, got: TensorData): number => {
  const p = parsed(kernel, one)
  const inputs = one.inputs().map(({ data }) => data)
  const want = allocate(kernel.output(p).dtype, elements(kernel.output(p).shape))
  kernel.reference(p, inputs, 0, kernel.items(p), want)
  expect(got.length).toBe(want.length)
  const { tolerance, range } = kernel
  if (tolerance === undefined) return got.every((v, i) => v === want[i]) ? 0 : Infinity
  const largest = want.reduce((most: number, v: number) => Math.max(most, Math.abs(v)), 0)
  const limit = tolerance.abs + tolerance.rel * largest
  let most = 0
  for (let i = 0; i < want.length; i++) {
    if (range === undefined) most = Math.max(most, Math.abs(got[i]! - want[i]!) / limit)
    else {
      const { low, high, nan } = kernel.range!(p, inputs, i)
      const inside = Number.isNaN(got[i]!) ? nan : got[i]! >= low && got[i]! <= high
      if (!inside) throw new Error(`item ${i}: ${got[i]} outside [${low}, ${high}], want ${want[i]}`)
      const half = Math.max(high - want[i]!, want[i]! - low)
      if (Number.isFinite(half) && half > 0) {
        most = Math.max(most, Math.abs(got[i]! - Math.fround(want[i]!)) / half)
      }
    }
  }
  return most
}

describe.each([
  ['WebGPU', {}],
  ['the CPU', { force: 'cpu' }],
] as const)('on %s', (_name, options) => {
  const engine = new ComputeEngine(navigator.gpu, options)
  beforeAll(async () => {
    const adapter = await engine.open()
    expect(adapter.kind).toBe('force' in options ? 'cpu' : 'software')
  })
  afterAll(() => engine.close())

  it.each(named)('%s agrees with the reference and passes its check', async (_case, one) => {
    const got = await compute(engine, one)
    expect(worst(one, got)).toBeLessThanOrEqual(1)
    const inputs = one.one.inputs().map(({ data }) => data)
    const bytes = asBytes({ data: got })
    expect(check(one.kernel, one.one.params, inputs, bytes, [1, 2, 3, 4])).toMatchObject({
      kind: 'accepted',
    })
  })
})

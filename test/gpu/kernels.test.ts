import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KERNELS } from '../../kernels/index.ts'
import { allocate, elements, viewAs } from '../../kernels/kernel.ts'
import { check } from '../../src/core/verify.ts'
import { ComputeEngine } from '../../workers/compute.ts'
import { DeviceKeeper } from '../../workers/gpu/device.ts'
import { shaderSource } from '../../kernels/shaders.ts'
import type { KernelCase, ShaderKernel, TensorData } from '../../kernels/kernel.ts'

type Case = { readonly kernel: ShaderKernel; readonly one: KernelCase }

const CASES: readonly Case[] = KERNELS.flatMap((kernel) =>
  kernel.cases.map((one) => ({ kernel, one })),
)
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

const outputOf = (kernel: ShaderKernel, one: KernelCase) => kernel.output(parsed(kernel, one))

const parsed = (kernel: ShaderKernel, one: KernelCase): unknown => {
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
  let largest = 0
  for (const v of want) largest = Math.max(largest, Math.abs(v))
  const limit = tolerance.abs + tolerance.rel * largest
  let most = 0
  for (let i = 0; i < want.length; i++) {
    if (range === undefined) most = Math.max(most, Math.abs(got[i]! - want[i]!) / limit)
    else {
      const { low, high, nan } = kernel.range!(p, inputs, i)
      const inside = Number.isNaN(got[i]!) ? nan : got[i]! >= low && got[i]! <= high
      if (!inside)
        throw new Error(`item ${i}: ${got[i]} outside [${low}, ${high}], want ${want[i]}`)
      const half = Math.max(high - want[i]!, want[i]! - low)
      if (Number.isFinite(half) && half > 0) {
        most = Math.max(most, Math.abs(got[i]! - Math.fround(want[i]!)) / half)
      }
    }
  }
  return most
}

describe.each([
  ['WebGPU', { force: 'webgpu' }],
  ['the CPU', { force: 'cpu' }],
] as const)('on %s', (_name, options) => {
  const engine = new ComputeEngine(navigator.gpu, options)
  beforeAll(async () => {
    const adapter = await engine.open()
    expect(adapter.kind).toBe(options.force === 'cpu' ? 'cpu' : 'software')
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

describe('a shader', () => {
  it('gives the same bytes however its task is cut into slices', async () => {
    const keeper = new DeviceKeeper(navigator.gpu, 2 ** 28)
    const gpu = await keeper.get()
    if (!gpu.ok) throw new Error(gpu.error.detail)
    for (const one of CASES) {
      const whole = await dispatchCut(gpu.value.device, one, 1)
      for (const cuts of [2, 3, 7]) {
        const cut = await dispatchCut(gpu.value.device, one, cuts)
        expect(cut, `${one.kernel.id}: ${one.one.name}, ${cuts} slices`).toEqual(whole)
      }
    }
    await keeper.close()
  })

  it('of mandelbrot counts the same with its loops as written out', async () => {
    const keeper = new DeviceKeeper(navigator.gpu, 2 ** 28)
    const gpu = await keeper.get()
    if (!gpu.ok) throw new Error(gpu.error.detail)
    const one = CASES.find(({ kernel }) => kernel.id === 'mandelbrot@1')!
    const plain = { ...one.kernel, specialise: (source: string) => source }
    const loops = await dispatchCut(gpu.value.device, { ...one, kernel: plain }, 1)
    expect(await dispatchCut(gpu.value.device, one, 1)).toEqual(loops)
    await keeper.close()
  })
})

/** Runs a case in about `cuts` slices with nothing but WebGPU, so that the engine's own rules do not count. */
const dispatchCut = async (
  device: GPUDevice,
  { kernel, one }: Case,
  cuts: number,
): Promise<Uint8Array> => {
  const p = parsed(kernel, one)
  const plain = shaderSource(kernel.shader)!
  const module = device.createShaderModule({ code: kernel.specialise?.(plain, p) ?? plain })
  const entryPoint = kernel.entry?.(p) ?? 'main'
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint },
  })
  const padding = kernel.padding ?? 4
  const storage = (bytes: number): GPUBuffer =>
    device.createBuffer({
      size: Math.ceil(bytes / padding) * padding,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    })
  const inputs = one.inputs().map((tensor) => {
    const bytes = asBytes(tensor)
    const buffer = storage(bytes.byteLength)
    const whole = new Uint8Array(buffer.size)
    whole.set(bytes)
    device.queue.writeBuffer(buffer, 0, whole)
    return buffer
  })
  const type = kernel.output(p)
  const bytes = elements(type.shape) * allocate(type.dtype, 1).BYTES_PER_ELEMENT
  const output = storage(bytes)
  const items = kernel.items(p)
  const grain = kernel.grain?.(p) ?? 1
  const slice = Math.ceil(Math.ceil(items / cuts) / grain) * grain
  for (let from = 0; from < items; from += slice) {
    const { grid, uniforms } = kernel.dispatch(p, from, Math.min(items, from + slice))
    const block = device.createBuffer({
      size: uniforms.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    })
    device.queue.writeBuffer(block, 0, uniforms)
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [block, ...inputs, output].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    })
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(...grid)
    pass.end()
    device.queue.submit([encoder.finish()])
  }
  const staging = device.createBuffer({
    size: output.size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(output, 0, staging, 0, output.size)
  device.queue.submit([encoder.finish()])
  await staging.mapAsync(GPUMapMode.READ)
  const got = new Uint8Array(staging.getMappedRange().slice(0, bytes))
  for (const buffer of [...inputs, output, staging]) buffer.destroy()
  return got
}

/**
 * Admitted bombs on a real WebGPU: they end, and the GPU serves the next kernel. Admitted honest kernels
 * compute, to the bit, what their originals do.
 */
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { admit, MAX_WORK_PER_ITEM } from '../../kernels/admission.ts'
import { customKernel } from '../../kernels/custom.ts'
import { bombs } from '../wgsl-bombs/bombs.ts'
import { declared, kernel } from '../wgsl-bombs/bomb.ts'
import { honest } from '../wgsl-bombs/honest.ts'
import { mutant } from '../wgsl-bombs/mutants.ts'
import type { Admitted } from '../../kernels/admission.ts'

/** Fills its workgroups: an original has no guard against invocations beyond the end. */
const LENGTH = 1024
/** A bomb may be compiled and run in this time on two busy cores; its declared work is under 1 s. */
const BOMB_MS = 5000
const GOOD_MS = 5000

type Run = {
  readonly from?: number
  readonly to?: number
  readonly length?: number
  readonly group?: number
}

let device: GPUDevice
let x: GPUBuffer

beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter()
  if (!adapter) throw new Error('this browser has no WebGPU adapter')
  device = await adapter.requestDevice()
  x = device.createBuffer({
    size: 4 * LENGTH,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  })
  device.queue.writeBuffer(
    x,
    0,
    Float32Array.from({ length: LENGTH }, (_, i) => (i * 7919) % 101),
  )
})

const compile = async (source: string): Promise<GPUComputePipeline | string> => {
  const module = device.createShaderModule({ code: source })
  const { messages } = await module.getCompilationInfo()
  const errors = messages.filter(({ type }) => type === 'error')
  if (errors.length > 0)
    return errors.map(({ lineNum, message }) => `${lineNum}: ${message}`).join('\n')
  const buffer = (type: GPUBufferBindingType, binding: number): GPUBindGroupLayoutEntry => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type },
  })
  const entries = [buffer('uniform', 0), buffer('read-only-storage', 1), buffer('storage', 2)]
  const layout = device.createPipelineLayout({
    bindGroupLayouts: [device.createBindGroupLayout({ entries })],
  })
  return device.createComputePipelineAsync({ layout, compute: { module, entryPoint: 'main' } })
}

/** The words of the output after items [from, to). */
const run = async (
  pipeline: GPUComputePipeline,
  { from = 0, to = LENGTH, length = LENGTH, group = 64 }: Run = {},
): Promise<Uint32Array> => {
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage
  const params = device.createBuffer({ size: 64, usage: UNIFORM | COPY_DST })
  const y = device.createBuffer({ size: 4 * length, usage: STORAGE | COPY_SRC })
  const back = device.createBuffer({ size: 4 * length, usage: MAP_READ | COPY_DST })
  device.queue.writeBuffer(params, 0, Uint32Array.of(from, to - from))
  const entries = [params, x, y].map((buffer, binding) => ({ binding, resource: { buffer } }))
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(Math.ceil((to - from) / group))
  pass.end()
  encoder.copyBufferToBuffer(y, 0, back, 0, 4 * length)
  device.queue.submit([encoder.finish()])
  await back.mapAsync(GPUMapMode.READ)
  const words = new Uint32Array(back.getMappedRange().slice(0))
  for (const buffer of [params, y, back]) buffer.destroy()
  return words
}

const runnable = async (source: string): Promise<GPUComputePipeline> => {
  const pipeline = await compile(source)
  if (typeof pipeline === 'string') throw new Error(pipeline)
  return pipeline
}

const admitted = (source: string, iterations = 1000): Admitted => {
  const result = admit(source, declared(iterations))
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

describe('an admitted bomb', () => {
  const corpus = bombs().filter(({ expect: expected }) => expected === 'bounded')
  let good: GPUComputePipeline
  beforeAll(async () => {
    good = await runnable(admitted(kernel('a = a * 2.0;')).source)
  })
  const goodWorks = async (): Promise<void> => {
    const start = performance.now()
    const words = await run(good)
    expect(performance.now() - start).toBeLessThan(GOOD_MS)
    expect(new Float32Array(words.buffer)[3]).toBe(2 * ((3 * 7919) % 101) + 1)
  }

  it.each(corpus)('ends, and the next kernel runs: $name', async ({ source }) => {
    const { source: rewritten } = admitted(source)
    const start = performance.now()
    await run(await runnable(rewritten), { to: 64 })
    expect(performance.now() - start).toBeLessThan(BOMB_MS)
    await goodWorks()
  })

  it('or any mutant of it ends, and what compiled before compiles after', async () => {
    let ran = 0
    // A seed of its own: a mutant that hangs the GPU has to be found again.
    for (const source of fc.sample(mutant, { seed: 20_261_120, numRuns: 1500 })) {
      const result = admit(source, declared(200))
      if (!result.ok) continue
      const original = await compile(source)
      const rewritten = await compile(result.value.source)
      if (typeof rewritten === 'string') {
        // Only what the browser's compiler refused before may be refused now.
        expect(original, source).toBeTypeOf('string')
        continue
      }
      const start = performance.now()
      await run(rewritten, { to: 64 })
      expect(performance.now() - start, source).toBeLessThan(BOMB_MS)
      ran++
    }
    expect(ran).toBeGreaterThan(100)
    await goodWorks()
  })

  it('takes no more than its item may cost, with all the fuel that can be declared', async () => {
    const bodies = [
      'while (b) { a = sin(a) + exp(a); }',
      'var v = i; while (b) { v = v * 1664525u + 1013904223u; y[(v >> 8u) % 1024u] = x[(v >> 7u) % 1024u]; }',
      'var v = i; while (b) { v = 4000000000u / (v % 1000u + 1u); n += v; }',
      'var q: array<f32, 200>; while (b) { var r = q; r[n % 200u] = a; q = r; n++; }',
    ]
    for (const body of bodies) {
      const { once, perIteration } = admitted(kernel(body), 1)
      const fuel = Math.floor((MAX_WORK_PER_ITEM - once) / perIteration)
      const pipeline = await runnable(admitted(kernel(body), fuel).source)
      const start = performance.now()
      await run(pipeline, { to: 1 })
      // 50 ms on an idle core; twenty times that on a machine that runs other tests too.
      expect(performance.now() - start).toBeLessThan(1000)
      await goodWorks()
    }
  })
})

describe('an admitted kernel of alice', () => {
  it.each(honest)('computes what the original does: $name', async ({ source }) => {
    const { source: rewritten, workgroup: group } = admitted(source)
    const original = await run(await runnable(source), { group })
    const bounded = await run(await runnable(rewritten), { group })
    expect(bounded).toEqual(original)
    expect(new Set(original).size).toBeGreaterThan(1)
  })

  it('gives the same in slices of any length as in one piece', async () => {
    for (const { source } of honest.slice(0, 4)) {
      const { source: rewritten, workgroup: group } = admitted(source)
      const pipeline = await runnable(rewritten)
      const whole = await run(pipeline, { group })
      for (const [from, to] of [
        [0, 1],
        [1, 65],
        [65, 700],
        [700, 1001],
      ] as const) {
        const words = await run(pipeline, { from, to, group })
        const wanted = whole.map((word, i) => (i >= from && i < to ? word : 0))
        expect(words).toEqual(wanted)
      }
    }
  })

  it('leaves an item at zero whose fuel runs out before it is written', async () => {
    const source = kernel('while (n < i) { n++; }')
    const words = await run(await runnable(admitted(source, 10).source))
    expect([...words.keys()].filter((i) => words[i] !== 0).at(-1)).toBe(10)
    expect(words.subarray(0, 11)).toEqual((await run(await runnable(source))).subarray(0, 11))
  })

  it('reads the constants of its spec from the block', async () => {
    const source = kernel('a = params.gain * f32(params.shift) + f32(params.turns);').replace(
      'items: u32',
      'items: u32, gain: f32, shift: i32, turns: u32,',
    )
    const made = customKernel(source, {
      ...declared(),
      constants: [
        { name: 'gain', type: 'f32' },
        { name: 'shift', type: 'i32' },
        { name: 'turns', type: 'u32' },
      ],
      digest: 'abcdefgh',
      title: 'Constants',
      itemLength: 1,
    })
    if (!made.ok) throw new Error(JSON.stringify(made.error))
    const parsed = made.value.parse({
      items: 8,
      lengths: [LENGTH],
      gain: '-2.5e-1',
      shift: -8,
      turns: 3,
    })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const pipeline = await runnable(made.value.source)
    const { grid, uniforms } = made.value.dispatch(parsed.value, 2, 7)
    expect(grid).toEqual([1, 1, 1])
    const words = await runWith(pipeline, uniforms)
    expect([...new Float32Array(words.buffer)]).toEqual([0, 0, 6, 6, 6, 6, 6, 0])
  })
})

/** One workgroup over eight elements, with a block made by the kernel itself. */
const runWith = async (pipeline: GPUComputePipeline, block: ArrayBuffer): Promise<Uint32Array> => {
  const write = device.queue.writeBuffer.bind(device.queue)
  device.queue.writeBuffer = (buffer, offset) => write(buffer, offset, block)
  try {
    return await run(pipeline, { to: 1, length: 8 })
  } finally {
    device.queue.writeBuffer = write
  }
}

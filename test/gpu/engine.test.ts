import { afterEach, describe, expect, it } from 'vitest'
import { ComputeEngine } from '../../workers/compute.ts'
import { bytesOf, longTask, mapTask } from './tasks.ts'
import type { Params } from '../../kernels/kernel.ts'
import type { Runnable } from '../../workers/runnable.ts'

const engines: ComputeEngine[] = []
const make = (
  options: ConstructorParameters<typeof ComputeEngine>[1] = {},
  gpu: GPU = navigator.gpu,
) => {
  const engine = new ComputeEngine(gpu, options)
  engines.push(engine)
  return engine
}
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})

/** A GPU that hands out real devices and keeps them, so that a test can take them away. */
const takeable = () => {
  const devices: GPUDevice[] = []
  const gpu = {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = (await navigator.gpu.requestAdapter(options))!
      const { info, features, limits } = adapter
      return {
        info,
        features,
        limits,
        requestDevice: async (wishes?: GPUDeviceDescriptor) => {
          const device = await adapter.requestDevice(wishes)
          devices.push(device)
          return device
        },
      }
    },
  }
  return { gpu: gpu as unknown as GPU, devices }
}

describe('an engine', () => {
  it('says that this adapter is software and no GPU', async () => {
    const adapter = await make().open()
    expect(adapter).toEqual({ kind: 'software', label: 'Software adapter (swiftshader)' })
  })

  it('computes on the CPU where there is no WebGPU', async () => {
    const engine = new ComputeEngine(undefined)
    const done = await engine.run(mapTask('x + 1', [1, 2]))
    expect(done).toMatchObject({ ok: true, value: { engine: 'cpu' } })
  })

  it('computes on the CPU where there is no adapter', async () => {
    const engine = make({}, { requestAdapter: async () => null } as unknown as GPU)
    const done = await engine.run(mapTask('x + 1', [1, 2]))
    expect(done).toMatchObject({ ok: true, value: { engine: 'cpu' } })
  })

  it('names its result by content', async () => {
    const engine = make()
    const done = await engine.run(mapTask('x * 0', [1, 2]))
    const again = await engine.hash(new Uint8Array(8))
    expect(done.ok && done.value.cid).toBe(again)
    // sha2-256 of nothing, as every implementation of CIDv1 writes it.
    const nothing = await engine.hash(new Uint8Array(0))
    expect(nothing).toBe('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
  })

  it.each([
    ['a field out of range', 'matmul@1', { m: 0, k: 1, n: 1 }, 'bad-param'],
    ['a program that is none', 'map@1', { length: 1, program: 'x +' }, 'bad-param'],
    ['inputs of the wrong size', 'map@1', { length: 3, program: 'x' }, 'bad-param'],
    ['a kernel nobody has', 'matmul@99', {}, 'unknown-kernel'],
  ])('refuses %s with a code', async (_what, kernel, params, code) => {
    const inputs = [bytesOf([1])]
    const done = await make().run({ id: 'one', kernel, params: params as Params, inputs })
    expect(done).toMatchObject({ ok: false, error: { code } })
  })

  it.each(['webgpu', 'cpu'] as const)('stops a task at its next slice (%s)', async (force) => {
    const engine = make({ force })
    const began = performance.now()
    const running = engine.run(longTask('long', 60_000), {
      progress: () => engine.cancel('long'),
    })
    expect(await running).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    expect(performance.now() - began).toBeLessThan(20_000)
    expect(await engine.run(mapTask('x + 1', [1]))).toMatchObject({ ok: true })
  })

  it('stops a task that still waits for its turn', async () => {
    const engine = make()
    const first = engine.run(longTask('first', 500))
    const second = engine.run(longTask('second', 500))
    engine.cancel('second')
    expect(await second).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    expect(await first).toMatchObject({ ok: true })
  })

  it('lets no more than sixteen tasks wait', async () => {
    const engine = make()
    const all = Array.from({ length: 17 }, (_, i) => engine.run(longTask(`task ${i}`, 10)))
    const last = await all.at(-1)!
    expect(last).toMatchObject({ ok: false, error: { code: 'too-many' } })
    for (const one of all.slice(0, -1)) expect(await one).toMatchObject({ ok: true })
  })

  it.each(['webgpu', 'cpu'] as const)('keeps to its share of the time (%s)', async (force) => {
    const engine = make({ force })
    const done = await engine.run(longTask('half', 200), { share: () => 0.5 })
    if (!done.ok) throw new Error(done.error.detail)
    expect(done.value.slices).toBeGreaterThan(3)
    expect(done.value.share).toBeGreaterThan(0.3)
    expect(done.value.share).toBeLessThan(0.6)
  })

  it('refuses what does not fit into the memory it lends, and computes on', async () => {
    for (const force of ['webgpu', 'cpu'] as const) {
      const engine = make({ force, memoryBytes: 2 ** 20 })
      const large = mapTask(
        'x',
        Array.from({ length: 300_000 }, () => 1),
      )
      expect(await engine.run(large)).toMatchObject({ ok: false, error: { code: 'out-of-budget' } })
      expect(await engine.run(mapTask('x + 1', [1]))).toMatchObject({ ok: true })
    }
  })

  it('uses its buffers again without showing what was in them', async () => {
    const engine = make({ force: 'webgpu', memoryBytes: 2 ** 20, admitted: () => lazy })
    for (let i = 0; i < 20; i++) {
      const full = await engine.run(
        mapTask(
          'x',
          Array.from({ length: 5000 + i }, () => 42),
        ),
      )
      expect(full.ok).toBe(true)
    }
    const blank = await engine.run({ id: 'lazy', kernel: 'lazy@1', params: {}, inputs: [] })
    expect(blank.ok && blank.value.output.every((byte) => byte === 0)).toBe(true)
  })

  it('passes on what WebGPU says of a shader', async () => {
    const broken: Runnable = { ...lazy, specialise: () => 'fn main( {' }
    const engine = make({ force: 'webgpu', admitted: () => broken })
    const done = await engine.run({ id: 'broken', kernel: 'broken@1', params: {}, inputs: [] })
    expect(done).toMatchObject({ ok: false, error: { code: 'shader-failed' } })
    expect(done.ok ? '' : done.error.detail).toMatch(/1:10/)
    expect(await engine.run(mapTask('x + 1', [1]))).toMatchObject({ ok: true })
  })
})

/** Writes nothing into its 16 KiB. */
const lazy: Runnable = {
  id: 'lazy@1',
  title: 'Nothing',
  parse: () => ({ ok: true, value: null }),
  inputs: () => [],
  output: () => ({ dtype: 'u32', shape: [5000] }),
  costFlop: () => 5000,
  costBytes: () => 20_000,
  items: () => 5000,
  itemLength: () => 1,
  shader: 'sum',
  specialise: () => `
    @group(0) @binding(0) var<uniform> params: vec4u;
    @group(0) @binding(1) var<storage, read_write> result: array<u32>;
    @compute @workgroup_size(64) fn main() { if (params.x == 1) { result[0] = 1; } }`,
  dispatch: () => ({ grid: [1, 1, 1], uniforms: new ArrayBuffer(16) }),
  workgroup: [64, 1, 1],
  cases: [],
}

describe('a lost device', () => {
  it('is asked for again, and the task that ran on it runs again', async () => {
    const { gpu, devices } = takeable()
    const engine = make({}, gpu)
    const task = longTask('survivor', 300)
    const undisturbed = await make().run(task)
    let struck = false
    const done = await engine.run(task, {
      progress: () => {
        if (!struck) devices[0]!.destroy()
        struck = true
      },
    })
    expect(struck).toBe(true)
    expect(devices.length).toBe(2)
    expect(engine.losses).toBe(1)
    expect(done.ok && undisturbed.ok && done.value.cid === undisturbed.value.cid).toBe(true)
  })

  it('is not asked for a third time within two minutes of two losses', async () => {
    const { gpu, devices } = takeable()
    const engine = make({}, gpu)
    const done = await engine.run(longTask('unlucky', 300), {
      progress: () => devices.at(-1)!.destroy(),
    })
    expect(done).toMatchObject({ ok: false, error: { code: 'device-lost' } })
    expect(devices.length).toBe(2)
    const next = await engine.run(mapTask('x + 1', [1]))
    expect(next).toMatchObject({ ok: false, error: { code: 'device-lost' } })
    expect(!next.ok && next.error.retryAfterMs).toBeGreaterThan(60_000)
  })
})

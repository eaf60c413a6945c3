/** The engine behind a worker, as a page has it. */
import { proxy, transfer, wrap } from 'comlink'
import { describe, expect, it } from 'vitest'
import { labelOf } from '../../workers/gpu/device.ts'
import { bytesOf, longTask, mapTask } from './tasks.ts'
import type { Capability } from '../../src/ports.ts'
import type { ComputeService } from '../../workers/compute-service.ts'

describe('adapters', () => {
  it.each([
    [{ vendor: 'google', architecture: 'swiftshader' }, 'software'],
    [
      { vendor: 'mesa', architecture: '', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
      'software',
    ],
    [
      { vendor: 'microsoft', architecture: '', description: 'Microsoft Basic Render Driver' },
      'software',
    ],
    [{ vendor: '', architecture: '', isFallbackAdapter: true }, 'software'],
    [{ vendor: 'nvidia', architecture: 'lovelace' }, 'gpu'],
    [{ vendor: 'apple', architecture: 'metal-3' }, 'gpu'],
    [{ vendor: '', architecture: '' }, 'gpu'],
  ])('%j is %s', (info, kind) => {
    const whole = { device: '', description: '', isFallbackAdapter: false, ...info }
    expect(labelOf(whole as unknown as GPUAdapterInfo).kind).toBe(kind)
  })
})

describe('a worker', () => {
  it('computes, checks, hashes and stops for a page', async () => {
    const url = new URL('../../workers/compute.worker.ts', import.meta.url)
    const worker = new Worker(url, { type: 'module' })
    const service = wrap<ComputeService>(worker)
    expect(await service.open({})).toMatchObject({ kind: 'software' })
    const task = mapTask('x * x', [1, 2, 3])
    const ticks: number[] = []
    const inputs = task.inputs.map((input) => transfer(input.slice(), []))
    const done = await service.run(
      { ...task, inputs },
      proxy((permille) => ticks.push(permille)),
    )
    if (!done.ok) throw new Error(done.error.detail)
    expect([...new Float32Array(done.value.output.buffer)]).toEqual([1, 4, 9])
    expect(ticks.at(-1)).toBe(1000)
    const checked = { ...task, type: { dtype: 'f32', shape: [3] } as const, rate: 16 }
    const right = await service.check({ ...checked, output: done.value.output })
    expect(right).toMatchObject({ ok: true, value: { kind: 'accepted', samples: 3 } })
    const wrong = await service.check({ ...checked, output: bytesOf([1, 4, 10]) })
    expect(wrong).toMatchObject({ ok: true, value: { kind: 'rejected', code: 'out-of-tolerance' } })
    expect(await service.hash(done.value.output)).toBe(done.value.cid)
    await service.setShare(0.5)
    const running = service.run(
      longTask('long'),
      proxy(() => void service.cancel('long')),
    )
    expect(await running).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    await service.close()
    worker.terminate()
  })

  it('runs a shader of the job’s own, in slices, from the item it is told', async () => {
    const url = new URL('../../workers/compute.worker.ts', import.meta.url)
    const worker = new Worker(url, { type: 'module' })
    const service = wrap<ComputeService>(worker)
    await service.open({})
    const source = `
      struct Params { offset: u32, items: u32, first: u32, gain: f32 }
      @group(0) @binding(0) var<uniform> params: Params;
      @group(0) @binding(1) var<storage, read> x: array<f32>;
      @group(0) @binding(2) var<storage, read_write> result: array<f32>;
      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
        let item = params.offset + gid.x;
        result[item] = x[item] * params.gain + f32(params.first + item);
      }`
    const shapes = { items: 3, itemLength: 1, lengths: [3], iterations: 1, first: 100 }
    const words = { source, output: 'f32', inputs: 'x: f32', constants: 'gain: f32 = 0.5' }
    const task = { id: 'own', kernel: 'wgsl@1', params: { ...words, ...shapes } }
    const done = await service.run(
      { ...task, inputs: [bytesOf([2, 4, 6])] },
      proxy(() => undefined),
    )
    if (!done.ok) throw new Error(done.error.detail)
    expect([...new Float32Array(done.value.output.buffer)]).toEqual([101, 103, 105])
    const broken = { ...words, source: source.replace('gid.x;', 'gid.x + missing;') }
    const refused = { ...task, params: { ...broken, ...shapes }, inputs: [bytesOf([2, 4, 6])] }
    expect(
      await service.run(
        refused,
        proxy(() => undefined),
      ),
    ).toMatchObject({
      ok: false,
      error: { code: 'bad-param' },
    })
    worker.terminate()
  })

  it('gives a shader of the job’s own whole numbers and the pixels of a picture', async () => {
    const url = new URL('../../workers/compute.worker.ts', import.meta.url)
    const worker = new Worker(url, { type: 'module' })
    const service = wrap<ComputeService>(worker)
    await service.open({})
    const source = `
      struct Params { offset: u32, items: u32, first: u32 }
      @group(0) @binding(0) var<uniform> params: Params;
      @group(0) @binding(1) var<storage, read> photo: array<u32>;
      @group(0) @binding(2) var<storage, read> shift: array<i32>;
      @group(0) @binding(3) var<storage, read_write> result: array<i32>;
      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
        let item = params.offset + gid.x;
        let red = i32(photo[item] & 0xffu);
        let blue = i32((photo[item] >> 16u) & 0xffu);
        result[item] = 1000 * red + blue + shift[0];
      }`
    const words = { source, output: 'i32', inputs: 'photo: u8\nshift: i32', constants: '' }
    const shapes = { items: 2, itemLength: 1, lengths: [8, 1], iterations: 0, first: 0 }
    const pixels = Uint8Array.of(10, 0, 20, 255, 200, 0, 250, 255)
    const shift = new Uint8Array(Int32Array.of(-7).buffer)
    const done = await service.run(
      { id: 'own', kernel: 'wgsl@1', params: { ...words, ...shapes }, inputs: [pixels, shift] },
      proxy(() => undefined),
    )
    if (!done.ok) throw new Error(done.error.detail)
    expect([...new Int32Array(done.value.output.buffer)]).toEqual([10_013, 200_243])
    worker.terminate()
  })

  it('measures what it can do in some seconds', async () => {
    const found = await measured()
    expect(found.adapter).toBe('software')
    for (const rate of ['f32FlopPerSecond', 'i8OpPerSecond', 'copyBytesPerSecond'] as const) {
      expect(found[rate]).toBeGreaterThan(1e6)
    }
  })

  it('measures what graphs run on, and remembers it in the next worker', async () => {
    const { graphs } = await measured()
    const [best] = Object.entries(graphs.measured).toSorted(([, a], [, b]) => a - b)
    expect(Object.keys(graphs.measured)).toContain('WebAssembly')
    expect(graphs.engine).toBe(best![0] === 'WebAssembly' ? 'wasm' : 'software')
    // Nobody measures the same microseconds twice.
    expect((await measured()).graphs).toEqual(graphs)
  })
})

const measured = async (): Promise<Capability> => {
  const worker = new Worker(new URL('../../workers/compute.worker.ts', import.meta.url), {
    type: 'module',
  })
  const service = wrap<ComputeService>(worker)
  await service.open({})
  const found = await service.benchmark(
    'bench',
    proxy(() => undefined),
  )
  await service.close()
  worker.terminate()
  if (!found.ok) throw new Error(found.error.detail)
  return found.value
}

/** The engine of a node: what it runs graphs on, what it keeps, and that it can be stopped. */
import { afterAll, describe, expect, it } from 'vitest'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { bind } from '../../kernels/tensor/bind.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { err } from '../../src/base/result.ts'
import { computeError } from '../../workers/errors.ts'
import { BufferPool } from '../../workers/gpu/buffers.ts'
import { FREE } from '../../workers/runnable.ts'
import { TensorEngine } from '../../workers/tensor/engine.ts'
import { COMPILE_MS, engine as onDevice } from './device.ts'
import { trialOf, type Trial } from './one-node.ts'
import { randomGraph } from './random-graph.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Tiles } from '../../kernels/tensor/tiles.ts'
import type { Gpu } from '../../workers/gpu/device.ts'
import type { Control } from '../../workers/runnable.ts'
import type { TensorEngineOptions, TensorForce } from '../../workers/tensor/engine.ts'

const BUDGET_BYTES = 2 ** 28
const gpu = onDevice?.runner.gpu
const opened: TensorEngine[] = []
afterAll(() => opened.forEach((each) => each.close()))

const open = (options: Partial<TensorEngineOptions> = {}): TensorEngine => {
  const device = gpu === undefined ? {} : { gpu: async () => ({ ok: true, value: gpu }) as const }
  const own = { memoryBytes: BUDGET_BYTES, threads: 1, compileMs: COMPILE_MS }
  const made = new TensorEngine({ ...own, ...device, ...options })
  opened.push(made)
  return made
}

const boundOf = ({ graph, inputs }: Trial): Bound => {
  const bound = bind(graph, inputs)
  if (!bound.ok) throw new Error(bound.error.detail)
  return bound.value
}

const ready = async (engine: TensorEngine, bound: Bound) => {
  const prepared = await engine.prepare(bound)
  if (!prepared.ok) throw new Error(`${prepared.error.code}: ${prepared.error.detail}`)
  return prepared.value
}

const square = (side: number): Trial => {
  const one = { element: 'f32', shape: [side, side], data: new Float32Array(side * side).fill(1) }
  return trialOf('MatMul', { inputs: [one, one] as never })
}

const FORCES: readonly TensorForce[] = [
  ...(gpu === undefined ? [] : (['webgpu', 'gpu-family', 'software-family'] as const)),
  'cpu',
  'reference',
]
const KINDS = {
  webgpu: gpu?.adapter.kind,
  'gpu-family': 'gpu',
  'software-family': 'software',
  cpu: 'wasm',
  reference: 'reference',
}

describe.each(FORCES)('the engine, forced to %s', (force) => {
  it('says what it runs on, and answers what the reference answers', async () => {
    const engine = open({ force })
    expect(await engine.chosen()).toMatchObject({ ok: true, value: { kind: KINDS[force] } })
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { graph, inputs, errors } = randomGraph(seed)
      const bound = boundOf({ graph, inputs })
      const prepared = await ready(engine, bound)
      expect(prepared.kind).toBe(KINDS[force])
      const ran = await prepared.run(inputs, FREE)
      prepared.close()
      if (!ran.ok) throw new Error(ran.error.detail)
      for (const [i, want] of runReference(bound, inputs).entries()) {
        const tolerance = { abs: 4 * errors[i]!, rel: 1e-6, scale: 'tensor' } as const
        expect(compareTensors(ran.value.outputs[i]!, want, tolerance).why).toBe('')
      }
    }
  })

  it('refuses what does not fit before it takes anything', async () => {
    const engine = open({
      force,
      memoryBytes: 2 ** 20,
      ...(gpu === undefined ? {} : { gpu: async () => ({ ok: true, value: small(gpu) }) }),
    })
    const prepared = await engine.prepare(boundOf(square(1024)))
    expect(prepared).toMatchObject({ ok: false, error: { code: 'out-of-budget' } })
  })

  it('ends at the next slice when it is told to', async () => {
    const engine = open({ force })
    const side = force === 'reference' ? 128 : 512
    const chain = twice(side)
    const prepared = await ready(engine, boundOf(chain))
    let asked = 0
    const control: Control = { ...FREE, cancelled: () => asked++ > 0 }
    const ran = await prepared.run(chain.inputs, control)
    expect(ran).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    // It can be run again.
    expect((await prepared.run(chain.inputs, FREE)).ok).toBe(true)
    prepared.close()
  })

  it('rests as long as its owner wants, and tells how far it is', async () => {
    const engine = open({ force })
    const chain = twice(force === 'reference' ? 128 : 512)
    const prepared = await ready(engine, boundOf(chain))
    await prepared.run(chain.inputs, FREE)
    const told: number[] = []
    const control = { ...FREE, share: () => 0.25, progress: (x: number) => void told.push(x) }
    const ran = await prepared.run(chain.inputs, control)
    prepared.close()
    if (!ran.ok) throw new Error(ran.error.detail)
    expect(ran.value.slices).toBeGreaterThan(1)
    // A short task rests less exactly than a long one.
    expect(ran.value.share).toBeLessThan(0.6)
    expect(told.at(-1)).toBe(1000)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
  })
})

const small = (whole: Gpu): Gpu => ({
  ...whole,
  buffers: new BufferPool(whole.device, 2 ** 20),
})

/** Two products one after the other: more than one slice on any engine. */
const twice = (side: number): Trial => {
  const { graph, inputs } = square(side)
  const [node] = graph.nodes
  const again = { ...node!, inputs: [node!.outputs[0]!, 1], outputs: [3] }
  const values = [...graph.values, 'v3']
  return { graph: { ...graph, values, nodes: [node!, again], outputs: [3] }, inputs }
}

describe('the engine of a node', () => {
  it('computes on the CPU where WebGPU is lost, or was never there', async () => {
    const lost = err(computeError('device-lost', 'it went away'))
    for (const none of [{ gpu: async () => lost }, {}]) {
      const engine = new TensorEngine({ memoryBytes: BUDGET_BYTES, threads: 1, ...none })
      opened.push(engine)
      const { graph, inputs } = square(8)
      const prepared = await ready(engine, boundOf({ graph, inputs }))
      expect(prepared.kind).toBe('wasm')
      expect(await prepared.run(inputs, FREE)).toMatchObject({
        value: { outputs: [{ data: new Float32Array(64).fill(8) }] },
      })
      prepared.close()
    }
  })

  it('says so where WebGPU is forced and lost', async () => {
    const lost = err(computeError('device-lost', 'it went away'))
    const engine = open({ force: 'webgpu', gpu: async () => lost })
    expect(await engine.prepare(boundOf(square(8)))).toEqual(lost)
  })

  it('has a graph ready that it ran before, and gives nobody what another one runs', async () => {
    const engine = open({ force: gpu === undefined ? 'cpu' : 'webgpu' })
    const { graph, inputs } = square(8)
    const [first, second] = [
      await ready(engine, boundOf({ graph, inputs })),
      await ready(engine, boundOf({ graph, inputs })),
    ]
    const both = await Promise.all([first.run(inputs, FREE), second.run(inputs, FREE)])
    expect(both.map(({ ok }) => ok)).toEqual([true, true])
    first.close()
    second.close()
    expect(await first.run(inputs, FREE)).toMatchObject({ error: { code: 'bad-param' } })
    const third = await ready(engine, boundOf({ graph, inputs }))
    expect((await third.run(inputs, FREE)).ok).toBe(true)
    third.close()
  })

  it.skipIf(gpu === undefined)(
    'tries tiles while nobody waits, and then uses what it found',
    async () => {
      const tilesOf = async (engine: TensorEngine): Promise<Tiles | undefined> => {
        const chosen = await engine.chosen()
        return chosen.ok ? chosen.value.target?.tiles : undefined
      }
      const { graph, inputs } = square(64)
      const once = async (engine: TensorEngine): Promise<void> => {
        const prepared = await ready(engine, boundOf({ graph, inputs }))
        const ran = await prepared.run(inputs, FREE)
        expect(ran).toMatchObject({
          value: { outputs: [{ data: new Float32Array(4096).fill(64) }] },
        })
        prepared.close()
      }
      const [quiet, busy] = [true, false].map((idle) =>
        open({ force: 'software-family', idle: () => idle }),
      ) as [TensorEngine, TensorEngine]
      await once(quiet)
      await once(busy)
      expect(await tilesOf(quiet)).toBeUndefined()
      await expect.poll(() => tilesOf(quiet), { timeout: 60_000 }).toBeDefined()
      expect(Object.keys((await tilesOf(quiet))!)).toEqual(['product small square'])
      await once(quiet)
      expect(await tilesOf(busy)).toBeUndefined()
    },
  )

  it.skipIf(gpu === undefined)('holds no more memory after many different graphs', async () => {
    const engine = open({ force: 'webgpu', memoryBytes: 2 ** 22 })
    for (let side = 8; side < 48; side++) {
      const { graph, inputs } = square(side)
      const prepared = await ready(engine, boundOf({ graph, inputs }))
      expect((await prepared.run(inputs, FREE)).ok).toBe(true)
      prepared.close()
    }
    engine.close()
    expect(gpu!.buffers.allocatedBytes).toBeLessThan(BUDGET_BYTES)
  })
})

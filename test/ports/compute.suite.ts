/** What every Compute does, whatever it computes with. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KERNELS } from '../../kernels/index.ts'
import { tensorBytes } from '../../kernels/kernel.ts'
import type { CheckTask, Compute, ComputeTask } from '../../src/ports.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'

type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown }

const must = <T>(result: Answer<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const all = (): number => 1
const silent = (): void => undefined
let counter = 0

export const bytesOf = (data: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))

/** A product of two square matrices of small whole numbers. */
export const product = (side: number): ComputeTask => {
  const fill = (step: number): Uint8Array<ArrayBuffer> =>
    bytesOf(Float32Array.from({ length: side * side }, (_, i) => ((i * step) % 7) - 3))
  return {
    id: `product-${counter++}`,
    kernel: 'matmul@1',
    params: { m: side, k: side, n: side },
    inputs: [fill(3), fill(5)],
  }
}

/** A part of a model: products one after another, each cut off at 1 and -1. */
const layers = (count: number, side: number): ComputeTask => {
  const nodes = Array.from({ length: count }, (_, i) => {
    const read = i === 0 ? 'x' : `y${i - 1}`
    return [`h${i} = MatMul(${read}, x) # layer ${i}`, `y${i} = Tanh(h${i})`]
  })
  const lines = [`input x f32[${side},${side}] r0@0`, ...nodes.flat(), `output y${count - 1}`]
  return {
    id: `layers-${counter++}`,
    kernel: 'graph@1',
    params: { graph: lines.join('\n'), reads: 'f32', lengths: [side * side] },
    inputs: [product(side).inputs[0]!],
  }
}

/** `longSide`: a product of that side keeps this engine busy for a second or more. */
export const computeSuite = (
  name: string,
  make: () => Promise<Compute>,
  longSide: number,
): void => {
  describe(`${name} as an engine`, () => {
    let compute: Compute
    beforeAll(async () => void (compute = await make()))
    afterAll(() => compute.close())

    it('runs every kernel of the house, and its own check accepts each result', async () => {
      for (const kernel of KERNELS) {
        const [one] = kernel.cases
        const inputs = one!.inputs().map(({ data }) => bytesOf(data))
        const id = `${kernel.id}/${one!.name}`
        const task: ComputeTask = { id, kernel: kernel.id, params: one!.params, inputs }
        const { output, cid, computeMs } = must(await compute.run(task, all, silent))
        const parsed = kernel.parse(one!.params)
        if (!parsed.ok) throw new Error(id)
        const type = kernel.output(parsed.value)
        expect(output.byteLength, id).toBe(tensorBytes(type))
        expect(cid).toBe(cidOfBytes(output))
        expect(computeMs).toBeGreaterThanOrEqual(0)
        const check: CheckTask = { ...task, output, type, rate: 16 }
        expect(must(await compute.check(check)), id).toMatchObject({ kind: 'accepted' })
      }
    })

    it('refuses mallory’s result, and one of another size', async () => {
      const task = product(64)
      const { output } = must(await compute.run(task, all, silent))
      const type = { dtype: 'f32', shape: [64, 64] } as const
      const wrong = output.slice()
      new Float32Array(wrong.buffer)[777]! += 1
      for (const [bytes, code] of [
        [wrong, 'freivalds-mismatch'],
        [output.slice(4), 'wrong-shape'],
        [new Uint8Array(output.length), 'freivalds-mismatch'],
      ] as const) {
        const verdict = must(await compute.check({ ...task, output: bytes, type, rate: 16 }))
        expect(verdict).toMatchObject({ kind: 'rejected', code })
      }
    })

    it('runs a part of a model, and says which operator of it mallory got wrong', async () => {
      const task = layers(3, 24)
      const { output } = must(await compute.run(task, all, silent))
      const type = { dtype: 'f32', shape: [output.length / 4] } as const
      const check = { ...task, output, type, rate: 16 }
      expect(must(await compute.check(check))).toEqual({ kind: 'accepted', check: 'op-by-op' })
      // What is asked for, then the products and what is read of them, as they were made.
      const values = 24 * 24
      const wrong = output.slice()
      new Float32Array(wrong.buffer)[3 * values + 5]! += 0.5
      const verdict = must(await compute.check({ ...check, output: wrong }))
      expect(verdict).toMatchObject({ kind: 'rejected', code: 'freivalds-mismatch' })
      expect(verdict).toHaveProperty('detail', expect.stringContaining('layer 1 MatMul: '))
      const odd = { ...task, params: { ...task.params, graph: 'y = Fly(x)\noutput y' } }
      expect(await compute.run(odd, all, silent)).toMatchObject({ error: { code: 'bad-param' } })
    })

    it('stops a part of a model on its way, and shows how far it is', async () => {
      const [stopped, whole] = [layers(8, longSide), layers(8, longSide / 4)]
      const running = compute.run(stopped, all, () => compute.cancel(stopped.id))
      expect(await running).toMatchObject({ ok: false, error: { code: 'cancelled' } })
      const seen: number[] = []
      must(await compute.run(whole, all, (permille) => seen.push(permille)))
      expect(seen.at(-1)).toBe(1000)
      expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    })

    it('leaves alice’s bytes to alice', async () => {
      const task = product(32)
      const before = task.inputs.map((bytes) => bytes.slice())
      const { output } = must(await compute.run(task, all, silent))
      const kept = output.slice()
      const type = { dtype: 'f32', shape: [32, 32] } as const
      must(await compute.check({ ...task, output, type, rate: 16 }))
      await compute.hash(output)
      expect(task.inputs).toEqual(before)
      expect(output).toEqual(kept)
    })

    it('names bytes as everybody else does, also a part of larger ones', async () => {
      const large = new Uint8Array(100_000).map((_, i) => i % 255)
      for (const bytes of [new Uint8Array(0), large, large.subarray(7, 4_321)]) {
        expect(await compute.hash(bytes)).toBe(cidOfBytes(bytes))
      }
    })

    it('answers what it cannot do with a code', async () => {
      const task = product(8)
      const codes = new Map<string, ComputeTask>([
        ['unknown-kernel', { ...task, kernel: 'nonsense@1' }],
        ['bad-param', { ...task, params: { m: -1, k: 'x', n: 8 } }],
        ['bad-param ', { ...task, inputs: [] }],
        ['bad-param  ', { ...task, inputs: [task.inputs[0]!, new Uint8Array(3)] }],
      ])
      for (const [code, bad] of codes) {
        const result = await compute.run(bad, all, silent)
        expect(result).toMatchObject({ ok: false, error: { code: code.trim() } })
      }
      const check = { ...task, kernel: 'nonsense@1', output: new Uint8Array(4), rate: 16 }
      const type = { dtype: 'f32', shape: [1] } as const
      expect(await compute.check({ ...check, type })).toMatchObject({
        error: { code: 'unknown-kernel' },
      })
      must(await compute.run(product(8), all, silent))
    })

    it('shows progress that only grows', async () => {
      const seen: number[] = []
      must(await compute.run(product(longSide / 2), all, (permille) => seen.push(permille)))
      expect(seen.at(-1)).toBe(1000)
      const { length } = seen
      await new Promise((done) => setTimeout(done, 50))
      expect(seen.length).toBe(length)
      expect(seen).toEqual(seen.toSorted((a, b) => a - b))
      expect(seen.every((permille) => permille >= 0 && permille <= 1000)).toBe(true)
    })

    it('stops what is cancelled, running or waiting, and goes on with the next', async () => {
      const [running, waiting, next] = [product(longSide), product(longSide), product(16)]
      let begun = (): void => undefined
      const began = new Promise<void>((done) => (begun = done))
      const first = compute.run(running, all, () => begun())
      const second = compute.run(waiting, all, silent)
      const third = compute.run(next, all, silent)
      await began
      const asked = performance.now()
      compute.cancel(waiting.id)
      compute.cancel(running.id)
      compute.cancel('nobody knows this one')
      expect(await first).toMatchObject({ ok: false, error: { code: 'cancelled' } })
      expect(await second).toMatchObject({ ok: false, error: { code: 'cancelled' } })
      expect(performance.now() - asked).toBeLessThan(2_000)
      must(await third)
    })

    it('checks bob’s result while a long task of its own is running', async () => {
      const task = product(32)
      const { output } = must(await compute.run(task, all, silent))
      const type = { dtype: 'f32', shape: [32, 32] } as const
      must(await compute.check({ ...task, output, type, rate: 16 }))
      const long = product(longSide)
      let ended = false
      const running = compute.run(long, all, silent).finally(() => (ended = true))
      expect(must(await compute.check({ ...task, output, type, rate: 16 })).kind).toBe('accepted')
      expect(ended).toBe(false)
      compute.cancel(long.id)
      await running
    })

    it('keeps to its share of the time, also when the share changes', async () => {
      const task = product(longSide)
      let share = 0.25
      const began = performance.now()
      let changed = 0
      const { computeMs } = must(
        await compute.run(
          task,
          () => share,
          (permille) => {
            if (permille < 500 || share === 1) return
            share = 1
            changed = performance.now() - began
          },
        ),
      )
      // Half of the work at a quarter of the time takes about twice as long as all of it at once.
      expect(changed).toBeGreaterThan(computeMs * 1.2)
    })

    it('says how busy it was of late', async () => {
      const fresh = await make()
      const began = performance.now()
      expect(fresh.measuredShare()).toBe(0)
      const { computeMs } = must(await fresh.run(product(longSide), all, silent))
      // The total is told a moment after the result.
      await new Promise((done) => setTimeout(done, 100))
      const share = computeMs / Math.max(1_000, performance.now() - began)
      expect(fresh.measuredShare()).toBeGreaterThan(share * 0.8)
      expect(fresh.measuredShare()).toBeLessThanOrEqual(1)
      fresh.close()
    })

    it('measures what it can do, and can be stopped while it measures', async () => {
      const stop = new AbortController()
      const stopped = compute.benchmark(() => stop.abort(), stop.signal)
      expect(await stopped).toMatchObject({ ok: false, error: { code: 'cancelled' } })
      const seen: number[] = []
      const found = await compute.benchmark(
        (permille) => seen.push(permille),
        new AbortController().signal,
      )
      const capability = must(found)
      expect(compute.capability()).toEqual(capability)
      expect(seen.at(-1)).toBe(1000)
      expect(capability.f32FlopPerSecond).toBeGreaterThan(1e6)
      expect(capability.i8OpPerSecond).toBeGreaterThan(1e6)
      expect(capability.copyBytesPerSecond).toBeGreaterThan(1e8)
      expect(capability.memoryBytes).toBeGreaterThanOrEqual(1 << 26)
    })

    it('answers with a code once it was closed, also what was running', async () => {
      const other = await make()
      let begun = (): void => undefined
      const began = new Promise<void>((done) => (begun = done))
      const running = other.run(product(longSide), all, () => begun())
      await began
      other.close()
      expect(await running).toMatchObject({ ok: false, error: { code: 'closed' } })
      expect(await other.run(product(8), all, silent)).toMatchObject({ error: { code: 'closed' } })
      const signal = new AbortController().signal
      expect(await other.benchmark(silent, signal)).toMatchObject({ error: { code: 'closed' } })
    })
  })
}

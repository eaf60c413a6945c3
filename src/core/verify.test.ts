import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KERNELS, kernelById } from '../../kernels/index.ts'
import { allocate, elements } from '../../kernels/kernel.ts'
import { run } from '../../kernels/matmul.ts'
import { prng } from '../base/prng.ts'
import { check } from './verify.ts'
import type { Kernel, Params, TensorData } from '../../kernels/kernel.ts'

type Task = { kernel: Kernel; params: Params; inputs: TensorData[]; right: TensorData }

const matmulOf = (id: string): Kernel => kernelById(id)!

/** A result as an honest device makes it: the reference, or for matmul f32 the shader's own order of sums. */
const honest = (kernel: Kernel, params: Params, inputs: TensorData[]): TensorData => {
  const parsed = kernel.parse(params)
  if (!parsed.ok) throw new Error(parsed.error.expected)
  const { dtype, shape } = kernel.output(parsed.value)
  const out = allocate(dtype, elements(shape))
  if (kernel.id === 'matmul@1') return float32Product(params, inputs)
  kernel.reference(parsed.value, inputs, 0, kernel.items(parsed.value), out)
  return out
}

const float32Product = (params: Params, [a, b]: TensorData[]): Float32Array => {
  const [m, k, n] = [Number(params['m']), Number(params['k']), Number(params['n'])]
  const out = new Float32Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let start = 0; start < k; start += run(k)) {
        let part = 0
        for (let l = start; l < Math.min(start + run(k), k); l++) {
          part = Math.fround(part + Math.fround(a![i * k + l]! * b![l * n + j]!))
        }
        sum = Math.fround(sum + part)
      }
      out[i * n + j] = sum
    }
  }
  return out
}

const task = (kernel: Kernel, params: Params, inputs: TensorData[]): Task => ({
  kernel,
  params,
  inputs,
  right: honest(kernel, params, inputs),
})

const floats = (length: number, seed: number): Float32Array => {
  const random = prng(seed)
  return Float32Array.from({ length }, () => random.float() * 2 - 1)
}

const smallBytes = (length: number, seed: number): Int8Array => {
  const random = prng(seed)
  return Int8Array.from({ length }, () => random.below(256) - 128)
}

const noisyImage = (length: number, seed: number): Uint8Array => {
  const random = prng(seed)
  return Uint8Array.from({ length }, () => random.below(256))
}

/** One task of some size per kernel, the same shapes and other data for every seed. */
const tasks: Record<string, (seed: number) => Task> = {
  'matmul@1': (seed) =>
    task(matmulOf('matmul@1'), { m: 40, k: 70, n: 50 }, [
      floats(2800, seed),
      floats(3500, seed + 1),
    ]),
  'matmul-i8@1': (seed) =>
    task(matmulOf('matmul-i8@1'), { m: 40, k: 70, n: 50 }, [
      smallBytes(2800, seed),
      smallBytes(3500, seed + 1),
    ]),
  'map@1': (seed) =>
    task(kernelById('map@1')!, { length: 20_000, program: 'x * exp(y) + 0.1' }, [
      floats(20_000, seed),
      floats(20_000, seed + 1),
    ]),
  'sum@1': (seed) =>
    task(kernelById('sum@1')!, { length: 20_000, block: 100 }, [floats(20_000, seed)]),
  'mandelbrot@1': (seed) => {
    const at = (number: number): string =>
      BigInt.asUintN(96, BigInt(Math.round(number * 2 ** 52)) << 12n)
        .toString(16)
        .padStart(24, '0')
    const place = { x: at(-1.5 + seed / 997), y: at(1.1 - seed / 991), step: at(0.01) }
    const size = { width: 96, height: 64, iterations: 60 }
    return task(kernelById('mandelbrot@1')!, { limbs: 2, ...place, ...size }, [])
  },
  'image-filter@1': (seed) => {
    const size = { width: 96, height: 80, left: 0, top: 0, right: 0, bottom: 0 }
    const params = { filter: 'gaussian-blur', radius: 2, sigma: 900, amount: 0, ...size }
    return task(kernelById('image-filter@1')!, params, [noisyImage(96 * 80 * 4, seed)])
  },
}

const seedOf = (number: number): number[] => [number, number + 1, number + 2, number + 3]

const asBytes = (data: TensorData): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

const judge = ({ kernel, params, inputs }: Task, output: TensorData, seed: number, rate = 64) =>
  check(kernel, params, inputs, asBytes(output), seedOf(seed), rate)

const shapeOf = ({
  kernel,
  params,
}: Task): { items: number; length: number; shape: readonly number[] } => {
  const parsed = kernel.parse(params)
  if (!parsed.ok) throw new Error('the tasks of this test are sound')
  const p = parsed.value
  return { items: kernel.items(p), length: kernel.itemLength(p), shape: kernel.output(p).shape }
}

/** Another value than the right one, of the same kind of size. */
const spoil = (data: TensorData, at: number): void => {
  data[at] = data instanceof Float32Array ? data[at]! + 0.5 + Math.abs(data[at]!) : data[at]! ^ 3
}

const SEEDS = 40

describe.each(KERNELS.map(({ id }) => id))('the check of %s', (id) => {
  const make = tasks[id]!

  it('accepts every honest result', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const one = make(seed)
      expect(judge(one, one.right, seed + 1000)).toMatchObject({ kind: 'accepted' })
    }
  })

  it('refuses zeros in place of work, every time', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const one = make(seed)
      const zeros = allocate(kernelDtype(one), one.right.length)
      expect(judge(one, zeros, seed + 1000)).toMatchObject({ kind: 'rejected' })
    }
  })

  it('refuses the result of another task, every time', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const one = make(seed)
      expect(judge(one, make(seed + 1).right, seed + 1000)).toMatchObject({ kind: 'rejected' })
    }
  })

  it('refuses a result of which a tenth of the items is wrong, every time', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const one = make(seed)
      const { items, length } = shapeOf(one)
      const output = one.right.slice()
      const random = prng(seed)
      for (let i = 0; i < items / 10; i++) spoil(output, random.below(items) * length)
      expect(judge(one, output, seed + 1000)).toMatchObject({ kind: 'rejected' })
    }
  })

  it('refuses one wrong square of 16 x 16, or run of 256, wherever it lies', () => {
    const one = make(7)
    const { shape, length } = shapeOf(one)
    const [height = 1, width = 1] = shape.length >= 2 ? shape : [1, shape[0]!]
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = prng(seed)
      const output = one.right.slice()
      const per = shape[2] ?? (shape.length >= 2 ? 1 : length)
      const side = height === 1 ? { w: Math.min(256, width), h: 1 } : { w: 16, h: 16 }
      const [top, left] = [random.below(height - side.h + 1), random.below(width - side.w + 1)]
      for (let y = top; y < top + side.h; y++) {
        for (let x = left; x < left + side.w; x++) spoil(output, (y * width + x) * per)
      }
      expect(judge(one, output, seed + 1000)).toMatchObject({ kind: 'rejected' })
    }
  })

  it('names a result of the wrong length', () => {
    const one = make(1)
    const { kernel, params, inputs } = one
    const short = asBytes(one.right).subarray(1)
    const verdict = check(kernel, params, inputs, short, seedOf(1))
    expect(verdict).toMatchObject({ kind: 'rejected', code: 'wrong-shape' })
  })

  it('never throws, whatever bytes mallory sends', () => {
    const one = make(3)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 0 }), (noise, seed) => {
        const output = asBytes(one.right).slice()
        noise.forEach((byte, i) => (output[(i * 7919) % output.length] = byte))
        const { kernel, params, inputs } = one
        expect(check(kernel, params, inputs, output, seedOf(seed)).check).toBe(kernel.check)
      }),
      { numRuns: 30 },
    )
  })
})

const kernelDtype = ({ kernel, params }: Task) => {
  const parsed = kernel.parse(params)
  if (!parsed.ok) throw new Error('the tasks of this test are sound')
  return kernel.output(parsed.value).dtype
}

describe('samples', () => {
  it('are every item of a small result', () => {
    const params = { length: 300, program: 'x + 1' }
    const one = task(kernelById('map@1')!, params, [floats(300, 1)])
    expect(judge(one, one.right, 1)).toMatchObject({ kind: 'accepted', samples: 300 })
  })

  it('are at least 512, however large the rate', () => {
    const one = tasks['map@1']!(1)
    const verdict = judge(one, one.right, 1)
    expect(verdict.kind === 'accepted' && verdict.samples).toBeGreaterThanOrEqual(512)
  })

  it('follow the rate where there are enough items', () => {
    const params = { length: 100_000, program: 'x + 1' }
    const one = task(kernelById('map@1')!, params, [floats(100_000, 1)])
    expect(judge(one, one.right, 1, 16)).toMatchObject({ samples: 6250 })
    expect(judge(one, one.right, 1, 64)).toMatchObject({ samples: 1563 })
  })
})

/** Small jobs of every kind: what is simulated is the swarm, not the arithmetic. */
import { viewAs, type DType } from '../../kernels/kernel.ts'
import type { Prng } from '../base/prng.ts'
import { microCredits, ms } from '../base/units.ts'
import type { Tensors } from '../core/evaluate.ts'
import type { Job, Program } from '../core/job.ts'
import { cidOfBytes } from '../wire/codec.ts'

export type Wish = {
  readonly job: Job
  readonly inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
}

export type Terms = Pick<Job, 'budget' | 'redundancy' | 'privacy'>

/** Long enough for any run of the simulator to be about something else than deadlines. */
const DEADLINE = ms(24 * 3_600_000)
/** Far above what any of these jobs costs. */
export const AMPLE = microCredits(1_000_000)
/** For nothing, by whoever will. */
export const FREE: Terms = { budget: microCredits(0), redundancy: 1, privacy: 'public' }

type Given = readonly [name: string, dtype: DType, shape: readonly number[]]

/** `only` leaves out all programs but matrix products, whose check misses no lie. */
export const randomJob = (random: Prng, terms: Terms, only: 'matmul' | 'any'): Wish => {
  const n = 16 + 8 * random.below(3)
  const square = [n, n] as const
  switch (random.below(only === 'matmul' ? 2 : 6)) {
    case 0:
      return wish(random, terms, { kind: 'matmul', dtype: 'f32', m: n, k: n, n }, 8, [
        ['a', 'f32', square],
        ['b', 'f32', square],
      ])
    case 1:
      return wish(random, terms, { kind: 'matmul', dtype: 'i8', m: n, k: n, n }, 8, [
        ['a', 'i8', square],
        ['b', 'i8', square],
      ])
    case 2: {
      const view = {
        centerX: '-0.5',
        centerY: '0',
        zoom: '1',
        iterations: 30,
        palette: 'grey' as const,
      }
      return wish(random, terms, { kind: 'mandelbrot', width: n, height: n, ...view }, 16, [])
    }
    case 3: {
      const program: Program = {
        kind: 'image',
        filter: 'gaussian-blur',
        radius: 1,
        sigmaMilli: 1000,
        amountMilli: 0,
      }
      return wish(random, terms, program, 16, [['image', 'u8', [n, n, 4]]])
    }
    case 4: {
      // Two stages: the total waits for the partial sums.
      const length = 4_096 * (1 + random.below(4)) - random.below(100)
      return wish(random, terms, { kind: 'sum', length }, 4_096, [['x', 'f32', [length]]])
    }
    default:
      return wish(random, terms, { kind: 'map', length: n * n, program: 'x * x + 0.5' }, 64, [
        ['x', 'f32', [n * n]],
      ])
  }
}

/** The inputs as a plan's evaluation takes them. */
export const tensorsOf = ({ job, inputs }: Wish): Tensors =>
  Object.fromEntries(job.inputs.map(({ name, dtype }) => [name, viewAs(dtype, inputs[name]!)]))

const wish = (
  random: Prng,
  terms: Terms,
  program: Program,
  tile: number,
  given: readonly Given[],
): Wish => {
  const inputs = given.map(([name, dtype, shape]) => ({
    name,
    dtype,
    shape,
    data: noise(random, dtype, shape),
  }))
  const job: Job = {
    v: 1,
    spec: cidOfBytes(noise(random, 'u8', [8])),
    name: `sim-${program.kind}`,
    program,
    inputs: inputs.map(({ name, dtype, shape, data }) => ({
      name,
      cid: cidOfBytes(data),
      dtype,
      shape,
    })),
    needs: { adapter: 'any', memoryBytes: 64 * 2 ** 20 },
    ...terms,
    deadlineMs: DEADLINE,
    tile,
  }
  return { job, inputs: Object.fromEntries(inputs.map(({ name, data }) => [name, data])) }
}

const noise = (random: Prng, dtype: DType, shape: readonly number[]): Uint8Array<ArrayBuffer> => {
  const length = shape.reduce((product, side) => product * side, 1)
  if (dtype !== 'f32') return Uint8Array.from({ length }, () => random.below(256))
  return new Uint8Array(Float32Array.from({ length }, () => random.float() * 2 - 1).buffer)
}

import { describe, expect, it } from 'vitest'
import { kernelById } from '../../../kernels/index.ts'
import { floatProduct, normal, type Floats } from '../../../test/float-product.ts'
import { prng, type Prng } from '../../base/prng.ts'
import { check, checking } from '../verify.ts'

type Shape = Floats['shape']
type Filling = (random: Prng, row: number, column: number) => number

/** What people multiply: normal, positive, constant, and scaled over many orders in one way or the other. */
const KINDS: Record<string, Filling> = {
  normal: (random) => normal(random),
  positive: (random) => random.float(),
  constant: () => 0.1,
  'large rows': (random, row) => normal(random) * 10 ** (row % 13),
  'large columns': (random, _row, column) => normal(random) * 10 ** -(column % 13),
  sparse: (random) => (random.float() < 0.02 ? normal(random) : 0),
}

const fill = (rows: number, columns: number, filling: Filling, seed: number): Float32Array => {
  const random = prng(seed)
  return Float32Array.from({ length: rows * columns }, (_, at) =>
    filling(random, Math.floor(at / columns), at % columns),
  )
}

const make = (shape: Shape, ofA: string | Filling, ofB: string | Filling, seed: number): Floats => {
  const filling = (kind: string | Filling) => (typeof kind === 'string' ? KINDS[kind]! : kind)
  return {
    shape,
    a: fill(shape.m, shape.k, filling(ofA), seed),
    b: fill(shape.k, shape.n, filling(ofB), seed + 1),
  }
}

const judge = ({ shape, a, b }: Floats, output: Float32Array, seed: number) =>
  check(kernelById('matmul@1')!, shape, [a, b], new Uint8Array(output.buffer), [seed, 2, 3, 4])

const accepted = { kind: 'accepted', check: 'freivalds' }
const rejected = { kind: 'rejected', check: 'freivalds' }
const shader = (one: Floats, terms?: number) => floatProduct(one, { order: 'runs' }, terms)

/** The same product of inputs that mallory cut short. */
const through = (one: Floats, cut: (v: number) => number): Float32Array =>
  shader({ ...one, a: one.a.map(cut), b: one.b.map(cut) })

const kept = (bits: number) => {
  const view = new Uint32Array(1)
  const float = new Float32Array(view.buffer)
  return (v: number): number => {
    float[0] = v
    view[0] = (view[0]! + (1 << (22 - bits))) & ~((1 << (23 - bits)) - 1)
    return float[0]!
  }
}

/** Small ones are looked at entry by entry, the others by samples and rows. */
const SHAPES: readonly Shape[] = [
  { m: 1, k: 1, n: 1 },
  { m: 1, k: 700, n: 1 },
  { m: 3, k: 1000, n: 2 },
  { m: 64, k: 64, n: 64 },
  { m: 24, k: 300, n: 100 },
  { m: 2, k: 100, n: 1500 },
]

describe('the check of a float product', () => {
  it('never accuses an honest node, whatever the data and the shape', () => {
    let runs = 0
    for (const kindOfA of Object.keys(KINDS)) {
      for (const kindOfB of Object.keys(KINDS)) {
        for (const [at, shape] of SHAPES.entries()) {
          const one = make(shape, kindOfA, kindOfB, 100 * at + 7)
          const what = `${kindOfA} x ${kindOfB}, ${JSON.stringify(shape)}`
          expect(judge(one, shader(one), at), what).toEqual(accepted)
          runs++
        }
      }
    }
    expect(runs).toBe(216)
  })

  it('never accuses an honest node where one large number swallows many small ones', () => {
    // As in the rows of a softmax with one peak: all of what is lost has the same sign.
    for (let seed = 0; seed < 10; seed++) {
      const peak: Filling = (_random, _row, column) => (column === 0 ? 1 : 5.4e-8)
      const about1: Filling = (random) => 1 + random.float() / 10
      const one = make({ m: 48, k: 64, n: 48 }, peak, about1, seed)
      for (const cuts of [false, true]) {
        const output = floatProduct(one, { order: 'runs', cuts })
        expect(judge(one, output, seed), `seed ${seed}`).toEqual(accepted)
      }
    }
  })

  it('allows another order of the sums, as a driver may choose it', () => {
    for (let seed = 0; seed < 5; seed++) {
      const one = make({ m: 48, k: 512, n: 48 }, 'normal', 'normal', seed)
      for (const order of ['in a row', 'backwards', 'pairs'] as const) {
        expect(judge(one, floatProduct(one, { order }), seed)).toEqual(accepted)
      }
    }
  })

  it.each([
    ['half precision', kept(10)],
    ['bfloat16', kept(7)],
    ['inputs cut to TF32', (v: number) => Math.fround(v * (1 - 2 ** -12))],
  ])('refuses a product in %s', (_what, cut) => {
    for (let seed = 0; seed < 4; seed++) {
      const one = make({ m: 64, k: 512, n: 64 }, 'normal', 'normal', seed)
      const verdict = judge(one, through(one, cut), seed)
      expect(verdict).toMatchObject({ ...rejected, code: 'freivalds-mismatch' })
    }
  })

  it('refuses a product that leaves out one part in a hundred of the sum', () => {
    for (let seed = 0; seed < 10; seed++) {
      const one = make({ m: 48, k: 500, n: 48 }, 'normal', 'normal', seed)
      expect(judge(one, shader(one, 495), seed)).toMatchObject(rejected)
    }
  })

  it('refuses a single entry that is off by a hundredth of the usual size, in any column', () => {
    for (const columns of ['normal', 'large columns']) {
      const one = make({ m: 48, k: 200, n: 48 }, 'normal', columns, 1)
      const right = shader(one)
      for (let seed = 0; seed < 200; seed++) {
        const random = prng(seed)
        const [i, j] = [random.below(48), random.below(48)]
        const column = Array.from({ length: 48 }, (_, row) => right[row * 48 + j]!)
        const usual = Math.sqrt(column.reduce((sum, v) => sum + v * v, 0) / 48)
        const output = right.slice()
        output[i * 48 + j]! += usual / 100
        const verdict = judge(one, output, seed)
        expect(verdict, `seed ${seed}`).toMatchObject(rejected)
        expect(verdict).toMatchObject({ detail: expect.stringContaining(`column ${j}`) })
      }
    }
  })

  it('checks the rest of a product some of whose inputs are NaN or infinite', () => {
    const one = make({ m: 50, k: 20, n: 60 }, 'normal', 'normal', 3)
    one.a[2 * 20 + 5] = Number.NaN
    one.b[4 * 60 + 7] = Infinity
    const output = shader(one)
    expect(judge(one, output, 1)).toEqual(accepted)
    output[5 * 60 + 3]! += 1
    expect(judge(one, output, 1)).toMatchObject({ ...rejected, code: 'freivalds-mismatch' })
  })
})

/** What the check says of an honest product and of mallory's, in eight tries with other data each. */
const outcomes = (
  shape: Shape,
  edit: (one: Floats) => void,
  lie: (output: Float32Array) => void,
): string[] => {
  const said = new Set<string>()
  for (let seed = 0; seed < 8; seed++) {
    const one = make(shape, 'normal', 'normal', seed)
    edit(one)
    const right = shader(one)
    const output = right.slice()
    lie(output)
    const kinds = [right, output].map((c) => judge(one, c, seed).kind)
    said.add(`honest ${kinds[0]!}, lie ${kinds[1]!}`)
  }
  return [...said]
}
const FOUND = ['honest accepted, lie rejected']

const SIDE = 64
const cube: Shape = { m: SIDE, k: SIDE, n: SIDE }
const column5 = (of: (l: number) => number) => (one: Floats) => {
  for (let l = 0; l < SIDE; l++) one.b[l * SIDE + 5] = of(l)
}
const zeros = (output: Float32Array): void => void output.fill(0)

describe('one column of B that is out of scale', () => {
  it.each([1e-30, 1e-35, 1e-38, 1e-40, 1e-45])(
    'does not excuse zeros where all of it is %d',
    (v) => {
      expect(
        outcomes(
          cube,
          column5(() => v),
          zeros,
        ),
      ).toEqual(FOUND)
    },
  )

  it.each([1e-33, 1e-36, 1e-38, 1e-40])('does not excuse zeros where it holds one %d', (v) => {
    expect(
      outcomes(
        cube,
        column5((l) => (l === 3 ? v : 0)),
        zeros,
      ),
    ).toEqual(FOUND)
  })

  it('does not excuse one wrong entry of another column', () => {
    for (const v of [0, 1e-45, 1e-40, 1e-36, 1e-20, 1e20, 1e37]) {
      expect(
        outcomes(
          cube,
          column5(() => v),
          (output) => void (output[20 * SIDE + 6]! += 0.1),
        ),
      ).toEqual(FOUND)
    }
  })

  it('is itself not excused by the others', () => {
    for (const v of [1e-34, 1e-20, 1e20, 1e36]) {
      expect(
        outcomes(
          cube,
          column5((l) => v * (1 + l / SIDE)),
          (output) => void (output[20 * SIDE + 5]! += v),
        ),
      ).toEqual(FOUND)
    }
  })

  it('does not make us compute the whole product again', () => {
    const steps = (one: Floats, output: Float32Array): number => {
      const { shape: params, a, b } = one
      const request = { kernel: kernelById('matmul@1')!, params, inputs: [a, b], rate: 16 }
      const bytes = new Uint8Array(output.buffer)
      return [...checking({ ...request, output: bytes, seed: [1, 2, 3, 4] })].length
    }
    const one = make({ m: 160, k: 256, n: 160 }, 'normal', 'normal', 1)
    const usual = steps(one, shader(one))
    for (let l = 0; l < 256; l++) one.b[l * 160 + 5] = 1e-38
    for (const flushes of [false, true]) {
      const output = floatProduct(one, { order: 'runs', flushes })
      expect(steps(one, output)).toBeLessThanOrEqual(usual + 1)
    }
    // All of it would be 160 x 160 x 256 multiply-adds, a million for each step.
    for (let at = 0; at < one.b.length; at++) one.b[at]! *= 1e-38
    expect(steps(one, shader(one))).toBeGreaterThan(usual + 4)
  })

  it('must give exactly nothing where it is empty', () => {
    expect(
      outcomes(
        cube,
        column5(() => 0),
        (output) => void (output[20 * SIDE + 5] = 1e-45),
      ),
    ).toEqual(FOUND)
  })

  it('may hold garbage where A makes no use of it', () => {
    expect(
      outcomes(
        cube,
        (one) => {
          for (let i = 0; i < SIDE; i++) one.a[i * SIDE + 9] = 0
          for (let j = 0; j < SIDE; j += 2) one.b[9 * SIDE + j] = 1e38
        },
        (output) => void (output[20 * SIDE + 6]! += 0.1),
      ),
    ).toEqual(FOUND)
  })
})

describe('an entry that grows beyond f32', () => {
  const overflowing = (one: Floats): void => {
    one.a.fill(1e20, 0, SIDE)
    column5(() => 1e20)(one)
  }

  it('may be infinite, NaN or the largest number, but not of the wrong sign', () => {
    const one = make(cube, 'normal', 'normal', 4)
    overflowing(one)
    const output = shader(one)
    expect(output[5]).toBe(Infinity)
    for (const [value, kind] of [
      [Infinity, 'accepted'],
      [Number.NaN, 'accepted'],
      [3.4028234663852886e38, 'accepted'],
      [-Infinity, 'rejected'],
      [1e30, 'rejected'],
      [0, 'rejected'],
    ] as const) {
      output[5] = value
      expect(judge(one, output, 1), `${value}`).toMatchObject({ kind })
    }
  })

  it('does not excuse the rest of its row, or of its column', () => {
    expect(
      outcomes(cube, overflowing, (output) => {
        const value = output[5]!
        output.fill(0, 0, SIDE)
        output[5] = value
      }),
    ).toEqual(FOUND)
    expect(outcomes(cube, overflowing, (output) => void (output[20 * SIDE + 5]! *= 1.01))).toEqual(
      FOUND,
    )
  })

  it('does not excuse an infinity where numbers are only large', () => {
    const large = (one: Floats): void => {
      one.a.fill(1e10, 0, SIDE)
      column5((l) => (l % 2 ? 1e26 : -1e26))(one)
    }
    expect(outcomes(cube, large, (output) => void (output[5] = Infinity))).toEqual(FOUND)
    expect(
      outcomes(cube, large, (output) => {
        output.fill(0, 0, SIDE)
        output[5] = Infinity
      }),
    ).toEqual(FOUND)
  })

  it('is the only reason for NaN and infinity', () => {
    for (const value of [Number.NaN, Infinity, -Infinity, 3.4e38]) {
      const one = make({ m: 60, k: 20, n: 50 }, 'normal', 'normal', 2)
      const output = shader(one)
      output[17] = value
      const code = Number.isFinite(value) ? 'freivalds-mismatch' : 'not-finite'
      expect(judge(one, output, 1)).toMatchObject({ ...rejected, code })
    }
  })
})

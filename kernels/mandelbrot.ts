/**
 * `mandelbrot@1`: how many steps of z <- z^2 + c stay within |z| <= 2, for every pixel c of a tile. In
 * fixed point and not in floats, so that any two devices agree to the bit, at any depth of zoom.
 *
 * A real number v is the integer V = v 2^F, F = 32 limbs. Sums are exact; a product is
 * mul(V, W) = floor(V W / 2^F), all partial products kept. Then, from x = y = 0 and count = 0:
 *   while count < iterations:
 *     xx = mul(x, x); yy = mul(y, y); stop if xx + yy > 4 2^F
 *     x, y = xx - yy + cx, 2 mul(x, y) + cy; count += 1
 * with cx = X + column step and cy = Y - row step: row 0 is the top of the picture.
 *
 * @shape none -> counts u32 [height, width]; `iterations` means inside
 * @unit operations on 16-bit halves: 3 products of (2 (limbs + 1))^2 multiply-adds per step, times
 *   `iterations` for every pixel, whether it leaves earlier or not
 * @error none: every bit is the same on every adapter. An orbit that closes may be cut short, since in
 *   exact arithmetic it never leaves.
 * @source B. Mandelbrot 1980; R. Brent, An Improved Monte Carlo Factorization Algorithm, 1980, for the
 *   closed orbits.
 */
import {
  fits,
  fixedFromHex,
  fixedToHex,
  fractionBits,
  MAX_LIMBS,
  MIN_LIMBS,
} from './fixed-point.ts'
import { lineOfGroups } from './layout.ts'
import {
  along,
  countOf,
  limbsOf,
  makeOrbit,
  precisionOf,
  REFERENCE_BITS,
} from './mandelbrot-reference.ts'
import { unrolledOrbit } from './mandelbrot-unrolled.ts'
import { integer, readParams, refuse, text } from './params.ts'
import type { MandelbrotView } from './fixed-point.ts'
import type { ShaderKernel, KernelCase, Params } from './kernel.ts'

export type MandelbrotParams = MandelbrotView & {
  readonly width: number
  readonly height: number
  readonly iterations: number
}

/**
 * Limbs up to which the loops over limbs are written out: beyond, SwiftShader takes 4 s and more to
 * compile the many lines (4 limbs), or minutes (5).
 */
const MAX_UNROLLED = 3
const LOOPS = /\/\/ begin orbit[\s\S]*?\/\/ end orbit\n/

const LANES = 64
/** The shader's limbs, and the room its uniforms have for one number: 6 vectors of 4. */
const SHADER_BITS = 13
const UNIFORM_LIMBS = 24

/** Exact for the coarse numbers of the cases. */
const fixed = (value: number, limbs: number): string =>
  fixedToHex(BigInt(Math.round(value * 2 ** 40)) << BigInt(fractionBits(limbs) - 40), limbs)

const sample = (
  name: string,
  limbs: number,
  [x, y, step]: readonly [number, number, number],
  [width, height, iterations]: readonly [number, number, number],
): KernelCase => {
  const place = { x: fixed(x, limbs), y: fixed(y, limbs), step: fixed(step, limbs) }
  const params: Params = { limbs, ...place, width, height, iterations }
  return { name, params, inputs: () => [] }
}

/** Around c = i, where spirals meet at any depth: pixels 2^-200 apart, far beyond any float. */
const deep: KernelCase = {
  name: 'a step of 2^-200',
  params: {
    limbs: 8,
    x: fixedToHex(-4n << 56n, 8),
    y: fixedToHex((1n << 256n) + (2n << 56n), 8),
    step: fixedToHex(1n << 56n, 8),
    width: 9,
    height: 5,
    iterations: 700,
  },
  inputs: () => [],
}

export const mandelbrot: ShaderKernel<MandelbrotParams> = {
  id: 'mandelbrot@1',
  title: 'Mandelbrot set, fixed point',
  parse(params) {
    const read = readParams(params, {
      limbs: integer(MIN_LIMBS, MAX_LIMBS),
      x: text(80),
      y: text(80),
      step: text(80),
      width: integer(1, 4096),
      height: integer(1, 4096),
      iterations: integer(1, 65_535),
    })
    if (!read.ok) return read
    const { limbs, width, height, iterations } = read.value
    const numbers = { x: 0n, y: 0n, step: 0n }
    for (const name of ['x', 'y', 'step'] as const) {
      const value = fixedFromHex(read.value[name], limbs)
      if (value === undefined) {
        return refuse(name, `${8 * (limbs + 1)} lowercase hex digits`, read.value[name])
      }
      numbers[name] = value
    }
    const value = { limbs, ...numbers, width, height, iterations }
    if (value.step <= 0n) return refuse('step', 'a number above 0', read.value.step)
    return fits(value, width, height)
      ? { ok: true, value }
      : refuse('step', 'a tile within 4 units of 0', read.value.step)
  },
  inputs: () => [],
  output: ({ width, height }) => ({ dtype: 'u32', shape: [height, width] }),
  costFlop: ({ limbs, width, height, iterations }) =>
    width * height * iterations * 24 * (limbs + 1) ** 2,
  costBytes: ({ width, height }) => 4 * width * height,
  items: ({ width, height }) => width * height,
  itemLength: () => 1,
  reference({ limbs, x, y, step, width, iterations }, _inputs, from, to, out) {
    const bits = fractionBits(limbs)
    const orbit = makeOrbit(precisionOf(bits))
    const [left, top, apart] = [x, y, step].map((v) => limbsOf(v, bits, REFERENCE_BITS))
    const cx = new Float64Array(orbit.precision.size)
    const cy = new Float64Array(orbit.precision.size)
    for (let pixel = from; pixel < to; pixel++) {
      along(left!, apart!, pixel % width, cx)
      along(top!, apart!, -Math.floor(pixel / width), cy)
      out[pixel - from] = countOf(orbit, cx, cy, iterations)
    }
  },
  check: 'bit-equality',
  shader: 'mandelbrot',
  fasterOnCpu: ({ limbs }) => limbs > MAX_UNROLLED,
  specialise(source, { limbs }) {
    const bits = fractionBits(limbs)
    const fraction = Math.ceil(bits / SHADER_BITS)
    const kept = 2 ** SHADER_BITS - 2 ** (fraction * SHADER_BITS - bits)
    const precise = source
      .replace(/^const FRACTION = \d+;$/m, `const FRACTION = ${fraction};`)
      .replace(/^const KEPT = \d+;$/m, `const KEPT = ${kept};`)
    return limbs > MAX_UNROLLED
      ? precise
      : precise.replace(LOOPS, () => unrolledOrbit(fraction, kept))
  },
  dispatch({ limbs, x, y, step, width, iterations }, from, to) {
    const block = new Int32Array(4 + 3 * UNIFORM_LIMBS)
    block.set([width, iterations, from, to])
    for (const [at, value] of [x, y, step].entries()) {
      block.set(limbsOf(value, fractionBits(limbs), SHADER_BITS), 4 + at * UNIFORM_LIMBS)
    }
    return { grid: lineOfGroups(Math.ceil((to - from) / LANES)), uniforms: block.buffer }
  },
  workgroup: [LANES, 1, 1],
  cases: [
    sample('the whole set', 2, [-2.5, 1.25, 0.0625], [56, 40, 300]),
    sample('one pixel on the edge of the circle', 2, [-2, 0, 0.5], [1, 1, 50]),
    ...[3, 4, 5, 6, 7].map((limbs) =>
      sample(`${limbs} limbs`, limbs, [-0.7436438870371587, 0.13182590420531, 1e-4], [17, 11, 400]),
    ),
    deep,
  ],
}

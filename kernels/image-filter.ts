/**
 * `image-filter@1`: a filter over a tile of an RGBA image that brings its neighbourhood along, exact.
 * Everything is in integers, so that any two devices agree to the bit and tiles join without a seam.
 *
 * The input has `left`, `top`, `right`, `bottom` pixels more than the output: those of the neighbouring
 * tiles, as many as there are up to `radius`. Coordinates are clamped to the input. p is a channel of
 * the input, r = radius, w the weights.
 *
 *   w[i] = floor(65536 g[i] / G + 1/2), g[i] = exp(-i^2 / (2 (sigma/1000)^2)), G = sum of g[-r .. r];
 *     then w[0] += 65536 - sum of w, so that the weights sum to exactly 65536
 *   h[y, x] = (sum over i of w[i] p[y, x + i] + 128) >> 8         16 bits, 8 of them a fraction
 *   v[y, x] = sum over j of w[j] h[y + j, x]                      24 bits of fraction
 *   gaussian-blur, all four channels: (v + 2^23) >> 24
 *   unsharp, all four channels: with s = (v + 2^15) >> 16,
 *     n = 256000 p + amount (256 p - s) + 128000; 0 if n < 0, else min(255, floor(n / 256000))
 *   sobel, R, G and B: min(255, floor(sqrt(gx^2 + gy^2))), with the usual 3 x 3 taps
 *     gx: -1 0 1 / -2 0 2 / -1 0 1, gy: -1 -2 -1 / 0 0 0 / 1 2 1; alpha is kept
 *
 * @shape u8 [height, width, 4] -> u8 [height - top - bottom, width - left - right, 4]
 * @unit per output pixel, 4 channels: 2 passes of 2 r + 1 multiply-adds (16 (2 r + 1)), 16 more for
 *   unsharp, 80 for sobel
 * @error none: every bit is the same on every adapter; at most 1 level off a Gaussian in float64
 * @source R. Gonzalez, R. Woods, Digital Image Processing, 4th ed., §3.5 (Gaussian), §3.6 (unsharp,
 *   Sobel).
 */
import { gaussianWeights } from './image-weights.ts'
import { filterPixels } from './image-reference.ts'
import { uniformWords } from './layout.ts'
import { bytes } from './noise.ts'
import { integer, oneOf, readParams, refuse, withinLimits } from './params.ts'
import type { ImageFilterParams } from './image-reference.ts'
import type { ShaderKernel, KernelCase, Params, Parsed, Tensor, TensorType } from './kernel.ts'

const MAX_RADIUS = 16
/** Invocations of a workgroup lie side by side; each takes this many rows of its column. */
const LANES = 64
const STRIP = 16
/** The shader's table has room for every radius. */
const UNIFORM_WEIGHTS = MAX_RADIUS + 1

const FILTERS = ['gaussian-blur', 'sobel', 'unsharp'] as const

const pixels = (width: number, height: number): TensorType => ({
  dtype: 'u8',
  shape: [height, width, 4],
})

const outWidth = (p: ImageFilterParams): number => p.width - p.left - p.right
const outHeight = (p: ImageFilterParams): number => p.height - p.top - p.bottom

const operations = ({ filter, radius }: ImageFilterParams): number =>
  filter === 'sobel' ? 80 : 16 * (2 * radius + 1) + (filter === 'unsharp' ? 16 : 0)

/** Fields that do not belong to the filter are zero, so that one task has one name. */
const fitting = (p: ImageFilterParams): Parsed<ImageFilterParams> => {
  if (p.filter === 'sobel' && p.radius !== 1) return refuse('radius', '1 for sobel', p.radius)
  if (p.filter === 'sobel' && p.sigma !== 0) return refuse('sigma', '0 for sobel', p.sigma)
  if (p.filter !== 'sobel' && p.sigma < 100) return refuse('sigma', 'at least 100', p.sigma)
  if (p.filter !== 'unsharp' && p.amount !== 0) {
    return refuse('amount', `0 for ${p.filter}`, p.amount)
  }
  for (const side of ['left', 'top', 'right', 'bottom'] as const) {
    if (p[side] > p.radius) return refuse(side, `at most the radius, ${p.radius}`, p[side])
  }
  if (outWidth(p) < 1) return refuse('width', 'more than left + right', p.width)
  if (outHeight(p) < 1) return refuse('height', 'more than top + bottom', p.height)
  return withinLimits(p, [pixels(p.width, p.height)])
}

const sample = (name: string, params: Params & { width: number; height: number }): KernelCase => ({
  name,
  params: { sigma: 0, amount: 0, left: 0, top: 0, right: 0, bottom: 0, ...params },
  inputs: (): Tensor[] => {
    const { width, height } = params
    return [{ ...pixels(width, height), data: bytes(width * height * 4, width + height) }]
  },
})

export const imageFilter: ShaderKernel<ImageFilterParams> = {
  id: 'image-filter@1',
  title: 'Image filter: blur, edges, sharpen',
  parse(params) {
    const side = integer(1, 16_384)
    const halo = integer(0, MAX_RADIUS)
    const read = readParams(params, {
      filter: oneOf(...FILTERS),
      radius: integer(1, MAX_RADIUS),
      sigma: integer(0, 32_000),
      amount: integer(0, 10_000),
      width: side,
      height: side,
      left: halo,
      top: halo,
      right: halo,
      bottom: halo,
    })
    if (!read.ok) return read
    const { filter, radius, sigma } = read.value
    const weights = filter === 'sobel' ? [] : gaussianWeights(radius, Math.max(sigma, 100))
    return fitting({ ...read.value, weights })
  },
  inputs: ({ width, height }) => [pixels(width, height)],
  output: (p) => pixels(outWidth(p), outHeight(p)),
  costFlop: (p) => outWidth(p) * outHeight(p) * operations(p),
  costBytes: (p) => 4 * (p.width * p.height + outWidth(p) * outHeight(p)),
  items: (p) => outWidth(p) * outHeight(p),
  itemLength: () => 4,
  reference: (p, [image], from, to, out) => filterPixels(p, image!, from, to, out),
  check: 'bit-equality',
  shader: 'image-filter',
  entry: ({ filter }) => (filter === 'sobel' ? 'sobel' : 'main'),
  grain: outWidth,
  dispatch(p, from, to) {
    const width = outWidth(p)
    const rows = Math.ceil((to - from) / width)
    const strips = p.filter === 'sobel' ? rows : Math.ceil(rows / STRIP)
    const place = [p.width, p.height, p.left, p.top, width, from / width, Math.ceil(to / width)]
    const how = [p.radius, p.filter === 'unsharp' ? 1 : 0, p.amount, 0, 0]
    const weights = Array.from({ length: UNIFORM_WEIGHTS }, (_, i) => [p.weights[i] ?? 0, 0, 0, 0])
    return {
      grid: [Math.ceil(width / LANES), strips, 1],
      uniforms: uniformWords([...place, ...how, ...weights.flat()]),
    }
  },
  workgroup: [LANES, 1, 1],
  cases: [
    sample('a single pixel', {
      filter: 'gaussian-blur',
      radius: 3,
      sigma: 1200,
      width: 1,
      height: 1,
    }),
    sample('a whole image', {
      filter: 'gaussian-blur',
      radius: 2,
      sigma: 1000,
      width: 67,
      height: 35,
    }),
    sample('a tile from the middle', {
      filter: 'gaussian-blur',
      radius: 16,
      sigma: 5300,
      width: 80,
      height: 66,
      left: 16,
      top: 16,
      right: 16,
      bottom: 16,
    }),
    sample('a tile at a corner, close to the border', {
      filter: 'unsharp',
      radius: 5,
      sigma: 2000,
      amount: 1500,
      width: 40,
      height: 30,
      right: 5,
      bottom: 3,
    }),
    sample('ten times the detail', {
      filter: 'unsharp',
      radius: 1,
      sigma: 32_000,
      amount: 10_000,
      width: 33,
      height: 17,
      left: 1,
    }),
    sample('edges', { filter: 'sobel', radius: 1, width: 70, height: 20, top: 1, right: 1 }),
  ],
}

/**
 * Operators that are products of matrices, as such: what they answer is then checked by projections in place of
 * being computed once more. A convolution is a product for each group of channels: a row of A for each window,
 * a column of B for each filter. A bias is one more column of A times one more row of B.
 */
import { floatOf, inputOf, intOf } from '../../../kernels/tensor/op.ts'
import { convPlan, type ConvPlan } from '../../../kernels/tensor/ops/conv.ts'
import { gemmSizes, productPlan } from '../../../kernels/tensor/ops/matmul.ts'
import { sizeOf } from '../../../kernels/tensor/tensor.ts'
import type { TensorData } from '../../../kernels/kernel.ts'
import type { BoundNode } from '../../../kernels/tensor/bound.ts'
import type { Call } from '../../../kernels/tensor/op.ts'
import type { Shape, Tensor } from '../../../kernels/tensor/tensor.ts'
import type { Product, Shape as Sides } from './float-scales.ts'

export type Part = { readonly sides: Sides; readonly product: Product }

/** Numbers of A that are laid out at once: 8 MiB. */
const ROWS_AT_ONCE = 2 ** 21

type Inputs = readonly (Tensor | null)[]

/** null where the node is no product, or one that has no such form. */
export const productsOf = (
  { op, call }: BoundNode,
  inputs: Inputs,
  got: TensorData,
): Iterable<Part> | null => {
  // Nothing is added up, and what comes of it is plain.
  if (call.inputs.some((input) => input !== null && sizeOf(input) === 0)) return null
  switch (op.name) {
    case 'MatMul':
      return matrices(call, inputs, got)
    case 'Gemm':
      return gemm(call, inputs, got)
    case 'Conv':
      return windows(convPlan(call)!, inputs, got)
    default:
      return null
  }
}

const floats = ({ data }: Tensor): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data)

function* matrices(call: Call, [x, y]: Inputs, got: TensorData): Iterable<Part> {
  const { a, b, batch, m, k, n } = productPlan(inputOf(call, 0).shape, inputOf(call, 1).shape)!
  const [left, right] = [floats(x!), floats(y!)]
  // Where B is the same for all of A, it is one product.
  if (
    b.slice(0, -2).every((size) => size === 1) &&
    sizeOf({ shape: a }) / k === sizeOf({ shape: batch }) * m
  )
    return yield { sides: { m: left.length / k, k, n }, product: { a: left, b: right, c: got } }
  for (let at = 0; at < sizeOf({ shape: batch }); at++) {
    const [i, j] = [stretchedAt(batch, a.slice(0, -2), at), stretchedAt(batch, b.slice(0, -2), at)]
    const product = {
      a: left.subarray(i * m * k, (i + 1) * m * k),
      b: right.subarray(j * k * n, (j + 1) * k * n),
      c: got.subarray(at * m * n, (at + 1) * m * n),
    }
    yield { sides: { m, k, n }, product }
  }
}

/** Which of its own places a stretched one shows at place `at` of all. */
const stretchedAt = (all: Shape, own: Shape, at: number): number => {
  const added = all.length - own.length
  let [rest, place, step] = [at, 0, 1]
  for (let axis = all.length - 1; axis >= added; axis--) {
    const size = own[axis - added]!
    if (size > 1) place += (rest % all[axis]!) * step
    rest = Math.floor(rest / all[axis]!)
    step *= size
  }
  return place
}

const gemm = (call: Call, [x, y, bias]: Inputs, got: TensorData): Iterable<Part> | null => {
  const { m, k, n } = gemmSizes(call)!
  const scaled = floatOf(call, 'alpha', 1) !== 1 || floatOf(call, 'beta', 1) !== 1
  const added = bias === null || bias === undefined ? null : bias
  // One number for each column, or for all of them.
  const isRow = added !== null && sizeOf(added) === (added.shape.at(-1) ?? 1)
  if (scaled || (added !== null && !isRow)) return null
  const a = intOf(call, 'transA', 0) === 0 ? floats(x!) : turned(floats(x!), k, m)
  const b = intOf(call, 'transB', 0) === 0 ? floats(y!) : turned(floats(y!), n, k)
  if (added === null) return [{ sides: { m, k, n }, product: { a, b, c: got } }]
  const wide = new Float32Array(m * (k + 1)).fill(1)
  for (let row = 0; row < m; row++) wide.set(a.subarray(row * k, (row + 1) * k), row * (k + 1))
  return [{ sides: { m, k: k + 1, n }, product: { a: wide, b: withRow(b, added, n), c: got } }]
}

const withRow = (b: Float32Array, { data }: Tensor, n: number): Float32Array => {
  const long = new Float32Array(b.length + n)
  long.set(b)
  for (let j = 0; j < n; j++) long[b.length + j] = data[data.length === 1 ? 0 : j]!
  return long
}

const turned = (from: Float32Array, rows: number, columns: number): Float32Array =>
  Float32Array.from(from, (_, at) => from[(at % rows) * columns + Math.floor(at / rows)]!)

function* windows(plan: ConvPlan, [x, w, bias]: Inputs, got: TensorData): Iterable<Part> {
  const { group, depth, width, kernel, shape } = plan
  const [batch, filters, ...outer] = shape as [number, number, ...number[]]
  const [taps, places] = [depth * sizeOf({ shape: kernel }), sizeOf({ shape: outer })]
  const added = bias === null || bias === undefined ? null : bias.data
  const k = taps + (added === null ? 0 : 1)
  const rows = Math.max(1, Math.min(places, Math.floor(ROWS_AT_ONCE / k)))
  for (let g = 0; g < group; g++) {
    const b = new Float32Array(k * width)
    for (let j = 0; j < width; j++) {
      const filter = g * width + j
      for (let l = 0; l < taps; l++) b[l * width + j] = w!.data[filter * taps + l]!
      if (added !== null) b[taps * width + j] = added[filter]!
    }
    for (let n = 0; n < batch; n++) {
      for (let from = 0; from < places; from += rows) {
        const m = Math.min(rows, places - from)
        const a = new Float32Array(m * k).fill(added === null ? 0 : 1)
        for (let row = 0; row < m; row++)
          seen(plan, x!, [n, g * depth], from + row, a.subarray(row * k, row * k + taps))
        const c = new Float32Array(m * width)
        for (let j = 0; j < width; j++) {
          const line = (n * filters + g * width + j) * places + from
          for (let row = 0; row < m; row++) c[row * width + j] = got[line + row]!
        }
        yield { sides: { m, k, n: width }, product: { a, b, c } }
      }
    }
  }
}

/** What the window at a place sees of the channels from the first one on. */
const seen = (
  { windows: along, depth, kernel }: ConvPlan,
  x: Tensor,
  [n, first]: readonly [number, number],
  place: number,
  out: Float32Array,
): void => {
  const channels = x.shape[1]!
  const size = sizeOf({ shape: x.shape.slice(2) })
  const corner = coordinatesIn(
    along.map((window) => window.out),
    place,
  )
  const taps = out.length / depth
  for (let tap = 0; tap < taps; tap++) {
    const k = coordinatesIn(kernel, tap)
    let [at, inside] = [0, true]
    for (const [axis, window] of along.entries()) {
      const i = corner[axis]! * window.stride + k[axis]! * window.dilation - window.before
      inside &&= i >= 0 && i < window.size
      at = at * window.size + i
    }
    for (let channel = 0; channel < depth; channel++)
      out[channel * taps + tap] = inside ? x.data[(n * channels + first + channel) * size + at]! : 0
  }
}

const coordinatesIn = (shape: Shape, at: number): number[] => {
  const found: number[] = []
  let rest = at
  for (const size of shape.toReversed()) {
    found.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  return found
}

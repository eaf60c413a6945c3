/**
 * `sum@1`: partial sums of f32 numbers, one per block.
 *
 * S[i] = sum of x[i block .. min((i + 1) block, length))
 *
 * @shape x [length] -> S [ceil(length / block)]; length to 2^25, block to 2^20
 * @unit one operation per element
 * @error |S - exact| <= chain(n) 2^-23 (sum of |x|), n the elements of the block: every element passes
 *   at most chain(n) additions, each off by at most one unit in the last place
 * @source N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §4.2, equation (4.4);
 *   WGSL §15.7.4: + is correctly rounded, to either neighbour.
 */
import { lineOfGroups, uniformWords } from './layout.ts'
import { floats } from './noise.ts'
import { integer, readParams } from './params.ts'
import type { ShaderKernel, KernelCase, Params, Tensor, TensorData, TensorType } from './kernel.ts'

export type SumParams = { readonly length: number; readonly block: number }

const LANES = 64
const RUN = 64
/** One unit in the last place of an f32, relative. */
const ULP = 2 ** -23
/** Largest finite f32. */
const MAX_F32 = 3.4028234663852886e38

/** Additions on the longest way from an element to the sum of `n` (see the shader). */
export const chain = (n: number): number => {
  const perLane = Math.ceil(n / LANES)
  return Math.min(perLane, RUN) + Math.ceil(perLane / RUN) + 3 + LANES / 8
}

const vector = (length: number): TensorType => ({ dtype: 'f32', shape: [length] })

const edges = ({ length, block }: SumParams, item: number): readonly [number, number] => [
  item * block,
  Math.min((item + 1) * block, length),
]

/** In float64: 2^20 roundings of 2^-53 are far below one of 2^-23. */
const exact = (x: TensorData, from: number, to: number): number => {
  let sum = 0
  for (let i = from; i < to; i++) sum += x[i]!
  return sum
}

const sample = (name: string, params: Params & SumParams): KernelCase => ({
  name,
  params,
  inputs: (): Tensor[] => [
    { ...vector(params.length), data: floats(params.length, params.length + params.block, 10) },
  ],
})

export const sum: ShaderKernel<SumParams> = {
  id: 'sum@1',
  title: 'Sums of blocks',
  parse: (params) =>
    readParams(params, { length: integer(1, 2 ** 25), block: integer(1, 2 ** 20) }),
  inputs: ({ length }) => [vector(length)],
  output: ({ length, block }) => vector(Math.ceil(length / block)),
  costFlop: ({ length }) => length,
  costBytes: ({ length, block }) => 4 * (length + Math.ceil(length / block)),
  items: ({ length, block }) => Math.ceil(length / block),
  itemLength: () => 1,
  reference(p, [x], from, to, out) {
    for (let item = from; item < to; item++) out[item - from] = exact(x!, ...edges(p, item))
  },
  range(p, [x], item) {
    const [from, to] = edges(p, item)
    let magnitude = 0
    for (let i = from; i < to; i++) magnitude += Math.abs(x![i]!)
    // Something infinite or NaN went in, or adding up may overflow: nothing can be held against it.
    if (!(magnitude < MAX_F32)) return { low: -Infinity, high: Infinity, nan: true }
    const want = exact(x!, from, to)
    // Subnormal results may be flushed to zero: 2^-126 each.
    const slack = chain(to - from) * ULP * magnitude + (to - from) * 2 ** -126
    return { low: want - slack, high: want + slack, nan: false }
  },
  check: 'recompute',
  tolerance: { abs: 1e-30, rel: 1e-5, scale: 'tensor' },
  shader: 'sum',
  dispatch: ({ length, block }, from, to) => ({
    grid: lineOfGroups(to - from),
    uniforms: uniformWords([length, block, from, to]),
  }),
  workgroup: [LANES, 1, 1],
  cases: [
    sample('a single element', { length: 1, block: 1 }),
    sample('blocks of one', { length: 100, block: 1 }),
    sample('a short last block', { length: 1000, block: 96 }),
    sample('one block of many runs', { length: 70_001, block: 2 ** 20 }),
    sample('many blocks', { length: 65_536, block: 256 }),
  ],
}

/**
 * `matmul@1`: C = A B, dense, row-major, f32.
 *
 * C[i, j] = sum over l of A[i, l] B[l, j]
 *
 * @shape A [m, k], B [k, n] -> C [m, n]; any m, k, n from 1 to 65536
 * @unit a multiply-add is two operations: 2 m k n
 * @error |C - AB| <= chain(k) 2^-24 |A| |B| elementwise, to first order: the products are added in
 *   runs of `run(k)`, then the runs. Reordering or fusing by a driver may only be as accurate or better.
 * @source N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.1 and §4.2;
 *   WGSL, §15.7.4 "Floating Point Accuracy": + and * are correctly rounded.
 */
import { uniformWords } from './layout.ts'
import { floats } from './noise.ts'
import { integer, readParams, withinLimits } from './params.ts'
import type { ShaderKernel, KernelCase, Tensor, TensorType } from './kernel.ts'

export type MatmulParams = { readonly m: number; readonly k: number; readonly n: number }

/** Rows and columns of C that one invocation holds. */
const BLOCK = 8
/** Side of a workgroup in invocations. */
const SIDE = 8

/** Products added in one run: about sqrt(k); below 64 the second level costs more than it gains. */
export const run = (k: number): number =>
  Math.min(256, Math.max(64, 4 * Math.round(Math.sqrt(k) / 4)))

/** The longest chain of roundings behind an element: its product, its run, and the sum of the runs. */
export const chain = (k: number): number => 1 + Math.min(k, run(k)) + Math.ceil(k / run(k))

const tensor = (rows: number, columns: number): TensorType => ({
  dtype: 'f32',
  shape: [rows, columns],
})

const sample = (name: string, m: number, k: number, n: number): KernelCase => ({
  name,
  params: { m, k, n },
  inputs: (): Tensor[] => [
    { ...tensor(m, k), data: floats(m * k, m + 3 * k + 5 * n) },
    { ...tensor(k, n), data: floats(k * n, m + 7 * k + 11 * n) },
  ],
})

export const matmul: ShaderKernel<MatmulParams> = {
  id: 'matmul@1',
  title: 'Matrix product, 32-bit floats',
  parse(params) {
    const side = integer(1, 65_536)
    const read = readParams(params, { m: side, k: side, n: side })
    return read.ok
      ? withinLimits(read.value, [...matmul.inputs(read.value), matmul.output(read.value)])
      : read
  },
  inputs: ({ m, k, n }) => [tensor(m, k), tensor(k, n)],
  output: ({ m, n }) => tensor(m, n),
  costFlop: ({ m, k, n }) => 2 * m * k * n,
  costBytes: ({ m, k, n }) => 4 * (m * k + k * n + m * n),
  items: ({ m }) => m,
  itemLength: ({ n }) => n,
  reference({ k, n }, [a, b], from, to, out) {
    const sums = new Float64Array(n)
    for (let row = from; row < to; row++) {
      sums.fill(0)
      for (let l = 0; l < k; l++) {
        const left = a![row * k + l]!
        const at = l * n
        for (let j = 0; j < n; j++) sums[j]! += left * b![at + j]!
      }
      out.set(sums, (row - from) * n)
    }
  },
  check: 'freivalds',
  // Cross-device comparison in tests; a verdict uses the residual bound of the Freivalds check.
  tolerance: { abs: 1e-30, rel: 1e-5, scale: 'tensor' },
  shader: 'matmul',
  entry: ({ k, n }) => (k % 4 === 0 && n % 4 === 0 ? 'aligned' : 'main'),
  grain: () => BLOCK,
  dispatch: ({ m, k, n }, from, to) => ({
    grid: [Math.ceil(n / (BLOCK * SIDE)), Math.ceil((to - from) / (BLOCK * SIDE)), 1],
    uniforms: uniformWords([m, k, n, from, to, run(k)]),
  }),
  workgroup: [SIDE, SIDE, 1],
  cases: [
    sample('one by one', 1, 1, 1),
    sample('a vector times a matrix', 1, 37, 29),
    sample('a column', 33, 130, 1),
    sample('edges in every direction', 13, 67, 19),
    sample('multiples of four, not of the block', 20, 132, 36),
    sample('several workgroups and runs', 96, 260, 136),
  ],
}

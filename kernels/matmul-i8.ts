/**
 * `matmul-i8@1`: C = A B, dense, row-major, 8-bit integers with 32-bit sums, exact.
 *
 * C[i, j] = sum over l of A[i, l] B[l, j]
 *
 * @shape A i8 [m, k], B i8 [k, n] -> C i32 [m, n]; any m, k, n from 1 to 65536, so that
 *   |C| <= 2^14 k <= 2^30 never wraps
 * @unit a multiply-add is two operations: 2 m k n
 * @error none: every bit is the same on every adapter
 * @source integers below 2^24 are exact in f32 (IEEE 754, 24-bit significand); see the shader.
 */
import { uniformWords } from './layout.ts'
import { signedBytes } from './noise.ts'
import { integer, readParams, withinLimits } from './params.ts'
import type { ShaderKernel, KernelCase, Tensor, TensorType } from './kernel.ts'
import type { MatmulParams } from './matmul.ts'

/** Side of a workgroup in invocations. */
const SIDE = 8

const isAligned = ({ k, n }: MatmulParams): boolean => k % 4 === 0 && n % 4 === 0

/** Rows and columns of C that one invocation holds. */
const block = (p: MatmulParams): number => (isAligned(p) ? 8 : 4)

const tensor = (rows: number, columns: number): TensorType => ({
  dtype: 'i8',
  shape: [rows, columns],
})

const sample = (name: string, m: number, k: number, n: number): KernelCase => ({
  name,
  params: { m, k, n },
  inputs: (): Tensor[] => [
    { ...tensor(m, k), data: signedBytes(m * k, m + 3 * k + 5 * n) },
    { ...tensor(k, n), data: signedBytes(k * n, m + 7 * k + 11 * n) },
  ],
})

/** Sums far beyond 2^24 whose last bits count: f32 alone could not hold them. */
const extreme = (name: string, m: number, k: number, n: number): KernelCase => ({
  name,
  params: { m, k, n },
  inputs: (): Tensor[] => [
    { ...tensor(m, k), data: new Int8Array(m * k).fill(127) },
    { ...tensor(k, n), data: new Int8Array(k * n).fill(127) },
  ],
})

export const matmulI8: ShaderKernel<MatmulParams> = {
  id: 'matmul-i8@1',
  title: 'Matrix product, 8-bit integers',
  parse(params) {
    const side = integer(1, 65_536)
    const read = readParams(params, { m: side, k: side, n: side })
    return read.ok
      ? withinLimits(read.value, [...matmulI8.inputs(read.value), matmulI8.output(read.value)])
      : read
  },
  inputs: ({ m, k, n }) => [tensor(m, k), tensor(k, n)],
  output: ({ m, n }) => ({ dtype: 'i32', shape: [m, n] }),
  costFlop: ({ m, k, n }) => 2 * m * k * n,
  costBytes: ({ m, k, n }) => m * k + k * n + 4 * m * n,
  items: ({ m }) => m,
  itemLength: ({ n }) => n,
  reference({ k, n }, [a, b], from, to, out) {
    // Sums stay below 2^30, so doubles hold them exactly.
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
  shader: 'matmul-i8',
  entry: (p) => (isAligned(p) ? 'aligned' : 'main'),
  grain: block,
  dispatch(p, from, to) {
    const { m, k, n } = p
    const side = block(p) * SIDE
    return {
      grid: [Math.ceil(n / side), Math.ceil((to - from) / side), 1],
      uniforms: uniformWords([m, k, n, from, to]),
    }
  },
  workgroup: [SIDE, SIDE, 1],
  cases: [
    sample('one by one', 1, 1, 1),
    sample('rows that begin in the middle of a word', 7, 13, 11),
    sample('k a multiple of four, n not', 9, 64, 5),
    sample('n a multiple of four, k not', 17, 35, 24),
    sample('words in every direction', 20, 132, 36),
    sample('more than one run of 1024', 11, 1100, 20),
    sample('more than one run, unaligned', 5, 2051, 9),
    extreme('the largest sums', 9, 2056, 12),
    extreme('the largest sums, unaligned', 3, 2055, 5),
  ],
}

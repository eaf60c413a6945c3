/**
 * Items computed again. Which ones is drawn by strata: one from every cell of the result, so that a
 * wrong region larger than a cell is hit for certain and not only probably.
 */
import { allocate } from '../../../kernels/kernel.ts'
import type { Kernel, Range, TensorData, Tolerance } from '../../../kernels/kernel.ts'
import type { Prng } from '../../base/prng.ts'
import type { Checking, Rejection, Verdict } from './verdict.ts'

/**
 * Fewer samples than this and a tenth of wrong items might pass: (1 - 0.1)^512 is 4e-24, and 2 % of
 * wrong items pass once in 3e4.
 */
const MIN_SAMPLES = 512

/** One random item of every cell; in reading order, so that the reference reads its inputs in order. */
export const strata = (
  shape: readonly number[],
  items: number,
  rate: number,
  random: Prng,
): Uint32Array => {
  const [rows = 1, columns = 1] = shape
  const plane = shape.length >= 2 && rows * columns === items
  const wanted = Math.min(items, MIN_SAMPLES)
  return plane
    ? cells(rows, columns, sideFor(rows, columns, wanted, Math.floor(Math.sqrt(rate))), random)
    : runs(items, Math.min(Math.floor(rate), Math.floor(items / wanted)), random)
}

const sideFor = (rows: number, columns: number, wanted: number, largest: number): number => {
  let side = Math.max(1, largest)
  while (side > 1 && Math.ceil(rows / side) * Math.ceil(columns / side) < wanted) side--
  return side
}

const cells = (rows: number, columns: number, side: number, random: Prng): Uint32Array => {
  const chosen: number[] = []
  for (let top = 0; top < rows; top += side) {
    for (let left = 0; left < columns; left += side) {
      const row = top + random.below(Math.min(side, rows - top))
      const column = left + random.below(Math.min(side, columns - left))
      chosen.push(row * columns + column)
    }
  }
  return Uint32Array.from(chosen)
}

const runs = (items: number, length: number, random: Prng): Uint32Array =>
  Uint32Array.from({ length: Math.ceil(items / length) }, (_, run) => {
    const from = run * length
    return from + random.below(Math.min(length, items - from))
  })

type Fault = { readonly code: Rejection; readonly detail: string }

/** Computes `items` again, or all of them, and compares as the kernel allows. */
export function* recomputeItems(
  kernel: Kernel,
  p: unknown,
  inputs: readonly TensorData[],
  result: TensorData,
  items: Uint32Array | null,
): Checking {
  const { check } = kernel
  const count = items?.length ?? kernel.items(p)
  const itemLength = kernel.itemLength(p)
  const want = allocate(kernel.output(p).dtype, itemLength)
  for (let i = 0; i < count; i++) {
    const item = items?.[i] ?? i
    const got = result.subarray(item * itemLength, (item + 1) * itemLength)
    const fault = compare(kernel, p, inputs, item, got, want)
    if (fault !== null) {
      const detail = `item ${item}: ${fault.detail}`
      return { kind: 'rejected', check, code: fault.code, detail } satisfies Verdict
    }
    yield (i + 1) / count
  }
  return { kind: 'accepted', check, ...(items === null ? {} : { samples: count }) }
}

const compare = (
  kernel: Kernel,
  p: unknown,
  inputs: readonly TensorData[],
  item: number,
  got: TensorData,
  want: TensorData,
): Fault | null => {
  if (kernel.range !== undefined) return within(got[0]!, kernel.range(p, inputs, item))
  kernel.reference(p, inputs, item, item + 1, want)
  const { tolerance } = kernel
  for (let i = 0; i < want.length; i++) {
    const fault =
      tolerance === undefined ? equal(got[i]!, want[i]!) : close(got[i]!, want, i, tolerance)
    if (fault !== null) return fault
  }
  return null
}

const equal = (got: number, want: number): Fault | null =>
  got === want ? null : { code: 'bits-differ', detail: `${got} in place of ${want}` }

const within = (got: number, { low, high, nan }: Range): Fault | null => {
  if (Number.isNaN(got) ? nan : got >= low && got <= high) return null
  const detail = `${got} is outside [${low}, ${high}]`
  return { code: Number.isFinite(got) ? 'out-of-tolerance' : 'not-finite', detail }
}

/** `scale: 'tensor'` takes the item for the tensor: the largest of all would need all of it. */
const close = (
  got: number,
  want: TensorData,
  at: number,
  { abs, rel, scale }: Tolerance,
): Fault | null => {
  const expected = want[at]!
  if (Object.is(got, expected) || got === expected) return null
  let size = Math.abs(expected)
  if (scale === 'tensor') for (const v of want) size = Math.max(size, Math.abs(v))
  if (Math.abs(got - expected) <= abs + rel * size) return null
  const detail = `${got} in place of ${expected}`
  return { code: Number.isFinite(got) ? 'out-of-tolerance' : 'not-finite', detail }
}

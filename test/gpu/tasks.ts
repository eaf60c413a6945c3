/** Tasks for the tests of the engine: short ones of every kind of numbers, and a long one. */
import type { Params } from '../../kernels/kernel.ts'

export const bytesOf = (numbers: readonly number[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Float32Array.from(numbers).buffer)

let count = 0
export const mapTask = (program: string, numbers: readonly number[]) => ({
  id: `map ${count++}`,
  kernel: 'map@1',
  params: { length: numbers.length, program } as Params,
  inputs: [bytesOf(numbers)],
})

/** Many small slices, a second or two in all. */
export const longTask = (id: string, iterations = 20_000) => ({
  id,
  kernel: 'mandelbrot@1',
  params: {
    limbs: 2,
    x: 'ffffffff4000000000000000',
    y: '000000002000000000000000',
    step: '000000000040000000000000',
    width: 512,
    height: 256,
    iterations,
  } as Params,
  inputs: [],
})

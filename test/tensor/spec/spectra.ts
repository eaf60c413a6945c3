/** Spectra and what they are weighed with. */
import { f32, i64, type Example } from './example.ts'

const one = (x: number): ReturnType<typeof i64> => i64([], x)
const real = (...numbers: readonly number[]): ReturnType<typeof f32> =>
  f32([1, numbers.length, 1], ...numbers)
const complex = (...numbers: readonly number[]): ReturnType<typeof f32> =>
  f32([1, numbers.length / 2, 2], ...numbers)

const root = Math.sqrt(3) / 2

export const SPECTRA: readonly Example[] = [
  {
    op: 'HannWindow',
    title: 'periodic: one more place, which is left out',
    inputs: [one(4)],
    outputs: [f32([4], 0, 0.5, 1, 0.5)],
  },
  {
    op: 'HannWindow',
    title: 'symmetric',
    attributes: { periodic: 0 },
    inputs: [one(3)],
    outputs: [f32([3], 0, 1, 0)],
  },
  {
    op: 'HammingWindow',
    title: '25 / 46 and 21 / 46',
    inputs: [one(2)],
    outputs: [f32([2], 4 / 46, 1)],
  },
  {
    op: 'BlackmanWindow',
    title: 'three cosines',
    attributes: { periodic: 0 },
    inputs: [one(3)],
    outputs: [f32([3], 0, 1, 0)],
  },
  {
    op: 'DFT',
    title: 'of real numbers, with the signs of e^-i',
    inputs: [real(1, 2, 3, 4)],
    outputs: [complex(10, 0, -2, 2, -2, 0, -2, -2)],
  },
  {
    op: 'DFT',
    title: 'half of it',
    attributes: { onesided: 1 },
    inputs: [real(1, 2, 3, 4)],
    outputs: [complex(10, 0, -2, 2, -2, 0)],
  },
  {
    op: 'DFT',
    title: 'and back from half of it',
    attributes: { onesided: 1, inverse: 1 },
    inputs: [complex(10, 0, -2, 2, -2, 0)],
    outputs: [real(1, 2, 3, 4)],
  },
  {
    op: 'DFT',
    title: 'back to an odd number of places',
    attributes: { onesided: 1, inverse: 1 },
    inputs: [complex(6, 0, -1.5, root), one(3)],
    outputs: [real(1, 2, 3)],
  },
  {
    op: 'DFT',
    title: 'of complex numbers, backwards and divided',
    attributes: { inverse: 1 },
    inputs: [complex(0, 4, 0, 0, 4, 0, 0, 0)],
    outputs: [complex(1, 1, -1, 1, 1, 1, -1, 1)],
  },
  {
    op: 'DFT',
    title: 'a longer transform adds zeros, a shorter one leaves out, along any axis',
    inputs: [f32([2, 1, 1], 3, 5), one(1), one(0)],
    outputs: [f32([1, 1, 2], 3, 0)],
  },
  {
    op: 'DFT',
    title: 'longer',
    inputs: [real(3), one(2)],
    outputs: [complex(3, 0, 3, 0)],
  },
  {
    op: 'STFT',
    title: 'frames overlap, and a window is laid over each',
    inputs: [real(1, 2, 3, 4), one(1), f32([2], 1, 10)],
    outputs: [f32([1, 3, 2, 2], 21, 0, -19, 0, 32, 0, -28, 0, 43, 0, -37, 0)],
  },
  {
    op: 'STFT',
    title: 'what is left of a frame at the end is left out',
    attributes: { onesided: 0 },
    inputs: [real(1, 2, 3, 4, 5), one(3), null, one(2)],
    outputs: [f32([1, 2, 2, 2], 3, 0, -1, 0, 9, 0, -1, 0)],
  },
]

/** Element by element: defaults, signs, halves, types. */
import { bf16, bool, f16, f32, i32, i8, u8, i64, type Example } from './example.ts'

const one = (
  op: string,
  attributes: Example['attributes'],
  given: readonly number[],
  wanted: readonly number[],
): Example => ({
  op,
  title: JSON.stringify(attributes),
  attributes: attributes ?? {},
  inputs: [f32([given.length], ...given)],
  outputs: [f32([wanted.length], ...wanted)],
})

const e = Math.exp(-1)

const activations: readonly Example[] = [
  one('Elu', { alpha: 2 }, [-1, 0, 3], [2 * (e - 1), 0, 3]),
  one('Celu', { alpha: 2 }, [-2, 3], [2 * (e - 1), 3]),
  one('Selu', {}, [-1, 1], [1.05070102214813 * 1.67326319217681 * (e - 1), 1.05070102214813]),
  one('HardSigmoid', {}, [-9, 1, 9], [0, 0.7, 1]),
  one('HardSwish', {}, [-4, 1, 4], [0, 2 / 3, 4]),
  one('LeakyRelu', {}, [-1, 1], [-0.01, 1]),
  one('ThresholdedRelu', {}, [1, 2], [0, 2]),
  one('Shrink', { lambd: 1.5, bias: 1 }, [-2, 0, 2, 1.5], [-1, 0, 1, 0]),
  one('Softsign', {}, [-1, 3], [-0.5, 0.75]),
  one('Softplus', {}, [0, 100, -100], [Math.LN2, 100, 0]),
  one('Mish', {}, [0], [0]),
  one('Swish', { alpha: 2 }, [0, 50], [0, 50]),
  one('Gelu', { approximate: 'tanh' }, [0, 9, -9], [0, 9, 0]),
  one('Gelu', {}, [1, -1], [0.8413447461, -0.1586552539]),
  one('Round', {}, [0.5, 1.5, 2.5, -0.5, -1.5, -2.5], [0, 2, 2, -0, -2, -2]),
  one('Sign', {}, [-3, 0, 7], [-1, 0, 1]),
  one('Ceil', {}, [-1.5, 1.2], [-1, 2]),
  one('Erf', {}, [0, 1], [0, 0.8427007929]),
  one('Reciprocal', {}, [-4], [-0.25]),
]

const pairs: readonly Example[] = [
  {
    op: 'SwiGLU',
    title: 'the first input is the gate',
    attributes: { alpha: 2 },
    inputs: [f32([3], 50, 0, -50), f32([3], 2, 3, 4)],
    outputs: [f32([3], 100, 0, 0)],
  },
  {
    op: 'Pow',
    title: 'a negative base, and exponents of another type',
    inputs: [f32([3], -2, 2, 4), i64([3], 3, -1, 0)],
    outputs: [f32([3], -8, 0.5, 1)],
  },
  {
    op: 'Pow',
    title: 'whole numbers stay whole',
    inputs: [i64([2], 3, -3), f32([2], 2, 3)],
    outputs: [i64([2], 9, -27)],
  },
  {
    op: 'Mod',
    title: 'the sign of the divisor',
    inputs: [i32([4], -4, 7, 5, -4), i32([4], 3, -3, 8, -3)],
    outputs: [i32([4], 2, -2, 5, -1)],
  },
  {
    op: 'Mod',
    title: 'fmod: the sign of the dividend',
    attributes: { fmod: 1 },
    inputs: [f32([3], -4.25, 7.5, 5), f32([3], 2, -3, 8)],
    outputs: [f32([3], -0.25, 1.5, 5)],
  },
  {
    op: 'Div',
    title: 'whole numbers towards zero',
    inputs: [i32([2], -7, 7), i32([], 2)],
    outputs: [i32([2], -3, 3)],
  },
  {
    op: 'PRelu',
    title: 'a slope for each column',
    inputs: [f32([2, 2], -1, -1, 2, -2), f32([2], 10, 100)],
    outputs: [f32([2, 2], -10, -100, 2, -200)],
  },
  {
    op: 'Max',
    title: 'one input',
    inputs: [f32([2], 1, NaN)],
    outputs: [f32([2], 1, NaN)],
  },
  {
    op: 'Min',
    title: 'NaN wins',
    inputs: [f32([2], 1, NaN), f32([], 0)],
    outputs: [f32([2], 0, NaN)],
  },
  {
    op: 'Mean',
    title: 'three stretched inputs',
    inputs: [f32([2], 1, 4), f32([], 3), f32([1], 2)],
    outputs: [f32([2], 2, 3)],
  },
  {
    op: 'Clip',
    title: 'no lower limit',
    inputs: [f32([2], -9, 9), null, f32([], 1)],
    outputs: [f32([2], -9, 1)],
  },
  {
    op: 'Clip',
    title: 'a lower limit above the upper one: the upper one wins',
    inputs: [f32([3], -9, 1, 9), f32([], 5), f32([], 2)],
    outputs: [f32([3], 2, 2, 2)],
  },
  {
    op: 'Where',
    title: 'whole numbers',
    inputs: [bool([2, 1], 1, 0), i64([2], 1, 2), i64([], 9)],
    outputs: [i64([2, 2], 1, 2, 9, 9)],
  },
  {
    op: 'Equal',
    title: 'NaN equals nothing',
    inputs: [f32([2], NaN, 1), f32([2], NaN, 1)],
    outputs: [bool([2], 0, 1)],
  },
  {
    op: 'IsInf',
    title: 'only from below',
    attributes: { detect_positive: 0 },
    inputs: [f32([3], -Infinity, Infinity, NaN)],
    outputs: [bool([3], 1, 0, 0)],
  },
  {
    op: 'BitShift',
    title: 'to the right',
    attributes: { direction: 'RIGHT' },
    inputs: [
      { ...i32([2], 16, 4), element: 'u8' },
      { ...i32([2], 1, 2), element: 'u8' },
    ],
    outputs: [{ ...i32([2], 8, 1), element: 'u8' }],
  },
  {
    op: 'Add',
    title: 'small whole numbers wrap around',
    inputs: [
      { ...i32([1], 200), element: 'u8' },
      { ...i32([1], 100), element: 'u8' },
    ],
    outputs: [{ ...i32([1], 44), element: 'u8' }],
  },
  {
    op: 'Xor',
    title: 'stretched',
    inputs: [bool([2, 1], 1, 0), bool([2], 1, 0)],
    outputs: [bool([2, 2], 0, 1, 1, 0)],
  },
  {
    op: 'Dropout',
    title: 'training that drops nothing, and its mask',
    inputs: [f32([2], 1, 2), f32([], 0), bool([], 1)],
    outputs: [f32([2], 1, 2), bool([2], 1, 1)],
  },
  {
    op: 'Cast',
    title: 'towards zero',
    attributes: { to: 6 },
    inputs: [f32([2], -1.9, 1.9)],
    outputs: [i32([2], -1, 1)],
  },
  {
    op: 'Cast',
    title: 'to 8 significant bits, halves to even',
    attributes: { to: 16 },
    inputs: [f32([6], 257, 259, -1.00390625, 3.39e38, 2 ** -134, NaN)],
    outputs: [bf16([6], 256, 260, -1, 3.3895313892515355e38, 0, NaN)],
  },
  {
    op: 'Cast',
    title: 'to 11 significant bits; below 2^-14 to multiples of 2^-24; infinite from 65520 on',
    attributes: { to: 10 },
    inputs: [f32([6], 2049, 2051, 1.5 * 2 ** -24, -(2 ** -26), 65519, -65520)],
    outputs: [f16([6], 2048, 2052, 2 ** -23, -0, 65504, -Infinity)],
  },
  {
    op: 'BitCast',
    title: 'the bits of 1 and -2',
    attributes: { to: 6 },
    inputs: [f32([2], 1, -2)],
    outputs: [i32([2], 0x3f800000, -0x40000000)],
  },
  {
    op: 'BitCast',
    title: 'a sign bit is a bit',
    attributes: { to: 3 },
    inputs: [u8([2], 127, 128)],
    outputs: [i8([2], 127, -128)],
  },
  {
    op: 'Add',
    title: 'what is answered is a number of its type',
    inputs: [bf16([2], 256, 256), bf16([2], 1, 3)],
    outputs: [bf16([2], 256, 260)],
  },
]

export const ELEMENTWISE: readonly Example[] = [...activations, ...pairs]

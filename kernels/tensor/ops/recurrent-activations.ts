/** What the gates of RNN, GRU and LSTM do with a sum. */
import * as math from '../wgsl-math.ts'
import { sigmoid, softplus } from './special-functions.ts'
import type { Call } from '../op.ts'
import type { WgslFunction } from '../wgsl-function.ts'

export type Activation = {
  compute(x: number): number
  wgsl(x: string): string
}

type Form = {
  /** What a model may choose, and what it is where it does not. */
  readonly alpha?: number
  readonly beta?: number
  compute(x: number, alpha: number, beta: number): number
  wgsl(x: string, alpha: number, beta: number): string
}

export const ACTIVATION_FUNCTIONS: readonly WgslFunction[] = [
  math.sigmoid,
  math.softplus,
  math.tanh,
]

/** @source ONNX, the text of LSTM; defaults are those of the operators of the same name */
const FORMS: Readonly<Record<string, Form>> = {
  relu: { compute: (x) => Math.max(0, x), wgsl: (x) => `max(F(0.0), ${x})` },
  tanh: { compute: Math.tanh, wgsl: (x) => `tanh_of(${x})` },
  sigmoid: { compute: sigmoid, wgsl: (x) => `sigmoid_of(${x})` },
  softsign: { compute: (x) => x / (1 + Math.abs(x)), wgsl: (x) => `${x} / (1.0 + abs(${x}))` },
  softplus: { compute: softplus, wgsl: (x) => `softplus_of(${x})` },
  affine: {
    alpha: 1,
    beta: 0,
    compute: (x, alpha, beta) => alpha * x + beta,
    wgsl: (x, alpha, beta) => `F(${alpha}) * ${x} + F(${beta})`,
  },
  leakyrelu: {
    alpha: 0.01,
    compute: (x, alpha) => (x >= 0 ? x : alpha * x),
    wgsl: (x, alpha) => `select(F(${alpha}) * ${x}, ${x}, ${x} >= F(0.0))`,
  },
  thresholdedrelu: {
    alpha: 1,
    compute: (x, alpha) => (x >= alpha ? x : 0),
    wgsl: (x, alpha) => `select(F(0.0), ${x}, ${x} >= F(${alpha}))`,
  },
  scaledtanh: {
    alpha: 1,
    beta: 1,
    compute: (x, alpha, beta) => alpha * Math.tanh(beta * x),
    wgsl: (x, alpha, beta) => `F(${alpha}) * tanh_of(F(${beta}) * ${x})`,
  },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    compute: (x, alpha, beta) => Math.min(1, Math.max(0, alpha * x + beta)),
    wgsl: (x, alpha, beta) => `clamp(F(${alpha}) * ${x} + F(${beta}), F(0.0), F(1.0))`,
  },
  elu: {
    alpha: 1,
    compute: (x, alpha) => (x >= 0 ? x : alpha * Math.expm1(x)),
    wgsl: (x, alpha) => `select(F(${alpha}) * (exp(${x}) - 1.0), ${x}, ${x} >= F(0.0))`,
  },
}

const listOf = <T>(call: Call, name: string): readonly T[] =>
  (call.attributes.get(name) as readonly T[] | undefined) ?? []

/** By direction, then by gate; null where a name is not one of ONNX's. `missing` are those of one direction. */
export const activationsOf = (
  call: Call,
  missing: readonly string[],
  directions: number,
): readonly (readonly Activation[])[] | null => {
  const named = listOf<string>(call, 'activations')
  const twice = Array.from({ length: directions }, () => missing).flat()
  const names = (named.length === 0 ? twice : named).map((name) => name.toLowerCase())
  const clip = (call.attributes.get('clip') as number | undefined) ?? 0
  if (names.length < twice.length || names.some((name) => !Object.hasOwn(FORMS, name))) return null
  // Numbers are for those that take one, in their order.
  const [alphas, betas] = [
    [...listOf<number>(call, 'activation_alpha')],
    [...listOf<number>(call, 'activation_beta')],
  ]
  const all = names.slice(0, twice.length).map((name): Activation => {
    const form = FORMS[name]!
    const alpha = form.alpha === undefined ? 0 : (alphas.shift() ?? form.alpha)
    const beta = form.beta === undefined ? 0 : (betas.shift() ?? form.beta)
    if (clip <= 0)
      return {
        compute: (x) => form.compute(x, alpha, beta),
        wgsl: (x) => form.wgsl(x, alpha, beta),
      }
    return {
      compute: (x) => form.compute(Math.max(-clip, Math.min(clip, x)), alpha, beta),
      wgsl: (x) => form.wgsl(`clamp(${x}, F(${-clip}), F(${clip}))`, alpha, beta),
    }
  })
  return Array.from({ length: directions }, (_, d) =>
    all.slice(d * missing.length, (d + 1) * missing.length),
  )
}

/**
 * RNN, GRU and LSTM as kernels. What the inputs add to the gates is one product for all moments; what the hidden
 * state adds waits for the moment before.
 */
import { lowerProduct } from './matmul.ts'
import { INPUT } from './recurrent.ts'
import { sliceView, transposeView } from '../view.ts'
import type { Build } from '../build.ts'
import type { Shader } from '../shader.ts'
import type { Moment } from '../templates/scan.ts'
import type { Value } from '../value.ts'
import type { View } from '../view.ts'
import type { Recurrent } from './recurrent.ts'

/** The batch where the operators' texts have it: [moments or directions..., batch, ...], or back from there. */
const ordered = (
  build: Build,
  { batchFirst }: Recurrent,
  value: Value,
  order: readonly number[],
): Value => (batchFirst ? build.move(value, (view) => transposeView(view, order)) : value)

export type Ready = {
  /** What the inputs add to the gates, with the inputs' bias: [directions, moments * batch, gates * hidden] */
  readonly x: View
  /** [directions, hidden, gates * hidden] */
  readonly r: View
  /** [directions, 2 * gates * hidden] */
  readonly bias: View | null
  readonly lengths: View | null
  /** The hidden state before and after a moment, in turns: [2, directions, batch, hidden] */
  readonly h: View
  /** [moments, directions, batch, hidden] */
  readonly y: View
}

export const readyOf = (
  build: Build,
  plan: Recurrent,
  inputs: readonly (Value | null)[],
): Ready => {
  const { moments, batch, features, directions, gates, hidden } = plan
  const optional = (i: number): Value | null => inputs[i] ?? null
  const bias = optional(INPUT.b) === null ? null : build.realise(optional(INPUT.b)!)
  const lengths = optional(INPUT.lengths) === null ? null : build.realise(optional(INPUT.lengths)!)
  const x = ordered(build, plan, inputs[INPUT.x]!, [1, 0, 2])
  const turned = (value: Value): Value =>
    build.move(value, (view) => transposeView(view, [0, 2, 1]))
  const rows = build.reshape(build.realise(x), [1, moments * batch, features])
  const found = lowerProduct(build, rows, turned(inputs[INPUT.w]!))
  const own = bias === null ? null : sliceView(bias, 1, { start: 0, size: gates * hidden, step: 1 })
  const wide =
    own === null
      ? null
      : build.expand(build.reshape(own, [directions, 1, gates * hidden]), found.shape)
  const gated =
    wide === null ? found : build.pointwise('f32', [found, wide], ([sum, add]) => `${sum} + ${add}`)
  return {
    x: build.realise(gated),
    r: build.dense(turned(build.realise(inputs[INPUT.r]!))),
    bias,
    lengths,
    h: stateOf(build, plan, optional(INPUT.h), 2),
    y: build.fresh('f32', [moments, directions, batch, hidden]),
  }
}

/** A state with its first value; with `turns` of them, the first is that one. */
export const stateOf = (
  build: Build,
  plan: Recurrent,
  initial: Value | null,
  turns: number,
): View => {
  const { directions, batch, hidden } = plan
  const shape = [1, directions, batch, hidden]
  const out = build.fresh('f32', shape.with(0, turns))
  const first = sliceView(out, 0, { start: 0, size: 1, step: 1 })
  const begin = initial === null ? null : ordered(build, plan, initial, [1, 0, 2])
  build.write(begin === null ? build.literal('f32', shape, 0) : build.reshape(begin, shape), first)
  return out
}

/** All hidden states and the last one, as the operator answers them. */
export const answersOf = (
  build: Build,
  plan: Recurrent,
  { y, h }: Pick<Ready, 'y' | 'h'>,
): readonly Value[] => {
  const turn = plan.moments % 2
  const all = ordered(build, plan, y, [2, 0, 1, 3])
  return [all, lastOf(build, plan, sliceView(h, 0, { start: turn, size: 1, step: 1 }))]
}

/** @shape state [1, directions, batch, hidden] */
export const lastOf = (build: Build, plan: Recurrent, state: View): Value =>
  ordered(build, plan, build.reshape(state, state.shape.slice(1)), [1, 0, 2])

/** WGSL of a moment of one sequence. */
export type Place = {
  /** Which moment of the sequence this is, and whether the sequence is so long. */
  readonly time: string
  readonly running: string
  /** Which of the two hidden states is the one before, and which the one after. */
  readonly before: string
  readonly after: string
}

/** @param at direction and sequence */
const placeOfMoment = (
  { shader, moment }: Pick<Moment, 'shader' | 'moment'>,
  plan: Recurrent,
  lengths: View | null,
  [direction, sequence]: readonly [string, string],
): Place => {
  const { moments, backwards } = plan
  const length =
    lengths === null
      ? String(moments)
      : shader.let(`clamp(${shader.read(lengths, [sequence])}, 0, ${moments})`)
  const running = shader.let(`${moment} < ${length}`)
  const back = backwards.length === 2 ? `${direction} == 1` : String(backwards[0])
  const turned = `select(${moment}, ${length} - 1 - ${moment}, ${back})`
  const time = shader.let(`select(${moment}, ${turned}, ${running})`)
  const before = shader.let(`${moment} % 2`)
  return { time, running, before, after: shader.let(`1 - ${before}`) }
}

/** The function of a gate, which may be another one in each direction. */
export const gateText = (
  { activations }: Recurrent,
  gate: number,
  direction: string,
  x: string,
): string => {
  const texts = activations.map((own) => own[gate]!.wgsl(x))
  return texts.every((text) => text === texts[0])
    ? `(${texts[0]})`
    : `select(${texts[0]}, ${texts[1]}, ${direction} == 1)`
}

/** Direction, sequence and neuron of an invocation. */
export type At = readonly [direction: string, sequence: string, neuron: string]

/** WGSL of what the inputs and their bias add to a gate. */
const inputText = (
  shader: Shader,
  { batch, hidden }: Recurrent,
  { x }: Ready,
  [direction, sequence, neuron]: At,
  { gate, time }: { readonly gate: number; readonly time: string },
): string =>
  shader.read(x, [
    direction,
    shader.let(`${time} * ${batch} + ${sequence}`),
    shader.let(`${gate * hidden} + ${neuron}`),
  ])

/** What a kernel of one neuron at one moment looks at. */
export type Here = {
  readonly own: At
  readonly place: Place
  /** Neuron k of the state before. */
  before(k: string): string
  /** What the inputs add to a gate. */
  input(gate: number): string
}

export const hereOf = (plan: Recurrent, ready: Ready, { shader, at, moment }: Moment): Here => {
  const own = at as unknown as At
  const [d, b] = own
  const place = placeOfMoment({ shader, moment }, plan, ready.lengths, [d, b])
  return {
    own,
    place,
    before: (k) => shader.place(ready.h, [place.before, d, b, k]),
    input: (gate) => inputText(shader, plan, ready, own, { gate, time: place.time }),
  }
}

/** WGSL of what a state adds to some gates, each with its bias. @param state WGSL of neuron k's */
export const stateTexts = (
  shader: Shader,
  { hidden, gates }: Recurrent,
  { r, bias }: Ready,
  [direction, , neuron]: At,
  asked: readonly number[],
  state: (k: string) => string,
): readonly string[] => {
  const sums = asked.map(() => shader.var('0.0'))
  shader.line(`for (var k = 0; k < ${hidden}; k++) {`)
  const value = shader.let(state('k'))
  for (const [i, gate] of asked.entries()) {
    const weight = shader.read(r, [direction, 'k', shader.let(`${gate * hidden} + ${neuron}`)])
    shader.line(`${sums[i]} += ${value} * ${weight};`)
  }
  shader.line('}')
  if (bias === null) return sums
  return asked.map((gate, i) => {
    const place = shader.let(`${(gates + gate) * hidden} + ${neuron}`)
    return shader.let(`${sums[i]} + ${shader.read(bias, [direction, place])}`)
  })
}

/** Stores a neuron's new state, or keeps the old one behind the end of a sequence. */
export const storeState = (
  shader: Shader,
  { y, h }: Ready,
  [direction, sequence, neuron]: At,
  { time, running, before, after }: Place,
  next: string,
): void => {
  const own = [direction, sequence, neuron]
  const old = shader.place(h, [before, ...own])
  shader.line(`${shader.place(y, [time, ...own])} = select(0.0, ${next}, ${running});`)
  shader.line(`${shader.place(h, [after, ...own])} = select(${old}, ${next}, ${running});`)
}

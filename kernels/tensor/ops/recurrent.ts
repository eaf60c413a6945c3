/** What RNN, GRU and LSTM have in common: sequences that are walked moment by moment, forwards, backwards or both ways. */
import { isFloat, sameShape } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, inputOf, intOf, textOf } from '../op.ts'
import { MAX_MOMENTS } from '../templates/scan.ts'
import { activationsOf } from './recurrent-activations.ts'
import type { Draw } from '../draw.ts'
import type { AttributeKind, Call, Sample } from '../op.ts'
import type { Attribute } from '../graph.ts'
import type { Refusal } from '../outcome.ts'
import type { Shape, Tensor, TensorType } from '../tensor.ts'
import type { Activation } from './recurrent-activations.ts'

/** Inputs that all three have; those behind are an operator's own. */
export const INPUT = { x: 0, w: 1, r: 2, b: 3, lengths: 4, h: 5, c: 6, p: 7 } as const

export const RECURRENT_ATTRIBUTES: Readonly<Record<string, AttributeKind>> = {
  activation_alpha: 'floats',
  activation_beta: 'floats',
  activations: 'texts',
  clip: 'float',
  direction: 'text',
  hidden_size: 'int',
  layout: 'int',
}

export type Recurrent = {
  readonly moments: number
  readonly batch: number
  readonly features: number
  readonly hidden: number
  readonly directions: number
  readonly gates: number
  /** By direction: whether it goes backwards, and what its gates do. */
  readonly backwards: readonly boolean[]
  readonly activations: readonly (readonly Activation[])[]
  /** The batch comes first. */
  readonly batchFirst: boolean
}

const BACKWARDS: Readonly<Record<string, readonly boolean[]>> = {
  forward: [false],
  reverse: [true],
  bidirectional: [false, true],
}

/** @param names of the functions of one direction's gates */
export const recurrentOf = (
  call: Call,
  gates: number,
  names: readonly string[],
): Recurrent | null => {
  const [x, w, r] = [INPUT.x, INPUT.w, INPUT.r].map((i) => inputOf(call, i).shape)
  const batchFirst = intOf(call, 'layout', 0) !== 0
  const backwards = BACKWARDS[textOf(call, 'direction', 'forward')]
  const activations = activationsOf(call, names, backwards?.length ?? 1)
  if (x!.length !== 3 || backwards === undefined || activations === null) return null
  const [first, second, features] = x as [number, number, number]
  const [moments, batch] = batchFirst ? [second, first] : [first, second]
  const [directions, hidden] = [backwards.length, r!.at(-1) ?? 0]
  const plan = { moments, batch, features, hidden, directions, gates }
  const fit = (i: number, shape: Shape): boolean => {
    const own = call.inputs[i]
    return own === null || own === undefined || sameShape(own.shape, shape)
  }
  const state = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
  const fits =
    sameShape(w!, [directions, gates * hidden, features]) &&
    sameShape(r!, [directions, gates * hidden, hidden]) &&
    fit(INPUT.b, [directions, 2 * gates * hidden]) &&
    fit(INPUT.lengths, [batch]) &&
    fit(INPUT.h, state) &&
    fit(INPUT.c, state) &&
    fit(INPUT.p, [directions, 3 * hidden]) &&
    intOf(call, 'hidden_size', hidden) === hidden
  return fits ? { ...plan, backwards, activations, batchFirst } : null
}

/** Types of Y and of `states` last states. */
export const recurrentTypes = (
  call: Call,
  plan: Recurrent | null,
  states: number,
): readonly TensorType[] | Refusal => {
  const { element } = inputOf(call, INPUT.x)
  const lengths = call.inputs[INPUT.lengths] ?? null
  if (!areFloats(call, INPUT.lengths) || (lengths !== null && isFloat(lengths.element)))
    return refuse('unsupported', `sequences of ${element}, or weights that are no floats`)
  if (plan === null)
    return refuse('bad-shape', 'no such direction or function, or weights that do not fit')
  const { moments, batch, directions, hidden } = plan
  if (moments === 0) return refuse('bad-shape', 'a sequence without moments')
  if (moments > MAX_MOMENTS) return refuse('too-large', `${moments} moments`)
  const all = plan.batchFirst
    ? [batch, moments, directions, hidden]
    : [moments, directions, batch, hidden]
  const state = plan.batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
  return [
    { element, shape: all },
    ...Array.from({ length: states }, (): TensorType => ({ element, shape: state })),
  ]
}

export const recurrentFlop = ({
  moments,
  batch,
  directions,
  gates,
  hidden,
  features,
}: Recurrent): number => 2 * moments * batch * directions * gates * hidden * (hidden + features)

export type DrawnRecurrent = {
  readonly attributes: Readonly<Record<string, Attribute>>
  /** x, w, r, b, lengths, h */
  readonly inputs: Sample['inputs']
  readonly directions: number
  readonly batch: number
  readonly hidden: number
  readonly state: Shape
}

export const drawRecurrent = (draw: Draw, gates: number): DrawnRecurrent => {
  const direction = draw.pick(['forward', 'reverse', 'bidirectional'])
  const directions = direction === 'bidirectional' ? 2 : 1
  const [moments, batch] = [draw.whole(1, 5), draw.whole(1, 3)]
  const [features, hidden] = [draw.whole(1, 4), draw.whole(1, 5)]
  const layout = draw.whole(0, 1)
  const state = layout === 1 ? [batch, directions, hidden] : [directions, batch, hidden]
  const optional = (tensor: Tensor): Tensor | null => (draw.chance(0.6) ? tensor : null)
  return {
    attributes: { direction, layout, hidden_size: hidden },
    inputs: [
      draw.floats(layout === 1 ? [batch, moments, features] : [moments, batch, features]),
      draw.floats([directions, gates * hidden, features], -1, 1),
      draw.floats([directions, gates * hidden, hidden], -1, 1),
      optional(draw.floats([directions, 2 * gates * hidden], -1, 1)),
      optional(draw.integers([batch], 1, moments, 'i32')),
      optional(draw.floats(state, -1, 1)),
    ],
    directions,
    batch,
    hidden,
    state,
  }
}

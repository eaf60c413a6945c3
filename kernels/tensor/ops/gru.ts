/**
 * GRU: z = f(Xt Wz + Ht-1 Rz), r = f(Xt Wr + Ht-1 Rr), Ht = (1 - z) g(...) + z Ht-1, where the reset gate r is put on
 * the state before the product with Rh, or on the product.
 */
import { scan } from '../templates/scan.ts'
import { intOf } from '../op.ts'
import { sizeOf } from '../tensor.ts'
import { ACTIVATION_FUNCTIONS } from './recurrent-activations.ts'
import { answersOf, gateText, hereOf, readyOf, stateTexts, storeState } from './recurrent-lower.ts'
import { eachSequence, gateSums, recurrentPlaces } from './recurrent-reference.ts'
import {
  drawRecurrent,
  RECURRENT_ATTRIBUTES,
  recurrentFlop,
  recurrentOf,
  recurrentTypes,
} from './recurrent.ts'
import type { Build } from '../build.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shader } from '../shader.ts'
import type { MomentKernel } from '../templates/scan.ts'
import type { Here, Ready } from './recurrent-lower.ts'
import type { Recurrent } from './recurrent.ts'

const planOf = (call: Call): Recurrent | null => recurrentOf(call, 3, ['Sigmoid', 'Tanh'])
const isLinear = (call: Call): boolean => intOf(call, 'linear_before_reset', 0) !== 0

/** Gates, and functions. */
const [UPDATE, RESET, HIDDEN] = [0, 1, 2]
const [F, G] = [0, 1]

export const gru: Op = {
  name: 'GRU',
  inputs: [3, 6],
  attributes: { ...RECURRENT_ATTRIBUTES, linear_before_reset: 'int' },
  infer: (call) => recurrentTypes(call, planOf(call), 1),
  flop: (call) => recurrentFlop(planOf(call)!),
  reference(call, [x, w, r, bias, lengths, first]) {
    const plan = planOf(call)!
    const { hidden, activations } = plan
    const place = recurrentPlaces(plan)
    const [y, last] = call.outputs.map((type) => new Float64Array(sizeOf(type)))
    eachSequence(plan, lengths, (d, b, times) => {
      const biasAt = (i: number): number => bias?.data[d * 6 * hidden + i] ?? 0
      const [f, g] = [activations[d]![F]!, activations[d]![G]!]
      let h = Array.from({ length: hidden }, (_, j) => first?.data[place.state(d, b, j)] ?? 0)
      for (const time of times) {
        const sums = (
          gate: number,
          j: number,
          state: readonly number[],
        ): { x: number; h: number } => {
          const row = gate * hidden + j
          const found = gateSums(plan, [x!, w!, r!], { d, from: place.x(time, b, 0), row }, state)
          return { x: found.x + biasAt(row), h: found.h + biasAt(3 * hidden + row) }
        }
        const gateOf = (gate: number) => (_: number, j: number) => {
          const found = sums(gate, j, h)
          return f.compute(found.x + found.h)
        }
        const [update, reset] = [h.map(gateOf(UPDATE)), h.map(gateOf(RESET))]
        const seen = h.map((value, j) => value * reset[j]!)
        h = h.map((value, j) => {
          const found = sums(HIDDEN, j, isLinear(call) ? h : seen)
          const next = g.compute(found.x + found.h * (isLinear(call) ? reset[j]! : 1))
          return (1 - update[j]!) * next + update[j]! * value
        })
        for (const [j, value] of h.entries()) y![place.y(time, d, b, j)] = value
      }
      for (const [j, value] of h.entries()) last![place.state(d, b, j)] = value
    })
    return [y!, last!]
  },
  lower(call, inputs, build) {
    const plan = planOf(call)!
    const ready = readyOf(build, plan, inputs)
    const kernels = isLinear(call) ? [linearKernel(plan, ready)] : resetKernels(build, plan, ready)
    scan(build, plan.moments, kernels)
    return answersOf(build, plan, ready)
  },
  cases: {
    'reset before the product': (draw) => drawGru(draw, 0),
    'reset behind it': (draw) => drawGru(draw, 1),
  },
}

const gateOf = (
  shader: Shader,
  plan: Recurrent,
  { input, own }: Here,
  gate: number,
  state: string,
): string => {
  const sum = shader.let(`${input(gate)} + ${state}`)
  return shader.let(gateText(plan, F, own[0], sum))
}

/** Between the old state and the new one. */
const mixed = (shader: Shader, { before, own }: Here, update: string, next: string): string =>
  shader.let(`(1.0 - ${update}) * ${next} + ${update} * ${before(own[2])}`)

const linearKernel = (plan: Recurrent, ready: Ready): MomentKernel => ({
  outer: [plan.directions, plan.batch, plan.hidden],
  functions: ACTIVATION_FUNCTIONS,
  flop: 6 * plan.hidden,
  body(moment) {
    const here = hereOf(plan, ready, moment)
    const { own, place, before } = here
    const { shader } = moment
    const states = stateTexts(shader, plan, ready, own, [UPDATE, RESET, HIDDEN], before)
    const update = gateOf(shader, plan, here, UPDATE, states[UPDATE]!)
    const reset = gateOf(shader, plan, here, RESET, states[RESET]!)
    const sum = shader.let(`${here.input(HIDDEN)} + ${reset} * ${states[HIDDEN]}`)
    const next = shader.let(gateText(plan, G, own[0], sum))
    storeState(shader, ready, own, place, mixed(shader, here, update, next))
  },
})

/** The product needs all neurons' reset states: they are there when the first kernel is done. */
const resetKernels = (build: Build, plan: Recurrent, ready: Ready): readonly MomentKernel[] => {
  const { directions, batch, hidden } = plan
  const outer = [directions, batch, hidden]
  const [updates, seen] = [build.fresh('f32', outer), build.fresh('f32', outer)]
  const gates: MomentKernel = {
    outer,
    functions: ACTIVATION_FUNCTIONS,
    flop: 4 * hidden,
    body(moment) {
      const here = hereOf(plan, ready, moment)
      const { own, before } = here
      const { shader } = moment
      const states = stateTexts(shader, plan, ready, own, [UPDATE, RESET], before)
      const [update, reset] = [UPDATE, RESET].map((gate) =>
        gateOf(shader, plan, here, gate, states[gate]!),
      )
      shader.line(`${shader.place(updates, own)} = ${update};`)
      shader.line(`${shader.place(seen, own)} = ${reset} * ${before(own[2])};`)
    },
  }
  const state: MomentKernel = {
    outer,
    functions: ACTIVATION_FUNCTIONS,
    flop: 2 * hidden,
    body(moment) {
      const here = hereOf(plan, ready, moment)
      const { own, place } = here
      const { shader } = moment
      const [d, b] = own
      const seenAt = (k: string): string => shader.read(seen, [d, b, k])
      const [sum] = stateTexts(shader, plan, ready, own, [HIDDEN], seenAt)
      const whole = shader.let(`${here.input(HIDDEN)} + ${sum}`)
      const next = shader.let(gateText(plan, G, d, whole))
      const update = shader.let(shader.read(updates, own))
      storeState(shader, ready, own, place, mixed(shader, here, update, next))
    },
  }
  return [gates, state]
}

const drawGru = (draw: Draw, linear: number): Sample => {
  const { attributes, inputs } = drawRecurrent(draw, 3)
  return { attributes: { ...attributes, linear_before_reset: linear }, inputs, outputs: 2 }
}

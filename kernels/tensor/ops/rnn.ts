/** RNN: Ht = f(Xt W + Ht-1 R + bias). */
import { scan } from '../templates/scan.ts'
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
import { sizeOf } from '../tensor.ts'
import type { Call, Op } from '../op.ts'
import type { Recurrent } from './recurrent.ts'

const planOf = (call: Call): Recurrent | null => recurrentOf(call, 1, ['Tanh'])

export const rnn: Op = {
  name: 'RNN',
  inputs: [3, 6],
  attributes: RECURRENT_ATTRIBUTES,
  infer: (call) => recurrentTypes(call, planOf(call), 1),
  flop: (call) => recurrentFlop(planOf(call)!),
  reference(call, [x, w, r, bias, lengths, first]) {
    const plan = planOf(call)!
    const { hidden, activations } = plan
    const place = recurrentPlaces(plan)
    const [y, last] = call.outputs.map((type) => new Float64Array(sizeOf(type)))
    eachSequence(plan, lengths, (d, b, times) => {
      let h = Array.from({ length: hidden }, (_, j) => first?.data[place.state(d, b, j)] ?? 0)
      for (const time of times) {
        h = h.map((_, row) => {
          const from = place.x(time, b, 0)
          const sums = gateSums(plan, [x!, w!, r!], { d, from, row }, h)
          const own = [row, hidden + row].map((i) => bias?.data[d * 2 * hidden + i] ?? 0)
          return activations[d]![0]!.compute(sums.x + sums.h + own[0]! + own[1]!)
        })
        for (const [j, value] of h.entries()) y![place.y(time, d, b, j)] = value
      }
      for (const [j, value] of h.entries()) last![place.state(d, b, j)] = value
    })
    return [y!, last!]
  },
  lower(call, inputs, build) {
    const plan = planOf(call)!
    const { moments, directions, batch, hidden } = plan
    const ready = readyOf(build, plan, inputs)
    scan(build, moments, [
      {
        outer: [directions, batch, hidden],
        functions: ACTIVATION_FUNCTIONS,
        flop: 2 * hidden,
        body(moment) {
          const { shader } = moment
          const { own, place, before, input } = hereOf(plan, ready, moment)
          const [state] = stateTexts(shader, plan, ready, own, [0], before)
          const sum = shader.let(`${input(0)} + ${state}`)
          storeState(shader, ready, own, place, shader.let(gateText(plan, 0, own[0], sum)))
        },
      },
    ])
    return answersOf(build, plan, ready)
  },
  cases: {
    'any direction and layout': (draw) => {
      const { attributes, inputs } = drawRecurrent(draw, 1)
      return { attributes, inputs, outputs: 2 }
    },
    'other functions, clipped': (draw) => {
      const { attributes, inputs, directions } = drawRecurrent(draw, 1)
      const names = ['Affine', 'LeakyRelu', 'ScaledTanh', 'HardSigmoid', 'Elu', 'Softplus']
      const activations = Array.from({ length: directions }, () => draw.pick(names))
      return { attributes: { ...attributes, activations, clip: 1.5 }, inputs, outputs: 2 }
    },
  },
}

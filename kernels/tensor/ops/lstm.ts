/** LSTM: a cell that is forgotten and written to by gates, with peepholes where gates look at the cell. */
import { scan } from '../templates/scan.ts'
import { intOf } from '../op.ts'
import { sizeOf } from '../tensor.ts'
import { ACTIVATION_FUNCTIONS } from './recurrent-activations.ts'
import {
  answersOf,
  gateText,
  hereOf,
  lastOf,
  readyOf,
  stateOf,
  stateTexts,
  storeState,
} from './recurrent-lower.ts'
import { eachSequence, gateSums, recurrentPlaces } from './recurrent-reference.ts'
import {
  drawRecurrent,
  INPUT,
  RECURRENT_ATTRIBUTES,
  recurrentFlop,
  recurrentOf,
  recurrentTypes,
} from './recurrent.ts'
import type { Call, Op } from '../op.ts'
import type { Recurrent } from './recurrent.ts'

const planOf = (call: Call): Recurrent | null => recurrentOf(call, 4, ['Sigmoid', 'Tanh', 'Tanh'])
/** What is forgotten is what is not written. */
const isCoupled = (call: Call): boolean => intOf(call, 'input_forget', 0) !== 0

/** Gates in their order, which is that of peepholes too; and functions. */
const [WRITE, OUTPUT, FORGET, CELL] = [0, 1, 2, 3]
const [F, G, H] = [0, 1, 2]

export const lstm: Op = {
  name: 'LSTM',
  inputs: [3, 8],
  attributes: { ...RECURRENT_ATTRIBUTES, input_forget: 'int' },
  infer: (call) => recurrentTypes(call, planOf(call), 2),
  flop: (call) => recurrentFlop(planOf(call)!),
  reference(call, [x, w, r, bias, lengths, firstH, firstC, peepholes]) {
    const plan = planOf(call)!
    const { hidden, activations } = plan
    const place = recurrentPlaces(plan)
    const [y, lastH, lastC] = call.outputs.map((type) => new Float64Array(sizeOf(type)))
    eachSequence(plan, lengths, (d, b, times) => {
      const [f, g, out] = activations[d]!
      const peep = (gate: number, j: number): number =>
        peepholes?.data[d * 3 * hidden + gate * hidden + j] ?? 0
      const all = Array.from({ length: hidden }, (_, j) => place.state(d, b, j))
      let h = all.map((i) => firstH?.data[i] ?? 0)
      let cells = all.map((i) => firstC?.data[i] ?? 0)
      for (const time of times) {
        const sum = (gate: number, j: number): number => {
          const row = gate * hidden + j
          const found = gateSums(plan, [x!, w!, r!], { d, from: place.x(time, b, 0), row }, h)
          const own = [row, 4 * hidden + row].map((i) => bias?.data[d * 8 * hidden + i] ?? 0)
          return found.x + found.h + own[0]! + own[1]!
        }
        const next = cells.map((cell, j) => {
          const write = f!.compute(sum(WRITE, j) + peep(WRITE, j) * cell)
          const kept = isCoupled(call)
            ? 1 - write
            : f!.compute(sum(FORGET, j) + peep(FORGET, j) * cell)
          return kept * cell + write * g!.compute(sum(CELL, j))
        })
        h = next.map((cell, j) => {
          return f!.compute(sum(OUTPUT, j) + peep(OUTPUT, j) * cell) * out!.compute(cell)
        })
        cells = next
        for (const [j, value] of h.entries()) y![place.y(time, d, b, j)] = value
      }
      for (const [j, i] of all.entries()) [lastH![i], lastC![i]] = [h[j]!, cells[j]!]
    })
    return [y!, lastH!, lastC!]
  },
  lower(call, inputs, build) {
    const plan = planOf(call)!
    const { moments, directions, batch, hidden } = plan
    const ready = readyOf(build, plan, inputs)
    const cells = stateOf(build, plan, inputs[INPUT.c] ?? null, 1)
    const given = inputs[INPUT.p] ?? null
    const peepholes = given === null ? null : build.realise(given)
    scan(build, moments, [
      {
        outer: [directions, batch, hidden],
        functions: ACTIVATION_FUNCTIONS,
        flop: 8 * hidden,
        body(moment) {
          const { shader } = moment
          const { own, place, before, input } = hereOf(plan, ready, moment)
          const [d, , j] = own
          const gates = [WRITE, OUTPUT, FORGET, CELL]
          const states = stateTexts(shader, plan, ready, own, gates, before)
          const cellPlace = shader.place(cells, ['0', ...own])
          const cell = shader.let(cellPlace)
          /** A function of what comes to a gate, the cell seen through its peephole too. */
          const gateOf = (gate: number, seen: string | null): string => {
            const came = input(gate)
            const looks = peepholes === null || seen === null
            const at3 = shader.let(`${gate * hidden} + ${j}`)
            const peep = looks ? '' : ` + ${shader.read(peepholes, [d, at3])} * ${seen}`
            const sum = shader.let(`${came} + ${states[gate]}${peep}`)
            return shader.let(gateText(plan, seen === null ? G : F, d, sum))
          }
          const write = gateOf(WRITE, cell)
          const kept = isCoupled(call) ? shader.let(`1.0 - ${write}`) : gateOf(FORGET, cell)
          const next = shader.let(`${kept} * ${cell} + ${write} * ${gateOf(CELL, null)}`)
          const shown = shader.let(gateText(plan, H, d, next))
          const value = shader.let(`${gateOf(OUTPUT, next)} * ${shown}`)
          shader.line(`${cellPlace} = select(${cell}, ${next}, ${place.running});`)
          storeState(shader, ready, own, place, value)
        },
      },
    ])
    return [...answersOf(build, plan, ready), lastOf(build, plan, cells)]
  },
  cases: {
    'any direction and layout, with peepholes or without': (draw) => {
      const { attributes, inputs, directions, hidden, state } = drawRecurrent(draw, 4)
      const cells = draw.pick([null, draw.floats(state, -1, 1)])
      const peepholes = draw.pick([null, draw.floats([directions, 3 * hidden], -1, 1)])
      const coupled = { input_forget: draw.whole(0, 1) }
      return {
        attributes: { ...attributes, ...coupled },
        inputs: [...inputs, cells, peepholes],
        outputs: 3,
      }
    },
    'other functions': (draw) => {
      const { attributes, inputs, directions } = drawRecurrent(draw, 4)
      const names = ['Relu', 'Softsign', 'ThresholdedRelu', 'Sigmoid', 'HardSigmoid', 'Tanh']
      const activations = Array.from({ length: 3 * directions }, () => draw.pick(names))
      return { attributes: { ...attributes, activations }, inputs, outputs: 3 }
    },
  },
}

/**
 * A bound graph as a program: operators say what they are as lazy values, and what has one reader is
 * computed together with it.
 */
import { Build } from './build.ts'
import { gpuElement } from './tensor.ts'
import type { Bound, BoundNode, StateIds } from './bound.ts'
import type { Target } from './draft.ts'
import type { ValueId } from './graph.ts'
import type { Program, ProgramOutput } from './program.ts'
import type { Value } from './value.ts'
import type { View } from './view.ts'

export type LowerOptions = {
  /** False computes every value on its own; true if absent. */
  readonly fuse?: boolean
  /** Tables that stay where the program runs; none if absent. */
  readonly states?: readonly StateIds[]
}

export const lower = (
  bound: Bound,
  target: Target,
  { fuse = true, states = [] }: LowerOptions = {},
): Program => {
  const build = new Build(target)
  const readers = countReaders(bound)
  const values = new Map<ValueId, Value>()
  const [begins, ends] = [new Set(states.map(({ input }) => input)), endsOf(bound, states)]
  const tables = states.map(({ input }) => {
    const type = bound.types.get(input)!
    const view = build.state(gpuElement(type.element), type.shape)
    values.set(input, view)
    return { type, buffer: view.buffer }
  })
  const given = bound.graph.inputs.filter((id) => !begins.has(id))
  const asked = bound.graph.outputs.filter((id) => !ends.has(id))
  const inputs = given.map((id) => {
    const type = bound.types.get(id)!
    const needed = readers.has(id) && !bound.known.has(id)
    if (!needed) return { type, buffer: null }
    const view = build.fresh(gpuElement(type.element), type.shape, 'input')
    values.set(id, view)
    return { type, buffer: view.buffer }
  })
  for (const [id, tensor] of bound.known) values.set(id, build.constant(tensor))
  const outputs = new Map<ValueId, View>()
  const answered = new Set(asked)
  for (const made of bound.nodes) {
    for (const [id, value] of lowerNode(made, values, build)) {
      if (answered.has(id)) {
        const out = inOutput(build, value)
        outputs.set(id, out)
        values.set(id, out)
      } else {
        const alone = ends.has(id) || (fuse && (readers.get(id) ?? 0) <= 1)
        values.set(
          id,
          alone || isCheap(value) || (fuse && isNorm(value)) ? value : build.realise(value),
        )
      }
    }
  }
  const told = asked.map((id) => outputOf(id, { bound, build, values, outputs }))
  build.settle()
  return {
    buffers: build.buffers,
    steps: build.steps,
    products: [...build.products.values()],
    states: tables,
    inputs,
    constants: build.constants,
    outputs: told,
  }
}

const inOutput = (build: Build, value: Value): View => {
  if (value.kind === 'view' && build.makeOutput(value)) return value
  const out = build.fresh(value.element, value.shape, 'output')
  build.write(value, out)
  return out
}

/** A state is appended to once and read afterwards only: nobody would see it as it was. */
const endsOf = ({ graph, nodes }: Bound, states: readonly StateIds[]): ReadonlySet<ValueId> => {
  for (const { input, output } of states) {
    const readers = nodes.filter(({ node }) => node.inputs.includes(input))
    const isAppended =
      readers.length === 1 &&
      readers[0]!.op.name === 'TensorScatter' &&
      readers[0]!.node.outputs[0] === output &&
      graph.inputs.includes(input) &&
      graph.outputs.includes(output)
    if (!isAppended) throw new Error('invariant broken: a state that not one TensorScatter makes')
  }
  return new Set(states.map(({ output }) => output))
}

/** A product takes it as it is, so each of its readers may. */
const isNorm = (value: Value): boolean => value.kind === 'deferred' && value.norm !== undefined

/** Looks and literals are for free, however many read them. */
const isCheap = (value: Value): boolean =>
  value.kind === 'view' ||
  value.kind === 'constant' ||
  (value.kind === 'pointwise' && value.args.length === 0)

const lowerNode = (
  { node, op, call }: BoundNode,
  values: ReadonlyMap<ValueId, Value>,
  build: Build,
): readonly (readonly [ValueId, Value])[] => {
  const inputs = call.inputs.map((_, i) => {
    const id = node.inputs[i] ?? null
    return id === null ? null : values.get(id)!
  })
  const made = op.lower(call, inputs, build)
  return node.outputs.flatMap((id, i) => (id === null ? [] : [[id, made[i]!] as const]))
}

const countReaders = ({ graph, nodes }: Bound): ReadonlyMap<ValueId, number> => {
  const readers = new Map<ValueId, number>()
  const read = (id: ValueId): void => void readers.set(id, (readers.get(id) ?? 0) + 1)
  for (const { node } of nodes) for (const id of node.inputs) if (id !== null) read(id)
  graph.outputs.forEach(read)
  return readers
}

type Made = {
  readonly bound: Bound
  readonly build: Build
  readonly values: ReadonlyMap<ValueId, Value>
  readonly outputs: Map<ValueId, View>
}

/** Known ones are handed out as they are; an input that is an output too is copied. */
const outputOf = (id: ValueId, { bound, build, values, outputs }: Made): ProgramOutput => {
  const type = bound.types.get(id)!
  const known = bound.known.get(id)
  if (known !== undefined) return { type, kind: 'known', data: known.data }
  const made = outputs.get(id)
  if (made !== undefined) return { type, kind: 'buffer', buffer: made.buffer }
  const out = build.fresh(gpuElement(type.element), type.shape, 'output')
  build.write(values.get(id)!, out)
  outputs.set(id, out)
  return { type, kind: 'buffer', buffer: out.buffer }
}

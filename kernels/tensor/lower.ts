/**
 * A bound graph as a program: operators say what they are as lazy values, and what has one reader is
 * computed together with it.
 */
import { Build } from './build.ts'
import { roundingOf } from './half-floats.ts'
import { gpuElement } from './tensor.ts'
import type { Bound, BoundNode } from './bound.ts'
import type { Target } from './draft.ts'
import type { ValueId } from './graph.ts'
import type { Program, ProgramOutput } from './program.ts'
import type { Value } from './value.ts'
import type { View } from './view.ts'

export type LowerOptions = {
  /** False computes every value on its own; true if absent. */
  readonly fuse?: boolean
}

export const lower = (
  bound: Bound,
  target: Target,
  { fuse = true }: LowerOptions = {},
): Program => {
  const build = new Build(target)
  const readers = countReaders(bound)
  const values = new Map<ValueId, Value>()
  const inputs = bound.graph.inputs.map((id) => {
    const type = bound.types.get(id)!
    const needed = readers.has(id) && !bound.known.has(id)
    if (!needed) return { type, buffer: null }
    const view = build.fresh(gpuElement(type.element), type.shape, 'input')
    values.set(id, view)
    return { type, buffer: view.buffer }
  })
  for (const [id, tensor] of bound.known) values.set(id, build.constant(tensor))
  const outputs = new Map<ValueId, View>()
  const answered = new Set(bound.graph.outputs)
  for (const made of bound.nodes) {
    for (const [id, value] of lowerNode(made, values, build)) {
      if (answered.has(id)) {
        const out = build.fresh(value.element, value.shape, 'output')
        const round = roundingOf(bound.types.get(id)!.element)
        const text = ([x]: readonly string[]): string => `${round!.name}(${x})`
        build.write(round === null ? value : build.pointwise('f32', [value], text, [round]), out)
        outputs.set(id, out)
        values.set(id, out)
      } else {
        const alone = fuse && (readers.get(id) ?? 0) <= 1
        values.set(id, alone || isCheap(value) ? value : build.realise(value))
      }
    }
  }
  return {
    buffers: build.buffers,
    steps: build.steps,
    products: [...build.products.values()],
    inputs,
    constants: build.constants,
    outputs: bound.graph.outputs.map((id) => outputOf(id, { bound, build, values, outputs })),
  }
}

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

/** Formulas over views, written to a view: contiguous as a stream of vectors, else by coordinates. */
import { sizeOf } from '../tensor.ts'
import { leavesOf, replaceLeaves } from '../value.ts'
import { collapse } from '../view.ts'
import { Shader } from '../shader.ts'
import type { Draft } from '../draft.ts'
import type { Lanes } from '../wgsl-function.ts'
import type { Finish, Lazy } from '../value.ts'
import type { View } from '../view.ts'

/** Measured on SwiftShader: 4 invocations with long runs stream 3 times as fast as one vector each. */
const SHAPE_OF = {
  software: { workgroup: 4, run: 1024 },
  gpu: { workgroup: 64, run: 1 },
} as const

/**
 * Writes `value`, which must hold views and formulas only, to `out`, which has its shape. What is done with its
 * elements before counts on the coordinates that they have.
 */
export const pointwise = (draft: Draft, value: Lazy, out: View, finish?: Finish): void => {
  const leaves = [...leavesOf(value)].filter((leaf) => leaf.kind === 'view')
  const views = [out, ...leaves]
  const { shape, strides } =
    finish === undefined
      ? collapse(out.shape, views)
      : { shape: out.shape, strides: views.map((view) => view.strides) }
  const flat = (view: View, i: number): View => ({ ...view, shape, strides: strides[i]! })
  const flatLeaves = new Map(leaves.map((leaf, i) => [leaf as Lazy, flat(leaf, i + 1)]))
  const flatOut = flat(out, 0)
  const flatValue = replaceLeaves(value, (leaf) => flatLeaves.get(leaf) ?? leaf, shape)
  const lanes = lanesFor(draft, flatOut)
  const shader = new Shader(lanes)
  const count = Math.ceil(sizeOf({ shape }) / lanes)
  const { workgroup, run } = SHAPE_OF[draft.target.family]
  const length = Math.min(run, Math.ceil(count / workgroup))
  shader.line(`let first = (group.x * ${workgroup} + local.x) * ${length};`)
  shader.line(`for (var place = first; place < min(first + ${length}, ${count}); place++) {`)
  const places = shader.coordinates('place', shape.with(-1, Math.ceil(shape.at(-1)! / lanes)))
  const at = lanes === 1 ? places : places.with(-1, shader.let(`${places.at(-1)} * 4`))
  const found = shader.read(flatValue, at)
  shader.store(flatOut, at, finish?.(shader, at, found) ?? found)
  shader.line('}')
  draft.emit({
    template: 'pointwise',
    shader,
    workgroup: [workgroup, 1, 1],
    grid: [Math.ceil(count / (workgroup * length)), 1, 1],
    flop: sizeOf({ shape }) * (1 + (value.kind === 'pointwise' ? value.size : 0)),
  })
}

/** The last vector of four may reach beyond the end only where nobody else's elements lie there. */
const lanesFor = (draft: Draft, out: View): Lanes => {
  if (out.shape.at(-1)! % 4 === 0) return 4
  return out.shape.length === 1 && out.strides[0] === 1 && draft.isWhole(out) ? 4 : 1
}

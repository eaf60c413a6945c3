/**
 * The general kernel: out[o...] = finish(combine over r... of body(o..., r...)), one invocation per element.
 * Reads may be at any index, computed or looked up. Slow where a special template exists, right everywhere.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import type { Build } from '../build.ts'
import type { GpuElement, Shape } from '../tensor.ts'
import type { Deferred, Pointwise, Value } from '../value.ts'
import type { WgslFunction } from '../wgsl-function.ts'
import type { View } from '../view.ts'

export type Combine = {
  /** WGSL of what nothing combines to. */
  readonly initial: string
  step(found: string, term: string): string
  readonly functions?: readonly WgslFunction[]
}

export type Place = {
  readonly shader: Shader
  /** WGSL names (i32) of the coordinates in the result, and in what is reduced. */
  readonly out: readonly string[]
  readonly over: readonly string[]
  /** The inputs, ready for `shader.read`. */
  readonly inputs: readonly (View | Pointwise)[]
}

export type Nest = {
  readonly element: GpuElement
  readonly shape: Shape
  readonly inputs: readonly Value[]
  readonly over?: { readonly sizes: Shape; readonly combine: Combine }
  /** WGSL of one term; or of the element, where nothing is reduced. */
  body(place: Place): string
  /** WGSL of the element, from what was combined over all of `over`. */
  finish?(found: string, place: Place): string
  readonly functions?: readonly WgslFunction[]
  /** Operations of one term; 1 if absent. */
  readonly flop?: number
}

const WORKGROUP = { software: 4, gpu: 64 } as const
/** Elements of a workgroup on a software adapter, where starting one costs more than looping. */
const RUN = 16

export const nest = (build: Build, nested: Nest): Deferred => {
  const inputs = build.readables(nested.inputs)
  const { element, shape, over } = nested
  return build.deferred(element, shape, inputs, (finish, out) => {
    const shader = new Shader(1)
    shader.use(nested.functions ?? [])
    const count = sizeOf({ shape })
    const { family } = build.target
    const workgroup = WORKGROUP[family]
    const run = family === 'gpu' ? 1 : RUN
    shader.line(`let first = (group.x * ${workgroup} + local.x) * ${run};`)
    shader.line(`for (var place = first; place < min(first + ${run}, ${count}); place++) {`)
    const at = shader.coordinates('place', shape)
    const place = { shader, out: at, over: [], inputs }
    const found = loops(shader, nested, place)
    const finished = shader.let(nested.finish?.(found, place) ?? found)
    shader.store(out, at, finish(shader, at, finished))
    shader.line('}')
    build.emit({
      template: 'nest',
      shader,
      workgroup: [workgroup, 1, 1],
      grid: [Math.ceil(count / (workgroup * run)), 1, 1],
      flop: count * sizeOf({ shape: over?.sizes ?? [] }) * (nested.flop ?? 1),
    })
  })
}

const loops = (shader: Shader, { over, body }: Nest, place: Place): string => {
  if (over === undefined) return shader.let(body(place))
  const { sizes, combine } = over
  shader.use(combine.functions ?? [])
  const found = shader.var(combine.initial)
  const names = sizes.map((_, i) => `r${i}`)
  for (const [i, size] of sizes.entries())
    shader.line(`for (var r${i} = 0; r${i} < ${size}; r${i}++) {`)
  shader.line(`${found} = ${combine.step(found, body({ ...place, over: names }))};`)
  for (const _ of sizes) shader.line('}')
  return found
}

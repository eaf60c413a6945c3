/**
 * One invocation for each place of `outer`, which may walk, keep a state and store what it likes: for results
 * that depend on an order (running sums, scattered updates), and for several results of one walk.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import type { Build } from '../build.ts'
import type { GpuElement, Shape } from '../tensor.ts'
import type { Pointwise, Value } from '../value.ts'
import type { WgslFunction } from '../wgsl-function.ts'
import type { View } from '../view.ts'

export type SerialPlace = {
  readonly shader: Shader
  /** WGSL names (i32) of the coordinates in `outer`. */
  readonly at: readonly string[]
  /** The inputs, ready for `shader.read`. */
  readonly inputs: readonly (View | Pointwise)[]
  /** For `shader.place` and `shader.store`. */
  readonly results: readonly View[]
}

export type Serial = {
  readonly outer: Shape
  readonly inputs: readonly Value[]
  /** What a result begins with, where not all of it is stored. */
  readonly results: readonly {
    readonly element: GpuElement
    readonly shape: Shape
    readonly from?: Value
  }[]
  /** Writes the lines; invocations must not store where another one reads or stores. */
  body(place: SerialPlace): void
  readonly functions?: readonly WgslFunction[]
  /** Operations of one invocation. */
  readonly flop: number
}

/** Invocations walk far: few of them make a slice. */
const WORKGROUP = { software: 1, gpu: 64 } as const

export const serial = (build: Build, asked: Serial): readonly View[] => {
  const { outer, functions, flop } = asked
  const inputs = build.readables(asked.inputs)
  const results = asked.results.map(({ element, shape, from }) => {
    const out = build.fresh(element, shape)
    if (from !== undefined) build.write(from, out)
    return out
  })
  const count = sizeOf({ shape: outer })
  if (count === 0) return results
  const shader = new Shader(1)
  shader.use(functions ?? [])
  const workgroup = WORKGROUP[build.target.family]
  shader.line(`let place = group.x * ${workgroup} + local.x;`)
  shader.line(`if (place >= ${count}) { return; }`)
  asked.body({ shader, at: shader.coordinates('place', outer), inputs, results })
  build.emit({
    template: 'serial',
    shader,
    workgroup: [workgroup, 1, 1],
    grid: [Math.ceil(count / workgroup), 1, 1],
    flop: count * flop,
  })
  return results
}

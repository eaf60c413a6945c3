/**
 * Kernels that are run for one moment after another, where each needs what the one before left: one invocation
 * for each place of `outer`. The moment is the third coordinate of the workgroup, so that all moments share one
 * pipeline, and between any two of them the device is free for others.
 */
import { sizeOf } from '../tensor.ts'
import { Shader } from '../shader.ts'
import type { Build } from '../build.ts'
import type { Shape } from '../tensor.ts'
import type { WgslFunction } from '../wgsl-function.ts'

/** Each is a dispatch. Longer sequences are to be given in parts, with the state in between. */
export const MAX_MOMENTS = 4096

const WORKGROUP = { software: 4, gpu: 64 } as const

export type Moment = {
  readonly shader: Shader
  /** WGSL names (i32) of the coordinates in `outer`. */
  readonly at: readonly string[]
  /** WGSL name (i32) of the number of the moment. */
  readonly moment: string
}

export type MomentKernel = {
  readonly outer: Shape
  /**
   * Writes the lines. It reads views, and what lasts it reads and stores by `shader.place`; an invocation must not
   * store where another one reads or stores in the same moment.
   */
  body(moment: Moment): void
  readonly functions?: readonly WgslFunction[]
  /** Operations of one invocation. */
  readonly flop: number
}

/** All kernels in their order, for each of the moments. */
export const scan = (build: Build, moments: number, kernels: readonly MomentKernel[]): void => {
  const steps = kernels.map((kernel) => {
    const { outer, functions, flop } = kernel
    const count = sizeOf({ shape: outer })
    const shader = new Shader(1)
    shader.use(functions ?? [])
    const workgroup = WORKGROUP[build.target.family]
    shader.line(`let place = group.x * ${workgroup} + local.x;`)
    shader.line(`if (place >= ${count}) { return; }`)
    kernel.body({ shader, at: shader.coordinates('place', outer), moment: 'group.z' })
    return build.step({
      template: 'scan',
      shader,
      workgroup: [workgroup, 1, 1],
      grid: [Math.ceil(count / workgroup), 1, 1],
      flop: count * flop,
    })
  })
  for (let moment = 0; moment < moments; moment++)
    for (const step of steps) build.steps.push({ ...step, begin: [0, 0, moment] })
}

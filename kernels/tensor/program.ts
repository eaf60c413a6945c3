/** A graph as a GPU runs it: buffers, and compute steps one after another. Plain data. */
import type { Binding } from './shader.ts'
import type { Numbers, Tensor, TensorType } from './tensor.ts'
import type { Product } from './tiles.ts'

export type Grid = readonly [number, number, number]

export type ProgramBuffer = {
  /** Multiple of 16, so that vectors of four fit; what lies behind the elements is never looked at. */
  readonly bytes: number
  /** Constants may be shared with other programs; a state comes with each run, and stays behind it. */
  readonly role: 'input' | 'constant' | 'temporary' | 'output' | 'state'
}

export type Step = {
  /** Template that made it, for people who measure. */
  readonly template: string
  /** Entry point `main`; binding 0 is `Params { base: vec3u }`, then the bindings in their order. */
  readonly wgsl: string
  readonly bindings: readonly Binding[]
  /** Workgroups. May be beyond any limit of an adapter: a runner cuts it into slices by `base`. */
  readonly grid: Grid
  /** The first workgroup; [0, 0, 0] if absent. Steps that differ in nothing else share a pipeline. */
  readonly begin?: Grid
  /** Operations of the step, from shapes: what slices are cut by. */
  readonly flop: number
}

export type Program = {
  readonly buffers: readonly ProgramBuffer[]
  readonly steps: readonly Step[]
  /** Products and convolutions in tiles, one of each class: what is worth tuning. */
  readonly products: readonly Product[]
  /** Tables that steps read and write in place. */
  readonly states: readonly { readonly type: TensorType; readonly buffer: number }[]
  /** As the graph's inputs without states; no buffer where no step reads it. */
  readonly inputs: readonly { readonly type: TensorType; readonly buffer: number | null }[]
  readonly constants: readonly { readonly tensor: Tensor; readonly buffer: number }[]
  /** As the graph's outputs without states; some are known without running anything. */
  readonly outputs: readonly ProgramOutput[]
}

export type ProgramOutput = { readonly type: TensorType } & (
  | { readonly kind: 'buffer'; readonly buffer: number }
  | { readonly kind: 'known'; readonly data: Numbers }
)

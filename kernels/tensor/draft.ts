/** A program while it is written, and the kind of adapter it is written for. */
import { sizeOf } from './tensor.ts'
import { classOf, tileOf } from './tiles.ts'
import { isDense, wholeView } from './view.ts'
import type { Grid, ProgramBuffer, Step } from './program.ts'
import type { Shader } from './shader.ts'
import type { GpuElement, Shape, Tensor } from './tensor.ts'
import type { Family, Product, Tile, Tiles } from './tiles.ts'
import type { View } from './view.ts'

export type Target = {
  readonly family: Family
  /** Invocations of a subgroup where the adapter has subgroups of one fixed size; else null. */
  readonly subgroup: number | null
  /** What was found to be fast on it; the usual ones if absent. */
  readonly tiles?: Tiles
}

export type Emitted = {
  readonly template: string
  readonly shader: Shader
  readonly workgroup: readonly [number, number, number]
  readonly grid: Grid
  readonly flop: number
}

export class Draft {
  readonly target: Target
  readonly buffers: ProgramBuffer[] = []
  readonly steps: Step[] = []
  readonly constants: { readonly tensor: Tensor; readonly buffer: number }[] = []

  /** Those that tiles were asked for, one of each class. */
  readonly products = new Map<string, Product>()

  constructor(target: Target) {
    this.target = target
  }

  /** A buffer of its own for a tensor of this shape. */
  fresh(element: GpuElement, shape: Shape, role: ProgramBuffer['role'] = 'temporary'): View {
    const bytes = Math.max(16, Math.ceil((sizeOf({ shape }) * 4) / 16) * 16)
    this.buffers.push({ bytes, role })
    return wholeView(this.buffers.length - 1, element, shape)
  }

  /** Whether the view is all there is in its buffer, so that what lies behind it may be overwritten. */
  isWhole(view: View): boolean {
    const room = this.buffers[view.buffer]!.bytes / 4
    return view.offset === 0 && room - sizeOf(view) < 4
  }

  /** What fills a temporary is an output as it lies; false where there is more to it. */
  makeOutput(view: View): boolean {
    const { bytes, role } = this.buffers[view.buffer]!
    if (role !== 'temporary' || !this.isWhole(view) || !isDense(view)) return false
    this.buffers[view.buffer] = { bytes, role: 'output' }
    return true
  }

  tile(product: Product): Tile {
    this.products.set(classOf(product), product)
    return tileOf(this.target, product)
  }

  emit(emitted: Emitted): void {
    this.steps.push(this.step(emitted))
  }

  /** What `emit` adds. */
  step({ template, shader, workgroup, grid, flop }: Emitted): Step {
    const { bindings } = shader
    const wgsl = shader.text(workgroup, (buffer) => this.buffers[buffer]!.bytes)
    return { template, wgsl, bindings, grid, flop }
  }
}

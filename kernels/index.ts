/** The kernels there are. A kernel of a stranger is not here: see custom.ts. */
import { graphKernel } from './graph.ts'
import { imageFilter } from './image-filter.ts'
import { mandelbrot } from './mandelbrot.ts'
import { map } from './map.ts'
import { matmulI8 } from './matmul-i8.ts'
import { matmul } from './matmul.ts'
import { sum } from './sum.ts'
import type { Kernel, ShaderKernel } from './kernel.ts'

/** Those that are a shader of their own. */
export const KERNELS: readonly ShaderKernel[] = [
  imageFilter,
  mandelbrot,
  map,
  matmulI8,
  matmul,
  sum,
]

const PINNED: readonly Kernel[] = [graphKernel, ...KERNELS]

const BY_ID: ReadonlyMap<string, Kernel> = new Map(PINNED.map((kernel) => [kernel.id, kernel]))

const SHADERS: ReadonlyMap<string, ShaderKernel> = new Map(
  KERNELS.map((kernel) => [kernel.id, kernel]),
)

export const shaderById = (id: string): ShaderKernel | undefined => SHADERS.get(id)

export const kernelById = (id: string): Kernel | undefined => BY_ID.get(id)

/** In order, so that nodes with the same kernels say the same. */
export const kernelIds = (): string[] => [...BY_ID.keys()].toSorted()

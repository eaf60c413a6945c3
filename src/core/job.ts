/**
 * A job: the contract compiled from a spec, with its inputs named by content. Everything in it is
 * integers and text, so that every way of writing it down gives the same CID.
 */
import type { DType } from '../../kernels/kernel.ts'
import type { Cid } from '../base/ids.ts'
import type { MicroCredits, Ms } from '../base/units.ts'

/** What a job computes. One kind per template; each is cut into tasks by `plan.ts`. */
export type Program =
  | {
      readonly kind: 'mandelbrot'
      readonly width: number
      readonly height: number
      /** Decimal text, so that a deep zoom keeps its digits. */
      readonly centerX: string
      readonly centerY: string
      /** 1 shows a plane 4 units wide. */
      readonly zoom: string
      readonly iterations: number
      readonly palette: 'sheet' | 'fire' | 'ice' | 'grey'
    }
  | {
      readonly kind: 'image'
      readonly filter: 'gaussian-blur' | 'sobel' | 'unsharp'
      readonly radius: number
      /** Thousandths of a pixel. */
      readonly sigmaMilli: number
      /** Thousandths; how much of the detail unsharp adds. */
      readonly amountMilli: number
    }
  | {
      readonly kind: 'matmul'
      readonly dtype: 'f32' | 'i8'
      readonly m: number
      readonly k: number
      readonly n: number
    }
  | { readonly kind: 'map'; readonly length: number; readonly program: string }
  | { readonly kind: 'sum'; readonly length: number }
  | {
      /** A model: operators joined by values, cut into parts that are tasks. */
      readonly kind: 'graph'
      /** As in `kernels/tensor/graph-text.ts`; inputs that lie in others name these. */
      readonly graph: string
      /** How many tasks, if none would be too large; 0 for as few as there can be. */
      readonly parts: number
      /** Names of values behind which it is cut, in place of a number of parts. */
      readonly cut: readonly string[]
    }
  | {
      /** A stranger's shader: runs only where the owner allows it, and on at least two nodes. */
      readonly kind: 'wgsl'
      readonly source: string
      readonly items: number
      readonly itemLength: number
      readonly iterations: number
      readonly output: 'f32' | 'i32' | 'u32'
      readonly constants: readonly string[]
    }

export type JobInput = {
  readonly name: string
  readonly cid: Cid
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** `public`: any node may see its piece. `trusted`: only nodes whose work we have accepted before. */
export type Privacy = 'public' | 'trusted'

export type Needs = {
  /** The least a node must have: a real GPU, or any adapter, or anything at all. */
  readonly adapter: 'gpu' | 'webgpu' | 'any'
  /** Memory one task may take on the node. */
  readonly memoryBytes: number
}

export type Job = {
  readonly v: 1
  /** The contract's CID: prose and comments of the spec do not change it. */
  readonly spec: Cid
  readonly name: string
  readonly program: Program
  readonly inputs: readonly JobInput[]
  readonly needs: Needs
  /** How many different nodes must return the same result. */
  readonly redundancy: number
  readonly deadlineMs: Ms
  /** The most the job may cost; 0 asks for the free tier. */
  readonly budget: MicroCredits
  readonly privacy: Privacy
  /** Side of a square tile, or 0 for the planner's choice. */
  readonly tile: number
}

/** Limits a single submitter's machine can hold: see docs/PROTOCOL.md. */
export const JOB_LIMITS = {
  inputBytes: 1 << 30,
  outputBytes: 1 << 30,
  tasks: 65_536,
  redundancy: 5,
  deadlineMs: 24 * 3_600_000,
} as const

/** What would take references too long. */
import { costOf } from '../../kernels/tensor/bound.ts'
import { nodeLabel } from '../../kernels/tensor/graph.ts'
import { computeError } from '../errors.ts'
import type { BoundNode } from '../../kernels/tensor/bound.ts'
import type { ComputeError } from '../errors.ts'
import type { CpuPiece } from './cpu-pieces.ts'

/**
 * Operations of one node by a reference, which nobody can stop: up to 200 ns each on a core of a server, and
 * a worker that is silent for 15 s is ended.
 */
const REFERENCE_MAX = 2 ** 25
/** Products of matrices and sums take some nanoseconds. */
const REFERENCE_FAST_MAX = 2 ** 30
const FAST: ReadonlySet<string> = new Set([
  ...['MatMul', 'Gemm', 'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMean'],
  ...['ReduceSum', 'ReduceSumSquare'],
])

/** A node that a reference would be at for longer than anybody waits. */
export const endlessIn = ({ nodes }: CpuPiece): BoundNode | null =>
  nodes.find((made) => {
    const most = FAST.has(made.op.name) ? REFERENCE_FAST_MAX : REFERENCE_MAX
    return costOf(made) > most
  }) ?? null

export const tooSlow = ({ node }: BoundNode): ComputeError =>
  computeError('needs-webgpu', `${nodeLabel(node)} would take too long without it`)

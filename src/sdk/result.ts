/** A job that is done, as a program takes it. */
import { viewAs, type TensorData, type TensorType } from '../../kernels/kernel.ts'
import type { JobId } from '../base/ids.ts'
import type { JobView, NodeHandle, TaskView, WalletView } from '../peer/view.ts'
import { outputFile } from '../spec/outputs.ts'

export type Output = TensorType & { readonly data: TensorData }
/** A signed receipt, and where it stands in this account's chain. */
export type ReceiptEntry = WalletView['receipts'][number]

export type RunResult = {
  readonly job: JobId
  readonly outputs: Readonly<Record<string, Output>>
  readonly receipts: readonly ReceiptEntry[]
  /** Who did which task, how it was checked, and what it cost. */
  readonly tasks: readonly TaskView[]
  /** In micro-credits; a million of them is one credit. */
  readonly spent: number
  /** The picture as a PNG; absent where the job makes none. */
  image?(): Blob
}

export const resultOf = (handle: NodeHandle, view: JobView): RunResult => {
  const { id, tasks, spent, job } = view
  const outputs: Record<string, Output> = {}
  for (const { name, dtype, shape } of view.outputs) {
    // A copy, for the node's own goes when the job is forgotten.
    const bytes = handle.output(id, name)?.slice()
    if (bytes) outputs[name] = { dtype, shape, data: viewAs(dtype, bytes) }
  }
  const result = { job: id, outputs, receipts: receiptsOf(handle, id), tasks, spent }
  const [picture] = Object.values(outputs)
  if (!picture || (job.program.kind !== 'mandelbrot' && job.program.kind !== 'image')) return result
  const { data } = picture
  return {
    ...result,
    image() {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      const { bytes: png, mediaType } = outputFile(job.program, picture, bytes, 'png')
      return new Blob([png], { type: mediaType })
    },
  }
}

export const receiptsOf = (handle: NodeHandle, id: JobId): readonly ReceiptEntry[] =>
  handle
    .view()
    .wallet.receipts.filter(({ role, signed }) => role === 'requester' && signed.body.job === id)

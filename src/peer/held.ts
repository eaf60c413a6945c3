/** A lease as the worker holds it, and what an offer is worth before it becomes one. */
import { kernelById } from '../../kernels/index.ts'
import { tensorBytes, type Kernel } from '../../kernels/kernel.ts'
import type { Cid } from '../base/ids.ts'
import { bytes as byteCount, flop, type MicroCredits, type Ms } from '../base/units.ts'
import { OWN_SHADER, ownKernel } from '../core/own-shader.ts'
import { meteredCost } from '../core/price.ts'
import type { HeadOf, Refusal } from '../wire/messages.ts'
import type { Greeted } from './links.ts'

export type Held = {
  readonly key: string
  readonly who: Greeted
  readonly offer: HeadOf<'offer'>
  /** Metered by ourselves, from shapes. */
  readonly cost: MicroCredits
  readonly flop: number
  readonly bytes: number
  readonly inputs: (Uint8Array<ArrayBuffer> | null)[]
  readonly startedAt: Ms
  state: 'fetching' | 'queued' | 'computing' | 'committed' | 'revealing' | 'delivered'
  until: Ms
  permille: number
  result: {
    output: Uint8Array<ArrayBuffer>
    cid: Cid
    computeMs: number
    salt: Uint8Array<ArrayBuffer>
    /** What we will be owed for it is on our disk. */
    recorded: boolean
  } | null
}

/** What has to be known of a kernel before its task is taken. */
type Priced = Pick<Kernel, 'id' | 'parse' | 'inputs' | 'output' | 'costFlop' | 'costBytes'>

export type Appraisal = {
  readonly kernel: Priced
  /** Metered by ourselves, from shapes. */
  readonly cost: MicroCredits
  readonly flop: number
  readonly bytes: number
  /** Inputs and output, as they lie in memory and travel. */
  readonly memoryBytes: number
}

/**
 * Whether we know the kernel and the offer is a task of it; and what it costs by formula. A stranger's
 * shader is not even read where the owner does not allow any.
 */
export const appraise = (head: HeadOf<'offer'>, allowWgsl: boolean): Appraisal | Refusal => {
  const own = head.kernel === OWN_SHADER
  if (own && !allowWgsl) return 'wgsl-not-allowed'
  const kernel: Priced | undefined = own ? ownKernel : kernelById(head.kernel)
  if (!kernel) return 'no-skill'
  const parsed = kernel.parse(head.params)
  if (!parsed.ok) return 'bad-task'
  const types = kernel.inputs(parsed.value)
  const fits =
    types.length === head.reads.length &&
    types.every((type, slot) => {
      const { cid, dtype, shape } = head.reads[slot]!
      return cid !== null && dtype === type.dtype && shape.join() === type.shape.join()
    })
  if (!fits) return 'bad-task'
  const memoryBytes = [...types, kernel.output(parsed.value)].reduce(
    (sum, type) => sum + tensorBytes(type),
    0,
  )
  const work = { flop: kernel.costFlop(parsed.value), bytes: kernel.costBytes(parsed.value) }
  const cost = meteredCost({
    flop: flop(work.flop),
    bytes: byteCount(work.bytes),
    wireBytes: byteCount(memoryBytes),
    dispatches: 1,
  })
  return { kernel, cost, ...work, memoryBytes }
}

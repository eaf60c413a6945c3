/** A receipt of a task that bob did for alice, paid out of alice's chain, with the files of the job beside it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kernelById } from '../kernels/index.ts'
import { elements, viewAs, type TensorData } from '../kernels/kernel.ts'
import { prepareJob } from '../relay/prepare-job.ts'
import { specFileName } from '../relay/result-files.ts'
import { passingAccount } from '../relay/node-signer.ts'
import type { Result } from '../src/base/result.ts'
import { bytes, flop, microCredits, type MicroCredits } from '../src/base/units.ts'
import { evaluate, cutReads, evaluateTask } from '../src/core/evaluate.ts'
import type { JobId } from '../src/base/ids.ts'
import { credit, debit, openBlock } from '../src/core/ledger/append.ts'
import type { Block } from '../src/core/ledger/block.ts'
import { foundSwarm } from '../src/core/ledger/genesis.ts'
import { receiptFor, type Receipt } from '../src/core/receipt.ts'
import { paste } from '../src/core/rect.ts'
import { taskIdOf } from '../src/peer/running-job.ts'
import { writeNpy } from '../src/spec/npy.ts'
import { blockJson } from '../src/wire/block-json.ts'
import { cidOf, cidOfBytes } from '../src/wire/codec.ts'
import { receiptJson } from '../src/wire/receipt-json.ts'

const SUPPLY = microCredits(1_000_000_000)
const HOUR = 490_000

const good = <T, E>(result: Result<T, E>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

export type Wishes = {
  /** A template's name, and what to set in it. */
  readonly template: string
  readonly sets: readonly string[]
  readonly index?: number
  /** What bob's device makes of the right result. */
  readonly device?: (right: TensorData) => void
  readonly change?: (receipt: Receipt) => Receipt
  /** Another amount on alice's cheque. */
  readonly cheque?: MicroCredits
}

/** Writes `receipts/<cid>.json`, the spec and the output tensors into `dir`, as `swarm run --out DIR` does; gives the file. */
export const paidReceipt = async (
  dir: string,
  wishes: Wishes,
): Promise<{ file: string; receipt: Receipt }> => {
  const { template, sets, index = 0, device = () => undefined, change = (same) => same } = wishes
  const [alice, bob] = [passingAccount(), passingAccount()]
  const allocations = [{ account: alice.account, amount: SUPPLY }]
  const genesis = {
    v: 1,
    kind: 'genesis',
    name: 'test',
    supply: SUPPLY,
    allocations,
    hour: HOUR,
  } as const
  const swarm = good(foundSwarm(genesis, cidOf))
  const { job, plan, inputs, spec, text } = good(
    await prepareJob(`public/jobs/${template}.swarm.md`, sets, {}),
  )
  const given = Object.fromEntries(
    job.inputs.map(({ name, dtype }) => [name, viewAs(dtype, inputs[name]!)]),
  )
  const tensors = evaluate(plan, given)
  const task = plan.tasks[index]!
  const pieces = cutReads(plan, task, tensors)
  const output = evaluateTask(task, pieces)
  device(output)
  const piece = new Uint8Array(output.buffer as ArrayBuffer, output.byteOffset, output.byteLength)
  paste(tensors[task.writes.tensor]!, plan.tensors[task.writes.tensor]!, task.writes.rect, piece)
  const id = cidOf(job) as JobId
  const receipt = change(
    receiptFor(
      {
        swarm: swarm.cid,
        job: id,
        task: taskIdOf(id, task),
        attempt: 1,
        kernel: task.kernel,
        requester: alice.account,
        worker: bob.account,
        inputs: pieces.map(cidOfBytes),
        output: cidOfBytes(piece),
        flop: flop(task.flop),
        bytes: bytes(task.bytes),
        price: task.microCredits,
        hour: HOUR,
      },
      kernelById(task.kernel)!.check,
    ),
  )
  const tip = (block: Block) => ({ cid: cidOf(block), block })
  const cheque = good(
    debit(
      tip(openBlock(swarm, alice.account, HOUR)),
      bob.account,
      wishes.cheque ?? receipt.microCredits,
      cidOf(receipt),
      HOUR,
    ),
  )
  const answer = good(credit(tip(openBlock(swarm, bob.account, HOUR)), tip(cheque), HOUR))
  const bundle = {
    ...receiptJson({
      body: receipt,
      requesterSig: await alice.signer.sign(receipt),
      workerSig: await bob.signer.sign(receipt),
    }),
    job,
    task: index,
    debit: blockJson({ body: cheque, sig: await alice.signer.sign(cheque) }),
    credit: blockJson({ body: answer, sig: await bob.signer.sign(answer) }),
  }
  mkdirSync(join(dir, 'receipts'), { recursive: true })
  for (const name of Object.keys(spec.outputs)) {
    const type = plan.tensors[name]!
    writeFileSync(
      join(dir, `${name}.npy`),
      writeNpy({ ...type, data: tensors[name]!.subarray(0, elements(type.shape)) }),
    )
  }
  writeFileSync(join(dir, specFileName(spec.name, spec.cid)), text)
  const file = join(dir, 'receipts', `${bundle.cid}.json`)
  writeFileSync(file, `${JSON.stringify(bundle, null, 2)}\n`)
  return { file, receipt }
}

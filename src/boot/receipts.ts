/** Receipts looked at again, from their bytes, by somebody who need not trust anyone. */
import { plan } from '../core/plan.ts'
import type { Signer } from '../ports.ts'
import type { NodeHandle } from '../peer/view.ts'
import { taskIdOf } from '../peer/running-job.ts'
import { cidOf } from '../wire/codec.ts'
import { receiptJson } from '../wire/receipt-json.ts'
import type { Finding, SignedReceipt } from '../ui/services.ts'

export const verifyReceipt =
  (signer: Signer, handle: NodeHandle) =>
  async (signed: SignedReceipt): Promise<readonly Finding[]> => {
    const { body, requesterSig, workerSig } = signed
    const findings: Finding[] = [
      { what: 'Name', holds: true, detail: `${cidOf(body)}, worked out from its bytes` },
    ]
    const add = (what: string, holds: boolean | null, detail: string): void =>
      void findings.push({ what, holds, detail })
    add(
      'Requester’s signature',
      await signer.verify(body.requester, body, requesterSig),
      body.requester,
    )
    if (workerSig)
      add('Worker’s signature', await signer.verify(body.worker, body, workerSig), body.worker)
    else add('Worker’s signature', null, 'the worker has not countersigned yet')
    const { swarm, wallet, jobs } = handle.view()
    add('Swarm', body.swarm === swarm.cid, body.swarm === swarm.cid ? swarm.name : 'another swarm')
    if (body.microCredits > 0) {
      const cid = cidOf(body)
      const block = wallet.blocks.find(
        ({ body: { act } }) => 'receipt' in act && act.receipt === cid,
      )
      const amount = block && 'amount' in block.body.act ? block.body.act.amount : 0
      add(
        'Payment in your chain',
        amount === body.microCredits,
        block ? `block ${block.body.seq}, ${amount} micro-credits` : 'no block names it',
      )
    }
    const job = jobs.find(({ id }) => id === body.job)
    const planned = job && plan(job.job)
    if (planned?.ok) {
      const task = planned.value.tasks.find((each) => taskIdOf(body.job, each) === body.task)
      const metered =
        task?.flop === body.flop &&
        task.bytes === body.bytes &&
        task.kernel === body.kernel &&
        body.microCredits <= task.microCredits
      add(
        'Task and metering',
        metered,
        task ? `task ${task.index}: ${task.flop} operations by formula` : 'not a task of this job',
      )
    }
    return findings
  }

export const receiptLine = (signed: SignedReceipt): string => JSON.stringify(receiptJson(signed))

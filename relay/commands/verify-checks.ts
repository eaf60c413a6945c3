/** What a receipt says, checked without running anything: names, signatures, payment, plan and price. */
import { kernelById } from '../../kernels/index.ts'
import { err, ok, type Result } from '../../src/base/result.ts'
import { OWN_SHADER } from '../../src/core/own-shader.ts'
import { plan, type Plan, type PlannedTask } from '../../src/core/plan.ts'
import { paymentProblem } from '../../src/core/receipt.ts'
import { STAGE_KERNEL } from '../../src/peer/models/stage-part.ts'
import { taskIdOf } from '../../src/peer/running-job.ts'
import { cidOf } from '../../src/wire/codec.ts'
import type { SignedBlock } from '../../src/wire/signed.ts'
import { credits } from '../terminal.ts'
import { verifySignature } from '../registry-server.ts'
import type { Bundle } from './verify-bundle.ts'

/** `holds` null: it could not be looked at, and why. */
export type Finding = {
  readonly what: string
  readonly holds: boolean | null
  readonly detail: string
}
export type Planned = { readonly plan: Plan; readonly task: PlannedTask }

export const checkNames = async (bundle: Bundle): Promise<Finding[]> => {
  const { body, requesterSig, workerSig } = bundle.signed
  const cid = cidOf(body)
  return [
    {
      what: 'name',
      holds: cid === bundle.cid,
      detail: cid === bundle.cid ? cid : `the body is ${cid}, not ${bundle.cid}`,
    },
    {
      what: 'requester’s signature',
      holds: await verifySignature(body.requester, body, requesterSig),
      detail: body.requester,
    },
    workerSig === null
      ? { what: 'worker’s signature', holds: false, detail: 'the worker has not countersigned' }
      : {
          what: 'worker’s signature',
          holds: await verifySignature(body.worker, body, workerSig),
          detail: body.worker,
        },
  ]
}

/** The cheque and its answer. A bare receipt comes without them. */
export const checkPayment = async ({
  signed: { body },
  job,
  debit,
  credit,
}: Bundle): Promise<Finding[]> => {
  if (body.microCredits === 0 && !debit && !credit)
    return [{ what: 'payment', holds: true, detail: 'done in the free tier' }]
  if (!debit && !credit && !job)
    return [{ what: 'payment', holds: null, detail: 'the half-blocks are not in this file' }]
  const cid = cidOf(body)
  const problem = paymentProblem(body, cid, debit?.body ?? null)
  const amount = `${credits(body.microCredits)} credits`
  const findings: Finding[] = [
    {
      what: 'debit',
      holds: problem === null,
      detail:
        problem === null
          ? `${amount}, block ${debit?.body.seq}`
          : `${problem}: it does not pay for this receipt`,
    },
  ]
  if (debit) findings.push(await signatureOf('debit', debit))
  if (!credit)
    return [
      ...findings,
      { what: 'credit', holds: null, detail: 'the worker’s answer is not in this file' },
    ]
  const answers = debit !== null && answersDebit(debit, credit)
  findings.push({
    what: 'credit',
    holds: answers,
    detail: answers ? `answers it, block ${credit.body.seq}` : 'it does not answer the debit',
  })
  return [...findings, await signatureOf('credit', credit)]
}

const signatureOf = async (what: string, { body, sig }: SignedBlock): Promise<Finding> => ({
  what: `${what}’s signature`,
  holds: await verifySignature(body.account, body, sig),
  detail: body.account,
})

const answersDebit = ({ body: debit }: SignedBlock, { body: credit }: SignedBlock): boolean => {
  const { act, link } = credit
  return (
    act.act === 'credit' &&
    debit.act.act === 'debit' &&
    credit.swarm === debit.swarm &&
    credit.account === debit.act.to &&
    act.from === debit.account &&
    act.amount === debit.act.amount &&
    act.receipt === debit.act.receipt &&
    link?.account === debit.account &&
    link.seq === debit.seq &&
    link.cid === cidOf(debit)
  )
}

/** What a model's layers were fed is the text of the one who asked, which no receipt tells. */
const absent = (kernel: string): string =>
  kernel === STAGE_KERNEL
    ? 'layers of a language model: their work was audited while it ran and cannot be repeated from this file'
    : 'the job is not in this file'

/** Makes the plan again from the job, which is named by its content, and finds the task in it. */
export const checkPlan = (bundle: Bundle): { findings: Finding[]; planned: Planned | null } => {
  const { body } = bundle.signed
  if (!bundle.job) {
    return {
      findings: [{ what: 'task', holds: null, detail: absent(body.kernel) }],
      planned: null,
    }
  }
  const found = findTask(bundle)
  if (!found.ok)
    return { findings: [{ what: 'task', holds: false, detail: found.error }], planned: null }
  const { task } = found.value
  const metered = task.flop === body.flop && task.bytes === body.bytes
  const findings: Finding[] = [
    {
      what: 'task',
      holds: true,
      detail: `task ${task.index} of ${found.value.plan.tasks.length}, ${task.kernel}`,
    },
    {
      what: 'metering',
      holds: metered,
      detail: metered
        ? `${task.flop} operations, ${task.bytes} bytes`
        : `${task.flop} operations and ${task.bytes} bytes by formula, not ${body.flop} and ${body.bytes}`,
    },
    checkPrice(bundle, task),
    checkCheck(bundle, task),
  ]
  return { findings, planned: found.value }
}

const findTask = ({ signed: { body }, job, task: index }: Bundle): Result<Planned, string> => {
  try {
    if (!job || cidOf(job) !== body.job)
      return err('the job in this file is not the one the receipt names')
    const planned = plan(job)
    if (!planned.ok)
      return err(`the job has no plan: ${planned.error.what}, ${planned.error.expected}`)
    const all = planned.value.tasks
    const named = index === null ? undefined : all[index]
    const task =
      named && taskIdOf(body.job, named) === body.task
        ? named
        : all.find((each) => taskIdOf(body.job, each) === body.task)
    if (!task) return err('the plan of the job has no such task')
    if (index !== null && task.index !== index) return err(`it is task ${task.index}, not ${index}`)
    if (task.kernel !== body.kernel)
      return err(`task ${task.index} is ${task.kernel}, not ${body.kernel}`)
    return ok({ plan: planned.value, task })
  } catch (cause) {
    // A stranger may sign a job that is none.
    return err(`the job cannot be planned: ${cause instanceof Error ? cause.message : 'unknown'}`)
  }
}

/** A node asks so many thousandths of the metered cost, rounded up; a free job pays nothing. */
const checkPrice = (
  { signed: { body }, job }: Bundle,
  { microCredits: cost }: PlannedTask,
): Finding => {
  const paid = body.microCredits
  if (paid === 0)
    return {
      what: 'price',
      holds: true,
      detail: `nothing, for a metered cost of ${cost} micro-credits`,
    }
  const milli = Math.floor((paid * 1_000) / cost)
  const holds = job?.budget !== 0 && Math.ceil((cost * milli) / 1_000) === paid
  return { what: 'price', holds, detail: `${paid} micro-credits for a metered cost of ${cost}` }
}

const checkCheck = ({ signed: { body }, job }: Bundle, task: PlannedTask): Finding => {
  const own = task.kernel === OWN_SHADER ? 'replicas' : kernelById(task.kernel)?.check
  const expected = (job?.redundancy ?? 1) > 1 && own !== 'freivalds' ? 'replicas' : own
  const holds = body.check === expected
  return {
    what: 'check',
    holds,
    detail: holds
      ? `accepted by ${body.check}`
      : `${body.check}, where ${String(expected)} decides`,
  }
}

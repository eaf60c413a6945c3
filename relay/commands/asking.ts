/** What commands that run a job have in common: its flags, its preparation, and what is said at the end. */
import type { Result } from '../../src/base/result.ts'
import type { NodeHandle } from '../../src/peer/view.ts'
import { prepareJob, type PreparedJob } from '../prepare-job.ts'
import { inWords, type RunReport } from '../report.ts'
import { runJob, type Ran } from '../run-job.ts'
import { bold, note } from '../terminal.ts'
import { folderProblem } from '../whole-file.ts'
import { answer } from './answer.ts'
import { pairs, usage, type Args, type Flags, type Usage } from './args.ts'

export const ASKING_FLAGS: Flags = {
  set: { type: 'string', multiple: true, help: 'key=value: changes a parameter of the spec' },
  input: { type: 'string', multiple: true, help: 'name=FILE' },
  out: { type: 'string', help: 'where results go; out' },
  budget: { type: 'string', help: 'the most it may cost, in credits, or free' },
  json: { type: 'string', help: 'writes the report to a file, - for standard output' },
}

/** The job a person means, or what is wrong with it: file, line, field. @error usage */
export const prepareAsked = async (
  args: Args,
  spec: string,
): Promise<Result<PreparedJob, Usage>> => {
  const files = pairs('input', args.texts('input'))
  if (!files.ok) return files
  const budget = args.text('budget')
  const prepared = await prepareJob(
    spec,
    args.texts('set'),
    files.value,
    budget === undefined ? {} : { budget },
  )
  if (!prepared.ok) return usage(prepared.error.text)
  const problem = folderProblem(outOf(args))
  return problem === null ? prepared : usage(`--out: ${problem}`)
}

const outOf = (args: Args): string => args.text('out') ?? 'out'

/** Runs it to its end, and gives the account of it that was asked for. */
export const askFor = async (
  handle: NodeHandle,
  prepared: PreparedJob,
  args: Args,
  signal: AbortSignal,
): Promise<Ran> => {
  note(`running ${bold(prepared.spec.title)}: ${prepared.plan.tasks.length} tasks`)
  const out = outOf(args)
  const ran = await runJob(handle, prepared, out, signal)
  if (ran.kind === 'ended') {
    const written = answer(inWords(ran.report, out), args.text('json'), ran.report)
    if (!written) return { ...ran, report: unwritten(ran.report) }
  }
  return ran
}

const unwritten = (report: RunReport): RunReport => ({
  ...report,
  problem: report.problem ?? { code: 'not-written', text: 'its report' },
})

/** Does a task again on the CPU reference and says whether the receipt's result is what comes out. */
import { kernelById } from '../../kernels/index.ts'
import { allocate, elements, type TensorData } from '../../kernels/kernel.ts'
import { err, ok, type Result } from '../../src/base/result.ts'
import { cutReads, evaluateTask } from '../../src/core/evaluate.ts'
import type { Job, JobInput } from '../../src/core/job.ts'
import { dependencies } from '../../src/core/plan.ts'
import { paste } from '../../src/core/rect.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'
import type { Bundle } from './verify-bundle.ts'
import type { Finding, Planned } from './verify-checks.ts'
import { bytesOf, findInput, namesakes, type Places } from './verify-inputs.ts'
import { checkFile, checkOutput, isExact } from './verify-output.ts'

/** The places may hold the inputs and the outputs of the job. */
export const checkAgain = async (
  bundle: Bundle,
  planned: Planned,
  places: Places,
): Promise<Finding[]> => {
  const { task, plan } = planned
  const kernel = kernelById(task.kernel)
  if (!bundle.job) return []
  const before = earlier(planned)
  const tasks = [...before, task.index].map((index) => plan.tasks[index]!)
  const needed = new Set(tasks.flatMap(({ reads }) => reads.map(({ tensor }) => tensor)))
  const inputs = await findInputs(bundle.job, needed, places, bundle.spec)
  if (!inputs.ok) return [inputs.error, { what: 're-execution', holds: null, detail: NO_INPUTS }]
  const { tensors, findings } = inputs.value
  for (const name of needed) {
    const { dtype, shape } = plan.tensors[name]!
    tensors[name] ??= allocate(dtype, elements(shape))
  }
  for (const index of before) {
    const each = plan.tasks[index]!
    const { tensor, rect } = each.writes
    const made = bytesOf(evaluateTask(each, cutReads(plan, each, tensors)))
    paste(tensors[tensor]!, plan.tensors[tensor]!, rect, made)
  }
  const pieces = cutReads(plan, task, tensors)
  const read = checkPieces(bundle, planned, pieces)
  if (!kernel) {
    const exact = plan.tensors[task.writes.tensor]!.dtype !== 'f32'
    const { findings: file } = checkFile(bundle, planned, exact, places.dirs)
    return [...findings, read, ...file, { what: 're-execution', holds: null, detail: OWN }]
  }
  const same = read.holds === true
  return [...findings, read, ...checkOutput(bundle, planned, kernel, { pieces, same }, places.dirs)]
}

type Found = { readonly tensors: Record<string, TensorData>; readonly findings: Finding[] }

const OWN = 'a shader of its own has no reference; only replicas can agree'
const NO_INPUTS = 'the task was not done again without all that it reads'

/** The job's inputs among these tensors; or what is to be said of the first that is nowhere. */
const findInputs = async (
  job: Job,
  needed: ReadonlySet<string>,
  places: Places,
  spec: string | null,
): Promise<Result<Found, Finding>> => {
  const found: Found = { tensors: {}, findings: [] }
  for (const input of job.inputs.filter(({ name }) => needed.has(name))) {
    const what = `input ${input.name}`
    const one = await findInput(job, input, places.dirs, spec)
    if (!one) return err({ what, ...missing(input, places) })
    found.tensors[input.name] = one.data
    found.findings.push({ what, holds: true, detail: one.from })
  }
  return ok(found)
}

/** Who names a folder says that the inputs are in it. */
const missing = ({ name, cid }: JobInput, { dirs, given }: Places): Omit<Finding, 'what'> => {
  if (given === undefined) {
    const where = dirs.length === 0 ? '' : `, not in ${dirs.join(' or ')}`
    return { holds: null, detail: `missing${where}: give its folder with --inputs` }
  }
  const [same] = namesakes(given, name)
  const detail = same ? `${same} does not hold ${cid}` : `no file in ${given} holds ${cid}`
  return { holds: false, detail }
}

/** The tasks whose results this one reads, directly or not, in an order in which they can run. */
const earlier = ({ plan, task }: Planned): number[] => {
  const needs = dependencies(plan)
  const found = new Set<number>()
  const open = [...needs[task.index]!]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (found.has(index)) continue
    found.add(index)
    open.push(...needs[index]!)
  }
  return [...found].toSorted((a, b) => a - b)
}

const checkPieces = (
  { signed: { body } }: Bundle,
  { plan, task }: Planned,
  pieces: readonly Uint8Array[],
): Finding => {
  const what = 'what it read'
  const count = pieces.length
  const wrong = pieces.findIndex((piece, i) => cidOfBytes(piece) !== body.inputs[i])
  if (wrong < 0 && count === body.inputs.length) {
    const named = `${count === 1 ? 'one piece' : `${count} pieces`}, named as in the receipt`
    return { what, holds: true, detail: count === 0 ? 'nothing, it needs no inputs' : named }
  }
  const from = task.reads[wrong]?.tensor
  const between = plan.tasks.some(
    ({ writes, kernel }) => writes.tensor === from && !isExact(kernelById(kernel)!),
  )
  if (!between)
    return { what, holds: false, detail: `piece ${wrong} is not what the receipt names` }
  const detail = 'results of other tasks, which differ between devices in their last bits'
  return { what, holds: null, detail }
}

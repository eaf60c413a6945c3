/** Operator cases as ONNX's backend tests lie on disk: a model of one node, inputs, and what comes out. */
import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { bind, shapeInputsOf } from '../kernels/tensor/bind.ts'
import { compareTensors } from '../kernels/tensor/compare.ts'
import { notCovered, type Outcome, type Refusal } from '../kernels/tensor/outcome.ts'
import { readModel, type Model } from '../src/models/onnx/read-model.ts'
import { readTensorFile } from '../src/models/onnx/read-tensor.ts'
import type { Result } from '../src/base/result.ts'
import type { Bound } from '../kernels/tensor/bound.ts'
import type { ValueId } from '../kernels/tensor/graph.ts'
import type { Tensor } from '../kernels/tensor/tensor.ts'

/** Runs one bound graph; an error is one sentence. */
export type Engine = {
  readonly name: string
  run(bound: Bound, inputs: readonly Tensor[]): Promise<Result<readonly Tensor[], string>>
  close(): void
}

export type CaseResult = {
  readonly name: string
  readonly op: string
  readonly result: 'passed' | 'failed' | 'not-covered'
  /** Largest difference of any element. */
  readonly maxError: number
  readonly why: string
}

/** The suite's own tolerance; what is absolute grows with the tensor. */
const RTOL = 1e-3
const ATOL = 1e-7

const MODEL = 'model.onnx'

/** Folders with a model: the folder itself, or those in it. */
export const findCases = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { withFileTypes: true })
  if (entries.some(({ name }) => name === MODEL)) return [folder]
  const found: string[] = []
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    if (entry.isDirectory()) found.push(...(await findCases(join(folder, entry.name))))
  return found
}

export const runCase = async (folder: string, engine: Engine): Promise<CaseResult> => {
  const bytes = await readFile(join(folder, MODEL)).catch((cause: unknown) => String(cause))
  if (typeof bytes === 'string') return { name: basename(folder), op: '', ...failed(bytes) }
  const model = readModel(bytes)
  const op = model.ok ? (model.value.graph.nodes[0]?.op ?? '') : ''
  const base = { name: basename(folder), op }
  if (!model.ok) return { ...base, ...refused(model.error) }
  const sets = (await readdir(folder)).filter((name) => name.startsWith('test_data_set_'))
  let maxError = 0
  for (const set of sets.toSorted()) {
    // A bug of one operator is that case's failure, and not the end of all others.
    const ran = await runSet(join(folder, set), model.value, engine).catch((cause: unknown) =>
      failed(String(cause)),
    )
    if (ran.result !== 'passed') return { ...base, ...ran }
    maxError = Math.max(maxError, ran.maxError)
  }
  const why = sets.length === 0 ? 'there is no data' : ''
  return { ...base, result: why === '' ? 'passed' : 'failed', maxError, why }
}

type Ran = Pick<CaseResult, 'result' | 'maxError' | 'why'>

const refused = (error: Refusal): Ran => ({
  result: notCovered(error) ? 'not-covered' : 'failed',
  maxError: 0,
  why: `${error.node === undefined ? '' : `${error.node}: `}${error.detail} (${error.code})`,
})

const failed = (why: string, maxError = 0): Ran => ({ result: 'failed', maxError, why })

const runSet = async (folder: string, { graph }: Model, engine: Engine): Promise<Ran> => {
  const inputs = await readTensors(folder, 'input')
  if (!inputs.ok) return refused(inputs.error)
  if (inputs.value.length !== graph.inputs.length)
    return failed(`${inputs.value.length} inputs for ${graph.inputs.length}`)
  // Only what shapes follow from is told before the run: all else has to go through the engine.
  const needed = shapeInputsOf(graph)
  const given = graph.inputs.map((id, i): [ValueId, Tensor] => [id, inputs.value[i]!])
  const bound = bind(graph, inputs.value, new Map(given.filter(([id]) => needed.has(id))))
  if (!bound.ok) return refused(bound.error)
  // Only now, as operators that are not covered may answer what is no tensor.
  const wanted = await readTensors(folder, 'output')
  if (!wanted.ok) return refused(wanted.error)
  const got = await engine.run(bound.value, inputs.value)
  if (!got.ok) return failed(got.error)
  let maxError = 0
  for (const [i, want] of wanted.value.entries()) {
    const found = got.value[i]
    if (found === undefined) return failed(`output ${i} is missing`)
    const tolerance = {
      abs: ATOL * Math.max(1, peakOf(want)),
      rel: RTOL,
      scale: 'element',
    } as const
    const { agrees, maxError: far, why } = compareTensors(found, want, tolerance)
    if (!agrees) return failed(`output ${i}: ${why}`, far)
    maxError = Math.max(maxError, far)
  }
  return { result: 'passed', maxError, why: '' }
}

const peakOf = ({ data }: Tensor): number => {
  let peak = 0
  for (const x of data) if (Number.isFinite(x)) peak = Math.max(peak, Math.abs(x))
  return peak
}

const readTensors = async (folder: string, kind: string): Promise<Outcome<readonly Tensor[]>> => {
  const pattern = new RegExp(`^${kind}_(\\d+)\\.pb$`)
  const files = (await readdir(folder)).flatMap((name) => {
    const number = pattern.exec(name)?.[1]
    return number === undefined ? [] : [{ name, number: Number(number) }]
  })
  const tensors: Tensor[] = []
  for (const { name } of files.toSorted((a, b) => a.number - b.number)) {
    const read = readTensorFile(await readFile(join(folder, name)))
    if (!read.ok) return read
    tensors.push(read.value.tensor)
  }
  return { ok: true, value: tensors }
}

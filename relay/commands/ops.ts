/** `swarm ops`: ONNX's operator cases on the tensor engine, held to the suite's tolerances. */
import { CaseProcess } from '../case-process.ts'
import { fileTrouble } from '../file-trouble.ts'
import { ENGINES, type EngineName } from '../tensor-engines.ts'
import { findCases, type CaseResult } from '../onnx-cases.ts'
import { progress, progressDone } from '../terminal.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, whole, type Flags } from './args.ts'
import { explain } from './outcome.ts'

const FLAGS: Flags = {
  engine: { type: 'string', help: 'webgpu or cpu; webgpu' },
  limit: { type: 'string', help: 'seconds that a case may take; 60' },
  json: { type: 'string', help: 'writes the results to a file, - for standard output' },
}

const isEngine = (name: string): name is EngineName => ENGINES.some((engine) => engine === name)

const inWords = (engine: string, cases: readonly CaseResult[]): string => {
  const some = (result: CaseResult['result']): readonly CaseResult[] =>
    cases.filter((one) => one.result === result)
  const [failed, lacking] = [some('failed'), some('not-covered')]
  return [
    ...failed.map(({ name, why }) => `failed       ${name}: ${why}`),
    ...lacking.map(({ name, why }) => `not covered  ${name}: ${why}`),
    `${some('passed').length} passed, ${failed.length} failed, ${lacking.length} not covered (${engine})`,
  ].join('\n')
}

const ops = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 1)
  if (!args.ok) return explain(args.error)
  const [folder] = args.value.rest
  if (folder === undefined) return explain({ code: 'usage', text: 'which folder?' })
  const asked = args.value.text('engine') ?? 'webgpu'
  if (!isEngine(asked))
    return explain({ code: 'usage', text: `--engine: expected ${ENGINES.join(' or ')}` })
  const found = await findCases(folder).catch((cause: unknown) => fileTrouble(cause))
  if (typeof found === 'string') return explain({ code: 'usage', text: `${folder}: ${found}` })
  if (found.length === 0)
    return explain({ code: 'usage', text: `there is no model.onnx in ${folder}` })
  const limit = whole('limit', args.value.text('limit'), 1, 3600, 60)
  if (!limit.ok) return explain(limit.error)
  const runner = new CaseProcess(asked, { limitMs: limit.value * 1000 })
  const engine = await runner.open()
  if (!engine.ok) {
    explain(engine.error)
    return EXIT.failed
  }
  const cases: CaseResult[] = []
  for (const [i, path] of found.entries()) {
    progress(i, found.length, path)
    cases.push(await runner.run(path))
  }
  progressDone()
  runner.close()
  const count = (result: CaseResult['result']): number =>
    cases.filter((one) => one.result === result).length
  const [passed, failed, lacking] = [count('passed'), count('failed'), count('not-covered')]
  answer(inWords(engine.value, cases), args.value.text('json'), {
    engine: asked,
    adapter: engine.value,
    cases,
    passed,
    failed,
    notCovered: lacking,
  })
  return failed === 0 ? EXIT.done : EXIT.failed
}

export const command = {
  summary: "ONNX's operator cases on the tensor engine: passed, failed, not covered",
  usage: 'swarm ops DIR [--engine webgpu|cpu] [--limit SECONDS] [--json F]',
  flags: FLAGS,
  run: ops,
}

/** `swarm verify`: looks at a receipt again, trusting nobody, and says what agrees. */
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { err, ok, type Result } from '../../src/base/result.ts'
import { fileTrouble } from '../file-trouble.ts'
import { answer } from './answer.ts'
import { EXIT, readArgs, type Flags } from './args.ts'
import { explain } from './outcome.ts'
import { checkAgain } from './verify-again.ts'
import { FILE_BYTES_MAX, readBundles, type Bundle, type Unreadable } from './verify-bundle.ts'
import type { Places } from './verify-inputs.ts'
import { checkSpec } from './verify-spec.ts'
import { checkNames, checkPayment, checkPlan, type Finding } from './verify-checks.ts'

const FLAGS: Flags = {
  inputs: {
    type: 'string',
    help: 'the folder with the inputs and outputs of the job; where the receipt lies',
  },
  verbose: { type: 'boolean', help: 'every finding, also where several receipts agree' },
  json: { type: 'string', help: 'writes the findings to a file, - for standard output' },
}

/** A job has at most so many tasks, and each a receipt. */
const FILES_MAX = 65_536

export type Verified = {
  readonly receipt: string
  readonly agrees: boolean
  readonly findings: readonly Finding[]
}

const verify = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, FILES_MAX)
  if (!args.ok) return explain(args.error)
  const files = args.value.rest
  if (files.length === 0) return explain({ code: 'usage', text: 'which receipt? give its file' })
  const given = args.value.text('inputs')
  if (given !== undefined && !isFolder(given))
    return explain({ code: 'usage', text: `--inputs: ${given} is not a folder` })
  const all: Verified[] = []
  for (const file of files) {
    const dirs = [...(given === undefined ? [] : [given]), folderOf(file)]
    const text = readText(file)
    const verified = text.ok ? await verifyText(text.value, dirs, given) : text
    if (!verified.ok) return explain({ code: 'usage', text: `${file}: ${verified.error.detail}` })
    all.push(...verified.value)
  }
  const agree = all.filter(({ agrees }) => agrees).length
  const sum = all.length > 1 ? [`${agree} of ${all.length} receipts agree`] : []
  // Of one receipt everything is told; of many, what does not agree.
  const full = all.length === 1 || args.value.on('verbose')
  const words = [...all.map((one) => (full || !one.agrees ? inWords(one) : inOneLine(one))), ...sum]
  const written = answer(words.join(full ? '\n\n' : '\n'), args.value.text('json'), {
    receipts: all,
  })
  return written && agree === all.length ? EXIT.done : EXIT.failed
}

/** Everything that can be said of the receipts in a file; `given` is the folder that was named. @error unreadable */
export const verifyText = async (
  text: string,
  dirs: readonly string[],
  given?: string,
): Promise<Result<readonly Verified[], Unreadable>> => {
  const bundles = readBundles(text)
  if (!bundles.ok) return bundles
  const all: Verified[] = []
  for (const bundle of bundles.value) all.push(await verifyBundle(bundle, { dirs, given }))
  return ok(all)
}

const verifyBundle = async (bundle: Bundle, places: Places): Promise<Verified> => {
  const faults = bundle.faults.map((fault): Finding => ({ ...fault, holds: false }))
  const payment = await checkPayment(bundle)
  const findings = [
    ...(await checkNames(bundle)),
    ...faults,
    ...payment.filter(({ what }) => faults.every((fault) => fault.what !== what)),
  ]
  const { findings: planned, planned: found } = checkPlan(bundle)
  findings.push(...planned, ...checkSpec(bundle, places))
  if (found) findings.push(...(await checkAgain(bundle, found, places)))
  return { receipt: bundle.cid, agrees: findings.every(({ holds }) => holds !== false), findings }
}

const MARKS = new Map([
  [true, '✓'],
  [false, '✗'],
  [null, '·'],
])

const inWords = ({ receipt, agrees, findings }: Verified): string => {
  const width = Math.max(...findings.map(({ what }) => what.length))
  const lines = findings.map(
    ({ what, holds, detail }) => `${MARKS.get(holds)} ${what.padEnd(width)}  ${detail}`,
  )
  const open = findings.filter(({ holds }) => holds === null).length
  const verdict = agrees
    ? `all that could be checked agrees${open > 0 ? `; ${open} could not be checked` : ''}`
    : 'something does not agree'
  return [receipt, ...lines, verdict].join('\n')
}

const inOneLine = ({ receipt, findings }: Verified): string => {
  const open = findings.filter(({ holds }) => holds === null).length
  const rest = open > 0 ? `, ${open} could not be checked` : ''
  return `${MARKS.get(true)} ${receipt}  ${findings.length - open} agree${rest}`
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** `swarm run` puts receipts into a folder of their own, beside the outputs. */
const folderOf = (file: string): string => {
  const folder = dirname(resolve(file))
  return basename(folder) === 'receipts' ? dirname(folder) : folder
}

const readText = (file: string): Result<string, Unreadable> => {
  try {
    const { size } = statSync(file)
    if (size > FILE_BYTES_MAX)
      return err({ code: 'unreadable', detail: `${size} bytes are no receipt` })
    return ok(readFileSync(file, 'utf8'))
  } catch (cause) {
    return err({
      code: 'unreadable',
      detail: fileTrouble(cause),
    })
  }
}

export const command = {
  summary:
    'checks signatures, payment and price of a receipt, and does its task again on the CPU reference',
  usage: 'swarm verify RECEIPT... [--inputs DIR] [--verbose] [--json F]',
  flags: FLAGS,
  run: verify,
}

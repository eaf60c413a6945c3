/**
 * A receipt file as `swarm run` writes it, or a bare receipt as the app exports it. Read strictly: what
 * is signed has one spelling, and a word that means nothing here is damage.
 */
import * as v from 'valibot'
import { toHex } from '../../src/base/bytes.ts'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { Job } from '../../src/core/job.ts'
import { readBlockJson } from '../../src/wire/block-json.ts'
import { cidOf } from '../../src/wire/codec.ts'
import { issueWords } from '../../src/wire/issue-words.ts'
import { readReceiptJson } from '../../src/wire/receipt-json.ts'
import type { SignedBlock, SignedReceipt } from '../../src/wire/signed.ts'

export type Bundle = {
  /** The name that the file gives to the receipt; whether it is the right one is for the checks. */
  readonly cid: string
  readonly signed: SignedReceipt
  /** What follows is there only in a file of `swarm run`. */
  readonly job: Job | null
  readonly task: number | null
  readonly debit: SignedBlock | null
  readonly credit: SignedBlock | null
  /** The spec's text, where the file holds it. */
  readonly spec: string | null
  /** Half-blocks that are there but cannot be what they say they are. */
  readonly faults: readonly { readonly what: 'debit' | 'credit'; readonly detail: string }[]
}

/** Not a receipt at all, or one too damaged to be looked at. */
export type Unreadable = { readonly code: 'unreadable'; readonly detail: string }

/** Ten thousand receipts of some 1.5 kB; a job with a shader of its own is far below. */
export const FILE_BYTES_MAX = 32 * 1024 * 1024
/** Receipts in one file of lines. */
const LINES_MAX = 10_000

const cidText = v.pipe(v.string(), v.maxLength(100))
/** Upper case would be the same signature in another spelling. */
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{128}$/))
const File = v.strictObject({
  cid: cidText,
  body: v.record(v.string(), v.unknown()),
  requesterSig: hex,
  workerSig: v.nullable(hex),
  job: v.optional(v.looseObject({ v: v.literal(1), program: v.looseObject({ kind: v.string() }) })),
  task: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  debit: v.optional(v.nullable(v.unknown())),
  credit: v.optional(v.nullable(v.unknown())),
  spec: v.optional(v.pipe(v.string(), v.maxLength(1 << 20))),
})

const unreadable = (detail: string): Result<never, Unreadable> =>
  err({ code: 'unreadable', detail })

/** One receipt, or one per line. @error unreadable */
export const readBundles = (text: string): Result<readonly Bundle[], Unreadable> => {
  const whole = parseJson(text)
  if (whole.ok) {
    const bundle = readBundle(whole.value)
    return bundle.ok ? ok([bundle.value]) : bundle
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length < 2) return whole
  if (lines.length > LINES_MAX) return unreadable(`${lines.length} lines, at most ${LINES_MAX}`)
  const bundles: Bundle[] = []
  for (const [i, line] of lines.entries()) {
    const json = parseJson(line)
    const bundle = json.ok ? readBundle(json.value) : json
    // A document with a fault is told as one, not as many lines.
    if (!json.ok && i === 0) return whole
    if (!bundle.ok) return unreadable(`line ${i + 1}: ${bundle.error.detail}`)
    bundles.push(bundle.value)
  }
  return ok(bundles)
}

const parseJson = (text: string): Result<unknown, Unreadable> => {
  try {
    return ok(JSON.parse(text) as unknown)
  } catch (cause) {
    return unreadable(cause instanceof Error ? cause.message : 'not JSON')
  }
}

const readBundle = (json: unknown): Result<Bundle, Unreadable> => {
  const parsed = v.safeParse(File, json)
  if (!parsed.success) {
    return unreadable(issueWords(parsed.issues[0], 'the file'))
  }
  const { cid, body, requesterSig, workerSig, job, task, spec } = parsed.output
  const name = cidOrNull(body)
  const signed = readReceiptJson({ cid: name, body, requesterSig, workerSig })
  if (name === null || !signed.ok)
    return unreadable(signed.ok ? 'body: not a receipt' : signed.error.detail)
  const debit = readBlock(parsed.output.debit)
  const credit = readBlock(parsed.output.credit)
  return ok({
    cid,
    signed: signed.value,
    // Judged as a whole by its name, which the receipt holds; see the checks.
    job: (job as Job | undefined) ?? null,
    task: task ?? null,
    debit: debit.ok ? debit.value : null,
    credit: credit.ok ? credit.value : null,
    spec: spec ?? null,
    faults: [
      ...(debit.ok ? [] : [{ what: 'debit' as const, detail: debit.error }]),
      ...(credit.ok ? [] : [{ what: 'credit' as const, detail: credit.error }]),
    ],
  })
}

/** A number that is no whole one has no name. */
const cidOrNull = (body: unknown): string | null => {
  try {
    return cidOf(body)
  } catch {
    return null
  }
}

const readBlock = (json: unknown): Result<SignedBlock | null, string> => {
  if (json === undefined || json === null) return ok(null)
  if (typeof json !== 'object') return err('not a half-block')
  const block = cidOrNull(json) === null ? null : readBlockJson(json)
  if (block === null) return err('not a half-block, or not the one its name says')
  const { sig } = json as { sig: string }
  const strays = Object.keys(json).filter((key) => !['cid', 'body', 'sig'].includes(key))
  if (strays.length > 0 || toHex(block.sig) !== sig)
    return err(`${strays[0] ?? 'sig'} is not expected`)
  return ok(block)
}

/**
 * What two nodes say to each other while they work (`/swarm/work/2.0.0`). One stream per pair; each
 * message is a head of at most 64 KiB, and one that says `bytes` is followed by a body of so many.
 *
 * Flow, requester -> worker unless noted:
 *   hello (both) · tip (worker) · blocks · probe · load (worker) · offer · accept | refuse (worker) ·
 *   tensor* · beat* (worker) · commit (worker) · reveal · result (worker) · settle | reject ·
 *   settled (worker) · cancel · bye (both)
 *
 * What they say about models that run over several nodes is in `model-heads.ts`.
 */
import * as v from 'valibot'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { JobId, TaskId } from '../base/ids.ts'
import { PRICE_MILLI_MAX } from '../core/price.ts'
import { decode, type WireError } from './codec.ts'
import { MODEL_HEADS } from './model-heads.ts'
import { CidText, DidText, Signature, Whole } from './fields.ts'
import { ADAPTERS, SignedBlock, SignedDelegation, SignedReceipt } from './signed.ts'
import { BODY_BYTES_MAX, HEAD_BYTES_MAX } from './version.ts'

const Lease = v.pipe(Whole, v.maxValue(0xffff_ffff))
const Text = (max: number) => v.pipe(v.string(), v.maxLength(max))
const Param = v.union([
  v.pipe(v.number(), v.safeInteger()),
  v.pipe(v.string(), v.maxLength(32 * 1024)),
  v.pipe(v.array(v.pipe(v.number(), v.safeInteger())), v.maxLength(4_096)),
])
/** The schema library takes lists and bytes for maps, with their places as keys. */
const isMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
const BodyBytes = v.pipe(Whole, v.maxValue(BODY_BYTES_MAX))

export const Read = v.strictObject({
  cid: v.nullable(CidText),
  dtype: v.picklist(['f32', 'i32', 'u32', 'i8', 'u8']),
  shape: v.pipe(v.array(Whole), v.maxLength(4)),
})

export const REFUSALS = [
  'busy',
  'paused',
  'no-skill',
  'too-big',
  'bad-task',
  'price-too-low',
  'price-too-high',
  'no-credit',
  'free-tier-used-up',
  'wgsl-not-allowed',
  'wrong-swarm',
  'not-welcome',
] as const

export const Head = v.variant('k', [
  v.strictObject({
    k: v.literal('hello'),
    version: v.literal(1),
    agent: Text(60),
    swarm: CidText,
    adapter: v.picklist(ADAPTERS),
    delegation: SignedDelegation,
  }),
  /**
   * How much of a chain the speaker already holds; seq 0 = nothing. Of the hearer's chain it is news, of
   * the speaker's own a question: the hearer answers with the `blocks` that follow, if it holds any.
   */
  v.strictObject({ k: v.literal('tip'), account: DidText, seq: Whole, cid: v.nullable(CidText) }),
  /** Blocks of one chain, whoever's, oldest first; a credit comes with the debit it answers. */
  v.strictObject({
    k: v.literal('blocks'),
    blocks: v.pipe(
      v.array(v.strictObject({ block: SignedBlock, answers: v.nullable(SignedBlock) })),
      v.maxLength(48),
    ),
  }),
  v.strictObject({ k: v.literal('probe'), id: Lease, kernel: Text(80), flop: Whole }),
  v.strictObject({
    k: v.literal('load'),
    id: Lease,
    /** Metered cost waiting or running, in micro-credits: what a new task would queue behind. */
    queued: Whole,
    /** Micro-credits of metered cost done per second of late; 0 = not known yet. */
    speed: Whole,
    price: v.pipe(Whole, v.maxValue(PRICE_MILLI_MAX)),
    willing: v.nullable(v.picklist(REFUSALS)),
  }),
  v.strictObject({
    k: v.literal('offer'),
    lease: Lease,
    job: v.pipe(
      CidText,
      v.transform((id) => id as JobId),
    ),
    task: v.pipe(
      CidText,
      v.transform((id) => id as TaskId),
    ),
    attempt: Whole,
    title: Text(80),
    kernel: Text(80),
    params: v.pipe(v.custom<Record<string, unknown>>(isMap), v.record(Text(40), Param)),
    reads: v.pipe(v.array(Read), v.maxLength(8)),
    microCredits: Whole,
    deadlineMs: Whole,
  }),
  v.strictObject({
    k: v.literal('accept'),
    lease: Lease,
    /** Which inputs the worker lacks. */
    need: v.pipe(v.array(v.pipe(Whole, v.maxValue(7))), v.maxLength(8)),
  }),
  v.strictObject({ k: v.literal('refuse'), lease: Lease, code: v.picklist(REFUSALS) }),
  v.strictObject({
    k: v.literal('tensor'),
    lease: Lease,
    slot: v.pipe(Whole, v.maxValue(7)),
    bytes: BodyBytes,
  }),
  v.strictObject({ k: v.literal('beat'), lease: Lease, permille: v.pipe(Whole, v.maxValue(1000)) }),
  v.strictObject({
    k: v.literal('commit'),
    lease: Lease,
    commitment: v.pipe(v.instance(Uint8Array), v.length(32)),
  }),
  v.strictObject({ k: v.literal('reveal'), lease: Lease }),
  v.strictObject({
    k: v.literal('result'),
    lease: Lease,
    salt: v.pipe(v.instance(Uint8Array), v.length(16)),
    output: CidText,
    /** Rounded up to a power of two, at least 16: finer timing would fingerprint the device. */
    computeMs: Whole,
    bytes: BodyBytes,
  }),
  v.strictObject({ k: v.literal('failed'), lease: Lease, code: Text(40) }),
  v.strictObject({ k: v.literal('reject'), lease: Lease, code: Text(40) }),
  v.strictObject({
    k: v.literal('settle'),
    lease: Lease,
    receipt: SignedReceipt,
    debit: v.nullable(SignedBlock),
  }),
  v.strictObject({
    k: v.literal('settled'),
    receipt: CidText,
    workerSig: Signature,
    credit: v.nullable(SignedBlock),
  }),
  v.strictObject({ k: v.literal('cancel'), lease: Lease }),
  v.strictObject({ k: v.literal('bye'), code: Text(40) }),
  ...MODEL_HEADS,
])
export type Head = v.InferOutput<typeof Head>
export type HeadOf<K extends Head['k']> = Extract<Head, { k: K }>
export type Refusal = (typeof REFUSALS)[number]

/** Reads one head that a stranger sent. */
export const parseHead = (bytes: Uint8Array): Result<Head, WireError> => {
  const decoded = decode(bytes, HEAD_BYTES_MAX)
  if (!decoded.ok) return decoded
  const parsed = v.safeParse(Head, decoded.value)
  if (parsed.success) return ok(parsed.output)
  const issue = parsed.issues[0]
  const at = v.getDotPath(issue) ?? ''
  return err({ code: 'bad-shape', detail: `${at}: ${issue.message}`.slice(0, 200) })
}

/** How many body bytes follow a head. */
export const bodyBytes = (head: Head): number => (hasBody(head) ? head.bytes : 0)

/** Whether a body follows, even one of no bytes. */
export const hasBody = (head: Head): head is Extract<Head, { bytes: number }> => 'bytes' in head

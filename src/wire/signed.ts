/**
 * What is signed. Each body names its kind, so that a signature over one kind never fits another;
 * the signature covers `swarm/1/<kind>\0` and the body's CID as text.
 */
import * as v from 'valibot'
import { concat, utf8 } from '../base/bytes.ts'
import type { Cid, JobId, TaskId } from '../base/ids.ts'
import type { EpochMs, MicroCredits } from '../base/units.ts'
import type * as block from '../core/ledger/block.ts'
import type * as genesis from '../core/ledger/genesis.ts'
import { PRICE_MILLI_MAX } from '../core/price.ts'
import type * as receipt from '../core/receipt.ts'
import { cidOf } from './codec.ts'
import { CidText, DidText, PeerText, Signature, Whole } from './fields.ts'
import type { Manifest } from './manifest.ts'

const Micro = v.pipe(
  Whole,
  v.transform((n) => n as MicroCredits),
)
const Epoch = v.pipe(
  Whole,
  v.transform((n) => n as EpochMs),
)
const shortText = (max: number) => v.pipe(v.string(), v.maxLength(max))
/** Printable ASCII, so that a limit on characters is a limit on bytes. */
const asciiText = (max: number) => v.pipe(v.string(), v.maxLength(max), v.regex(/^[\x21-\x7e]*$/))

/**
 * Marks a schema whose values are exactly a type of the law in `core`: should one of the two change
 * without the other, this does not compile.
 */
const of =
  <T>() =>
  <S extends v.GenericSchema<unknown, T>>(schema: T extends v.InferOutput<S> ? S : never): S =>
    schema

/** An account lets a session key speak for it. Signed by the account. */
export const Delegation = v.strictObject({
  v: v.literal(1),
  kind: v.literal('delegation'),
  account: DidText,
  peer: PeerText,
  from: Epoch,
  until: Epoch,
})
export type Delegation = v.InferOutput<typeof Delegation>

export const ADAPTERS = ['gpu', 'software', 'cpu'] as const

/** What a node can do now. Classes are powers of two, so an advert does not tell one device from another. */
export const Advert = v.strictObject({
  v: v.literal(1),
  kind: v.literal('advert'),
  swarm: CidText,
  account: DidText,
  peer: PeerText,
  /**
   * The relay's address through which the node can be called. 136 characters are what is left of the
   * 512 bytes of a signed advert, and enough for any IPv6 address and for host names of 59.
   */
  relay: asciiText(136),
  until: Epoch,
  seq: Whole,
  state: v.picklist(['ready', 'busy', 'paused']),
  adapter: v.picklist(ADAPTERS),
  /** log2 of measured MFLOP/s in f32 and int8, and of MiB a task may take. */
  f32: v.pipe(Whole, v.maxValue(40)),
  i8: v.pipe(Whole, v.maxValue(40)),
  memory: v.pipe(Whole, v.maxValue(24)),
  /** Admits a stranger's WGSL. */
  wgsl: v.boolean(),
  /** Which kernels, by the digest of their list: nodes of one release share it. */
  kernels: asciiText(24),
  /** Thousandths of the metered cost that the node asks. */
  price: v.pipe(Whole, v.maxValue(PRICE_MILLI_MAX)),
  queued: v.pipe(Whole, v.maxValue(1_000)),
})
export type Advert = v.InferOutput<typeof Advert>

/** The signed fact that a task was done and accepted. Signed by both. */
export const Receipt = of<receipt.Receipt>()(
  v.strictObject({
    v: v.literal(1),
    kind: v.literal('receipt'),
    swarm: CidText,
    job: v.pipe(
      CidText,
      v.transform((id) => id as JobId),
    ),
    task: v.pipe(
      CidText,
      v.transform((id) => id as TaskId),
    ),
    attempt: Whole,
    kernel: shortText(40),
    requester: DidText,
    worker: DidText,
    inputs: v.pipe(v.array(CidText), v.maxLength(16), v.readonly()),
    output: CidText,
    check: v.picklist([
      'freivalds',
      'bit-equality',
      'sampled',
      'recompute',
      'op-by-op',
      'replicas',
    ]),
    flop: Whole,
    bytes: Whole,
    microCredits: Micro,
    /** Hours since 1970: finer time would let strangers time each other's devices. */
    hour: Whole,
  }),
)
export type Receipt = receipt.Receipt

const Totals = v.strictObject({
  balance: Micro,
  held: Micro,
  burned: Micro,
  received: Micro,
  spent: Micro,
})
export type Totals = block.Totals

/**
 * One half-block of a personal chain. A debit is a cheque: irrevocable once signed, and answered at
 * any time by exactly one credit that links to it. Signed by the account.
 */
export const Block = of<block.Block>()(
  v.strictObject({
    v: v.literal(1),
    kind: v.literal('block'),
    swarm: CidText,
    account: DidText,
    seq: v.pipe(Whole, v.minValue(1)),
    prev: v.nullable(CidText),
    /** The half-block of the counterparty this one answers. */
    link: v.nullable(
      v.strictObject({ account: DidText, seq: v.pipe(Whole, v.minValue(1)), cid: CidText }),
    ),
    hour: Whole,
    act: v.variant('act', [
      v.strictObject({ act: v.literal('open') }),
      v.strictObject({ act: v.literal('debit'), to: DidText, amount: Micro, receipt: CidText }),
      v.strictObject({ act: v.literal('credit'), from: DidText, amount: Micro, receipt: CidText }),
      v.strictObject({ act: v.literal('burn'), amount: Micro }),
    ]),
    totals: Totals,
  }),
)
export type Block = block.Block

/** Founds a swarm and fixes its supply for ever; the swarm's name is this document's CID. */
export const Genesis = of<genesis.Genesis>()(
  v.strictObject({
    v: v.literal(1),
    kind: v.literal('genesis'),
    name: v.pipe(shortText(80), v.minLength(1)),
    supply: Micro,
    allocations: v.pipe(
      v.array(v.strictObject({ account: DidText, amount: Micro })),
      v.maxLength(1_000),
      v.readonly(),
    ),
    hour: Whole,
  }),
)
export type Genesis = genesis.Genesis

export type SignedBody = Delegation | Advert | Receipt | Block | Manifest

const signedBy = <B extends v.GenericSchema>(body: B) => v.strictObject({ body, sig: Signature })
export const SignedDelegation = signedBy(Delegation)
export const SignedAdvert = signedBy(Advert)
export const SignedBlock = signedBy(Block)
export const SignedReceipt = v.strictObject({
  body: Receipt,
  requesterSig: Signature,
  workerSig: v.nullable(Signature),
})
export type SignedDelegation = v.InferOutput<typeof SignedDelegation>
export type SignedAdvert = v.InferOutput<typeof SignedAdvert>
export type SignedBlock = v.InferOutput<typeof SignedBlock>
export type SignedReceipt = v.InferOutput<typeof SignedReceipt>

const names = new WeakMap<object, Cid>()

/**
 * The name of something that is signed. Such a thing never changes, so it is encoded and hashed once:
 * every step of a settlement asks for the same few names again.
 */
export const nameOf = (body: SignedBody | Genesis): Cid => {
  const known = names.get(body)
  if (known) return known
  const name = cidOf(body)
  names.set(body, name)
  return name
}

/** The bytes a signature covers. */
export const signingBytes = (body: SignedBody): Uint8Array<ArrayBuffer> =>
  concat([utf8(`swarm/1/${body.kind}\0`), utf8(nameOf(body))])

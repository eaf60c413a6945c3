/**
 * One of everything that is signed or said, made from fixed seeds. `wire.json` holds what they were
 * when the protocol was frozen; other implementations can test against it.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { toHex } from '../../src/base/bytes.ts'
import { jobId, taskId } from '../../src/base/ids.ts'
import { epochMs, microCredits as m } from '../../src/base/units.ts'
import { burn, credit, debit, openBlock } from '../../src/core/ledger/append.ts'
import type { Block, Tip } from '../../src/core/ledger/block.ts'
import { foundSwarm, type Genesis } from '../../src/core/ledger/genesis.ts'
import { receiptFor } from '../../src/core/receipt.ts'
import { cidOf, cidOfBytes, encode } from '../../src/wire/codec.ts'
import type { Head } from '../../src/wire/messages.ts'
import type { RegistryAnswer, RegistryRequest } from '../../src/wire/registry.ts'
import {
  signingBytes,
  type Advert,
  type Delegation,
  type SignedBody,
} from '../../src/wire/signed.ts'
import { alice, bob, type Person } from '../people.ts'

const HOUR = 498_700
const NOW = HOUR * 3_600_000

export const sign = (who: Person, body: SignedBody): Uint8Array<ArrayBuffer> =>
  new Uint8Array(ed25519.sign(signingBytes(body), who.secret))
const signed = <B extends SignedBody>(who: Person, body: B) => ({ body, sig: sign(who, body) })

export const genesis: Genesis = {
  v: 1,
  kind: 'genesis',
  name: 'vectors',
  supply: m(1_000_000_000),
  allocations: [{ account: alice.did, amount: m(1_000_000_000) }],
  hour: HOUR,
}
const founded = foundSwarm(genesis, cidOf)
if (!founded.ok) throw new Error(founded.error.code)
const swarm = founded.value

const job = jobId(cidOf({ job: 1 }))
const task = taskId(cidOf({ v: 1, job, index: 0 }))
const output = cidOfBytes(Uint8Array.of(1, 2, 3, 4))
const inputs = [cidOfBytes(Uint8Array.of(5)), cidOfBytes(Uint8Array.of(6))]

const tip = (block: Block): Tip => ({ cid: cidOf(block), block })
const must = (result: ReturnType<typeof debit>): Block => {
  if (!result.ok) throw new Error(result.error.code)
  return result.value
}

export const delegation: Delegation = {
  v: 1,
  kind: 'delegation',
  account: alice.did,
  peer: bob.peer,
  from: epochMs(NOW),
  until: epochMs(NOW + 600_000),
}
export const advert: Advert = {
  v: 1,
  kind: 'advert',
  swarm: swarm.cid,
  account: bob.did,
  peer: bob.peer,
  relay: `/ip4/127.0.0.1/tcp/9001/ws/p2p/${alice.peer}`,
  until: epochMs(NOW + 600_000),
  seq: 7,
  state: 'ready',
  adapter: 'software',
  f32: 12,
  i8: 13,
  memory: 8,
  wgsl: false,
  kernels: 'q3f7a2c4d5e6f7a2',
  price: 1_000,
  queued: 2,
}
export const receipt = receiptFor(
  {
    swarm: swarm.cid,
    job,
    task,
    attempt: 1,
    kernel: 'matmul@1',
    requester: alice.did,
    worker: bob.did,
    inputs,
    output,
    price: m(2_168),
    flop: 2_147_483_648,
    bytes: 12_582_912,
    hour: HOUR,
  },
  'freivalds',
)
export const aliceOpens = openBlock(swarm, alice.did, HOUR)
export const alicePays = must(
  debit(tip(aliceOpens), bob.did, receipt.microCredits, cidOf(receipt), HOUR),
)
export const bobOpens = openBlock(swarm, bob.did, HOUR)
export const bobCredits = must(credit(tip(bobOpens), tip(alicePays), HOUR))
export const bobBurns = must(burn(tip(bobCredits), m(168), HOUR + 1))

const signedReceipt = {
  body: receipt,
  requesterSig: sign(alice, receipt),
  workerSig: sign(bob, receipt),
}

/** Each with the person who signs it. */
export const bodies: readonly (readonly [string, Person, SignedBody])[] = [
  ['delegation', alice, delegation],
  ['advert', bob, advert],
  ['receipt', alice, receipt],
  ['block: alice opens', alice, aliceOpens],
  ['block: alice pays', alice, alicePays],
  ['block: bob opens', bob, bobOpens],
  ['block: bob credits', bob, bobCredits],
  ['block: bob burns', bob, bobBurns],
]

export const heads: readonly Head[] = [
  {
    k: 'hello',
    version: 1,
    agent: 'swarmharness/0.1.0',
    swarm: swarm.cid,
    adapter: 'gpu',
    delegation: signed(alice, delegation),
  },
  { k: 'tip', account: alice.did, seq: 2, cid: cidOf(alicePays) },
  {
    k: 'blocks',
    blocks: [
      { block: signed(bob, bobOpens), answers: null },
      { block: signed(bob, bobCredits), answers: signed(alice, alicePays) },
    ],
  },
  { k: 'probe', id: 4_000_000_000, kernel: 'matmul@1', flop: 2_147_483_648 },
  { k: 'load', id: 4_000_000_000, queued: 5_000, speed: 1_200, price: 1_000, willing: null },
  {
    k: 'offer',
    lease: 1,
    job,
    task,
    attempt: 1,
    title: 'two matrices',
    kernel: 'matmul@1',
    params: { m: 1_024, k: 1_024, n: 1_024, center: '-0.75', constants: [1, -2, 3] },
    reads: inputs.map((cid) => ({ cid, dtype: 'f32', shape: [1_024, 1_024] })),
    microCredits: 2_168,
    deadlineMs: 60_000,
  },
  { k: 'accept', lease: 1, need: [0, 1] },
  { k: 'refuse', lease: 1, code: 'no-credit' },
  { k: 'tensor', lease: 1, slot: 0, bytes: 4_194_304 },
  { k: 'beat', lease: 1, permille: 500 },
  { k: 'commit', lease: 1, commitment: new Uint8Array(32).fill(7) },
  { k: 'reveal', lease: 1 },
  {
    k: 'result',
    lease: 1,
    salt: new Uint8Array(16).fill(9),
    output,
    computeMs: 512,
    bytes: 4_194_304,
  },
  { k: 'failed', lease: 1, code: 'device-lost' },
  { k: 'reject', lease: 1, code: 'freivalds-failed' },
  {
    k: 'settle',
    lease: 1,
    receipt: { ...signedReceipt, workerSig: null },
    debit: signed(alice, alicePays),
  },
  {
    k: 'settled',
    receipt: cidOf(receipt),
    workerSig: signedReceipt.workerSig,
    credit: signed(bob, bobCredits),
  },
  { k: 'cancel', lease: 1 },
  { k: 'bye', code: 'closing' },
]

export const requests: readonly RegistryRequest[] = [
  { k: 'announce', capabilities: ['any', 'matmul@1'], advert: signed(bob, advert) },
  { k: 'find', capability: 'matmul@1', limit: 64 },
]
export const answers: readonly RegistryAnswer[] = [
  { k: 'kept', seconds: 600 },
  { k: 'refused', code: 'not-yours' },
  { k: 'adverts', total: 1, adverts: [signed(bob, advert)] },
]

/** Bytes as `{ "hex": "..." }`, so that the file says what each vector means. */
const readable = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return { hex: toHex(value) }
  if (Array.isArray(value)) return value.map(readable)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readable(item)]))
}

const framed = <T extends { readonly k: string }>(all: readonly T[]) =>
  all.map((value) => ({ name: value.k, value: readable(value), bytes: toHex(encode(value)) }))

export const vectors = () => ({
  accounts: [alice, bob].map(({ name, secret, did, peer }) => ({
    name,
    secret: toHex(secret),
    did,
    peer,
  })),
  genesis: { value: readable(genesis), bytes: toHex(encode(genesis)), cid: cidOf(genesis) },
  signed: bodies.map(([name, who, body]) => ({
    name,
    value: readable(body),
    bytes: toHex(encode(body)),
    cid: cidOf(body),
    signedBy: who.name,
    signing: toHex(signingBytes(body)),
    signature: toHex(sign(who, body)),
  })),
  receipt: { value: readable(signedReceipt), bytes: toHex(encode(signedReceipt)) },
  heads: framed(heads),
  registryRequests: framed(requests),
  registryAnswers: framed(answers),
})

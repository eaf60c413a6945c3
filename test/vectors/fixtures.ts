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
import { concat } from '../../src/base/bytes.ts'
import { digestsIn } from '../../src/base/leaf.ts'
import { cidOf, cidOfBytes, encode, sha256 } from '../../src/wire/codec.ts'
import type { Manifest } from '../../src/wire/manifest.ts'
import { merkleRoot } from '../../src/wire/merkle.ts'
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

const block = (bytes: number, ...tensors: Manifest['blocks'][number]['tensors']) => {
  const leaves = Array.from({ length: Math.ceil(bytes / 2 ** 20) }, (_, i) =>
    sha256(Uint8Array.of(bytes & 255, i)),
  )
  return { bytes, tensors, leaves: concat(leaves) }
}
const blocks: Manifest['blocks'] = [
  block(1_179_648, { part: 'embedding', type: 'F16', shape: [2_304, 256], at: 0 }),
  block(
    197_632,
    { part: 'attentionNorm', type: 'F32', shape: [256], at: 0 },
    { part: 'q', type: 'F16', shape: [256, 256], at: 1_024 },
    { part: 'k', type: 'Q8_0', shape: [128, 256], at: 132_096 },
    { part: 'v', type: 'Q4_K', shape: [128, 256], at: 166_912 },
  ),
  block(1_024, { part: 'norm', type: 'F32', shape: [256], at: 0 }),
]
export const manifest: Manifest = {
  v: 1,
  kind: 'model',
  name: 'A small model',
  version: 'v1.0',
  license: 'apache-2.0',
  publisher: alice.did,
  config: '{"layers":1,"width":256,"epsilon":0.00001,"tied":true}',
  blocks,
  root: merkleRoot(blocks.flatMap(({ leaves }) => digestsIn(leaves))),
}
const signedManifest = signed(alice, manifest)
export const model = cidOfBytes(encode(signedManifest))

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
  ['model', alice, manifest],
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
  ...modelHeads(),
]

function modelHeads(): readonly Head[] {
  const of = { session: '00112233445566778899aabbccddeeff', index: 1 }
  const previous = { peer: alice.peer, relay: advert.relay }
  return [
    { k: 'want', id: 1, name: model },
    { k: 'leaf', id: 1, bytes: 1_048_576 },
    { k: 'lack', id: 2 },
    { k: 'seek', id: 3, model },
    { k: 'holds', id: 3, blocks: Uint8Array.of(5), room: 268_435_456, speed: 900 },
    {
      k: 'stage',
      ...of,
      job,
      title: 'Once upon a time',
      model,
      from: 0,
      to: 1,
      places: 256,
      price: 1_000,
      top: 40,
      whole: 12,
      previous,
      next: null,
    },
    {
      k: 'staged',
      ...of,
      state: 'fetching',
      permille: 250,
      here: 1_024,
      given: 197_632,
      others: 1_048_576,
    },
    { k: 'unstaged', ...of, code: 'no-weights' },
    { k: 'neighbours', ...of, previous: null, next: previous },
    {
      k: 'feed',
      ...of,
      requester: null,
      at: 12,
      count: 2,
      tokens: [1, 2_303],
      replay: false,
      bytes: 0,
    },
    {
      k: 'fed',
      ...of,
      at: 12,
      count: 2,
      input: new Uint8Array(32).fill(3),
      passed: true,
      computeMs: 16,
      bytes: 2_048,
    },
    {
      k: 'bill',
      ...of,
      part: 0,
      flop: 1_000_000,
      moved: 2_048,
      microCredits: 21,
      answers: new Uint8Array(32).fill(4),
    },
    { k: 'unstage', ...of },
  ]
}

export const requests: readonly RegistryRequest[] = [
  { k: 'announce', capabilities: ['any', 'matmul@1'], advert: signed(bob, advert) },
  { k: 'find', capability: 'matmul@1', limit: 64 },
  { k: 'find', capability: `model/${model}`, limit: 64 },
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
  manifest: { value: readable(signedManifest), bytes: toHex(encode(signedManifest)), cid: model },
  heads: framed(heads),
  registryRequests: framed(requests),
  registryAnswers: framed(answers),
})

/** What of an account's books is on the disk: blocks with what they answer, and receipts. */
import type { Block } from '../core/ledger/block.ts'
import type { Entry } from '../core/ledger/rules.ts'
import type { Write } from '../ports.ts'
import type { SignedBlock, SignedReceipt } from '../wire/signed.ts'

const HOUR_MS = 3_600_000

/** 64 bytes of Ed25519. */
export type Signature = Uint8Array<ArrayBuffer>

export type ChainEntry = { readonly block: SignedBlock; readonly answers: SignedBlock | null }
export type KeptReceipt = {
  readonly signed: SignedReceipt
  readonly role: 'worker' | 'requester'
  /** Our half-block of the payment, by sequence number; null in the free tier. */
  readonly block: number | null
  /** Requester: the worker has countersigned. */
  readonly answered: boolean
  /** The half-block with which the payee credited itself. */
  readonly answer: SignedBlock | null
}

export const hourOf = (epoch: number): number => Math.floor(epoch / HOUR_MS)
export const blockKey = (seq: number): string => String(seq).padStart(12, '0')

export const bodyOf = ({ block }: ChainEntry): Block => block.body

/** As the law looks at it. */
export const unsigned = ({ block, answers }: ChainEntry): Entry => ({
  block: block.body,
  answers: answers?.body ?? null,
})

/** A block of our own chain. */
export const onDisk = (entry: ChainEntry): Write => ({
  table: 'blocks',
  key: blockKey(entry.block.body.seq),
  value: entry,
})

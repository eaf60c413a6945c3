/** What of an account's books is on the disk: blocks with what they answer, and receipts. */
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

/**
 * What work costs, by formula from shapes and never by claimed time: requester, worker and any auditor
 * compute the same integer. 1 credit = 10^6 micro-credits = 1 TFLOP or 50 GB, whichever binds.
 */
import { assert } from '../base/assert.ts'
import { microCredits, type Bytes, type Flop, type MicroCredits } from '../base/units.ts'

/** 1 micro-credit pays for 10^6 operations. */
const FLOP_PER_MICRO = 1_000_000
/** 1 TFLOP costs as much as moving 50 GB through memory: 20 operations per byte. */
const FLOP_PER_BYTE = 20
/** 1 micro-credit pays for 50 kB sent to or from the worker. */
const WIRE_BYTES_PER_MICRO = 50_000
/** What one dispatch costs however small it is: message, lease, pipeline, read-back. */
const MICRO_PER_DISPATCH = 20

/** Nodes ask in thousandths of the formula, and nobody may ask or pay more than it says. */
export const PRICE_MILLI_MAX = 1_000

export type Work = {
  /** Operations; a multiply-add counts as two. */
  readonly flop: Flop
  /** Read and written once per operand. */
  readonly bytes: Bytes
  /** Inputs sent to the worker and the result sent back. */
  readonly wireBytes: Bytes
  readonly dispatches: number
}

/** The part of the price that is arithmetic and memory: ceil(max(F, 20 B) / 10^6). */
export const computeCost = (flop: Flop, bytes: Bytes): MicroCredits =>
  microCredits(ceilDiv(Math.max(flop, FLOP_PER_BYTE * bytes), FLOP_PER_MICRO))

/** The metered cost of one execution. Padding and recomputation by the worker earn nothing. */
export const meteredCost = ({ flop, bytes, wireBytes, dispatches }: Work): MicroCredits =>
  microCredits(
    computeCost(flop, bytes) +
      ceilDiv(wireBytes, WIRE_BYTES_PER_MICRO) +
      MICRO_PER_DISPATCH * dispatches,
  )

/**
 * The most that a receipt may say, for whoever has nothing but the receipt: the bytes sent are not in it,
 * but none is sent that is not read or written at least once.
 */
export const mostFor = (flop: number, bytes: number): number =>
  Number.isSafeInteger(flop) && Number.isSafeInteger(FLOP_PER_BYTE * bytes)
    ? meteredCost({
        flop: flop as Flop,
        bytes: bytes as Bytes,
        wireBytes: bytes as Bytes,
        dispatches: 1,
      })
    : 0

/** Exact, unlike `Math.ceil(n / d)`: near 2^53 the quotient itself would already be rounded. */
const ceilDiv = (n: number, d: number): number => {
  assert(Number.isSafeInteger(n) && n >= 0, `a cost is made of whole numbers, found ${n}`)
  const rest = n % d
  return (n - rest) / d + (rest > 0 ? 1 : 0)
}

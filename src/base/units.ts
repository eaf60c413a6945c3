/** Amounts. All are integers unless the name says otherwise. */
declare const unit: unique symbol
type Unit<U extends string> = number & Measured<U>
/** An interface, because declarations for other programs can name one, but not the symbol in it. */
export interface Measured<U extends string> {
  readonly [unit]: U
}

/** Milliseconds on a monotonic clock, or a span of them. */
export type Ms = Unit<'Ms'>
/** Milliseconds since 1970: only for what strangers compare, such as the life of an advert. */
export type EpochMs = Unit<'EpochMs'>
export type Bytes = Unit<'Bytes'>
/** Floating point or integer operations; a multiply-add counts as two. */
export type Flop = Unit<'Flop'>
/** 10^6 micro-credits are one credit: 1 TFLOP, or 50 GB moved. */
export type MicroCredits = Unit<'MicroCredits'>

export const ms = (n: number): Ms => n as Ms
export const epochMs = (n: number): EpochMs => n as EpochMs
export const bytes = (n: number): Bytes => n as Bytes
export const flop = (n: number): Flop => n as Flop
export const microCredits = (n: number): MicroCredits => n as MicroCredits

export const MICRO_PER_CREDIT = 1_000_000

/** What a check says, and how it says it: in steps, since it may take some hundred milliseconds. */
import type { Check } from '../../../kernels/kernel.ts'

export type Rejection =
  /** The wrong number of bytes for the parameters. */
  | 'wrong-shape'
  /** C is not A B. */
  | 'freivalds-mismatch'
  | 'bits-differ'
  | 'out-of-tolerance'
  /** NaN or infinity where numbers of an honest device are finite. */
  | 'not-finite'

export type Verdict =
  | {
      readonly kind: 'accepted'
      readonly check: Check
      /** Items computed again; absent where the check covers all of the result. */
      readonly samples?: number
    }
  | {
      readonly kind: 'rejected'
      readonly check: Check
      readonly code: Rejection
      /** Where, and by how much, in words. */
      readonly detail: string
    }

/** Progress from 0 to 1 between steps of a few milliseconds, then the verdict. */
export type Checking = Generator<number, Verdict>

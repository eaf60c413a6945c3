/**
 * Lives in which a promise was broken once, run before anything else is believed. A failure of the
 * simulator ends here: shrink it (fewer nodes, less time), give it the name of what was wrong, and say
 * why. A change of the product may lead a seed elsewhere; then it is one more life, and harmless.
 */
export type NamedSeed = {
  readonly name: string
  readonly scenario: string
  readonly seed: number
  readonly nodes: number
  readonly forMs: number
  /** What was broken, and what mended it. */
  readonly why: string
}

export const NAMED_SEEDS: readonly NamedSeed[] = [
  {
    name: 'a job is called done only when its last piece is on the disk',
    scenario: 'calm',
    seed: 1,
    nodes: 8,
    forMs: 30_000,
    why: 'I1: the record of a job was written while its last receipt was still being signed; a crash in between lost that piece, and its worker was not paid',
  },
  {
    name: 'a job for trusted nodes finds the one that is not among the first twelve',
    scenario: 'calm',
    seed: 1,
    nodes: 30,
    forMs: 72_000,
    why: 'I16: a requester with twelve links called nobody else, whether they were of use for the job or not; now those it trusts are called first and unused links give way',
  },
]

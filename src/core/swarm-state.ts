/** What the requester's law works on: nodes, runs, leases and probes; its events and its effects. */
import type { Cid, Did, JobId } from '../base/ids.ts'
import { ms, type Ms } from '../base/units.ts'
import type { Prng } from '../base/prng.ts'
import { LEASE_LIMITS, type JobRun, type Lease, type Passed, type TaskRun } from './dispatch.ts'

/** What a node is, as it said itself. */
export type Skills = {
  readonly node: Did
  readonly adapter: 'gpu' | 'software' | 'cpu'
  readonly memoryBytes: number
  /** Its owner lets shaders of strangers run there. */
  readonly wgsl: boolean
}

/** What we know of a node that has said hello. */
export type NodeState = Omit<Skills, 'wgsl'> & {
  wgsl: boolean
  rttMs: number
  /** Our own leases there, their metered cost, and their bytes. */
  inFlight: number
  inFlightCost: number
  inFlightBytes: number
  /** Results we took and the node has not countersigned: it works for us on credit until then. */
  unpaid: number
  /** Leases it may hold now: more after each good result, fewer after a refusal. */
  ahead: number
  load: { queued: number; speed: number; price: number; willing: boolean; at: Ms } | null
  /** A question about its load is under way until then; more would only say the same. */
  askedUntil: Ms
  restUntil: Ms
  /** It rests because it did not answer; once it does, there is no reason to. */
  silent: boolean
}

export const newcomer = (skills: Skills, rttMs: number): NodeState => ({
  ...skills,
  rttMs,
  inFlight: 0,
  inFlightCost: 0,
  inFlightBytes: 0,
  unpaid: 0,
  ahead: LEASE_LIMITS.perNode,
  load: null,
  askedUntil: ms(0),
  restUntil: ms(0),
  silent: false,
})

export type Probe = {
  readonly id: number
  readonly run: JobRun
  readonly task: TaskRun
  readonly asked: Set<Did>
  readonly answered: Set<Did>
  readonly until: Ms
}

export type SwarmState = {
  readonly nodes: Map<Did, NodeState>
  readonly runs: Map<JobId, JobRun>
  readonly leases: Map<number, { run: JobRun; task: TaskRun; lease: Lease }>
  readonly probes: Map<number, Probe>
  readonly random: Prng
  nextId: number
}

export type SwarmEvent =
  | { readonly kind: 'opened'; readonly run: JobRun }
  | { readonly kind: 'node'; readonly node: NodeState }
  | { readonly kind: 'node-gone'; readonly node: Did }
  /** It countersigned a receipt of ours. */
  | { readonly kind: 'settled'; readonly node: Did }
  | {
      readonly kind: 'load'
      readonly node: Did
      readonly queued: number
      readonly speed: number
      readonly price: number
      readonly willing: boolean
    }
  | { readonly kind: 'accepted'; readonly node: Did; readonly lease: number }
  | { readonly kind: 'refused'; readonly node: Did; readonly lease: number; readonly code: string }
  | { readonly kind: 'beat'; readonly node: Did; readonly lease: number; readonly permille: number }
  | { readonly kind: 'committed' | 'returned'; readonly node: Did; readonly lease: number }
  | { readonly kind: 'failed'; readonly node: Did; readonly lease: number; readonly code: string }
  | {
      readonly kind: 'passed'
      readonly lease: number
      readonly output: Cid
      /** The output it counts as the same as: its own, or that of an earlier result of the task. */
      readonly equals: Cid
      readonly check: string
      readonly exact: boolean
      readonly computeMs: number
    }
  | { readonly kind: 'wrong'; readonly lease: number; readonly code: string }
  | { readonly kind: 'pause' | 'resume' | 'cancel'; readonly job: JobId }
  | { readonly kind: 'tick' }

export type SwarmEffect =
  | { readonly kind: 'probe'; readonly node: Did; readonly id: number; readonly task: TaskRun }
  | {
      readonly kind: 'offer'
      readonly node: Did
      readonly run: JobRun
      readonly task: TaskRun
      readonly lease: Lease
    }
  | { readonly kind: 'reveal'; readonly node: Did; readonly lease: number }
  | { readonly kind: 'cancel'; readonly node: Did; readonly lease: number }
  | {
      readonly kind: 'reject'
      readonly node: Did
      readonly lease: number
      readonly code: string
      readonly run: JobRun
      readonly task: TaskRun
    }
  /** It had its time and gave nothing. */
  | { readonly kind: 'overdue'; readonly node: Did; readonly task: TaskRun }
  | {
      readonly kind: 'accept'
      readonly run: JobRun
      readonly task: TaskRun
      readonly paid: readonly Passed[]
      readonly outvoted: readonly Passed[]
    }
  | { readonly kind: 'ended'; readonly run: JobRun }
  | { readonly kind: 'wake'; readonly at: Ms }

/** How a node stands with us; subjective, kept outside because it outlives jobs. */
export type Standing = {
  trust(node: Did, skill: string, at: Ms): number
  pheromone(node: Did, skill: string, at: Ms): number
}

/** What the law asks about the world besides: what the account has and has not signed away. */
export type Outlook = Standing & { funds(): number }

export const emptySwarm = (random: Prng): SwarmState => ({
  nodes: new Map(),
  runs: new Map(),
  leases: new Map(),
  probes: new Map(),
  random,
  nextId: 1,
})

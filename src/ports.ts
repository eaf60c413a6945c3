/**
 * Everything this program asks of the outside world, on one page. The browser, Node and the simulator
 * each make these real in their own way; what lies inside (`peer`, `wire`, `core`) is the same in all.
 */
import type { Params, TensorType } from '../kernels/kernel.ts'
import type { Cid, Did, PeerId } from './base/ids.ts'
import type { Result } from './base/result.ts'
import type { EpochMs, Ms } from './base/units.ts'
import type { Verdict } from './core/verify.ts'
import type { Head } from './wire/messages.ts'
import type { Manifest } from './wire/manifest.ts'
import type { SignedAdvert, SignedBody } from './wire/signed.ts'

export type PortError = { readonly code: string; readonly detail: string }

export type Clock = {
  /** Monotonic; keeps its pace in a hidden tab. */
  now(): Ms
  epoch(): EpochMs
  /** Calls back once at or soon after `at`; a later call replaces the earlier one. */
  wake(at: Ms, then: () => void): void
}

export type Random = {
  /** Unpredictable bytes: salts, challenges, seeds. */
  bytes(length: number): Uint8Array<ArrayBuffer>
}

export type Link = {
  readonly peer: PeerId
  /** Direct WebRTC (or WebSocket to a Node peer), or a circuit through a relay. */
  readonly direct: boolean
  readonly rttMs: number | null
}

export type NetworkEvents = {
  /** The other end is authenticated as `peer` by the transport; nothing is known of its account yet. */
  opened(link: Link): void
  /** A head and its whole body; both are still to be distrusted. */
  received(peer: PeerId, head: Head, body: Uint8Array<ArrayBuffer> | null): void
  /** A head was refused before it reached us: malformed, too large, or its body unexpected. */
  faulty(peer: PeerId, error: PortError): void
  closed(peer: PeerId, reason: string): void
  linkChanged(link: Link): void
  /** Whether relays can be reached, in words a person understands when they cannot. */
  reachability(state: Reachability): void
  /** Asked before a body is buffered: how many bytes of it are welcome (0 = drop the link). */
  welcome(peer: PeerId, head: Head): number
}

export type Reachability =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'reachable'; readonly relay: string }
  | { readonly kind: 'no-relay'; readonly detail: string }
  | { readonly kind: 'no-webrtc'; readonly detail: string }
  | { readonly kind: 'offline' }

export type Network = {
  readonly self: PeerId
  /** The relay address to put into adverts; null until there is a reservation. */
  relay(): string | null
  connect(peer: PeerId, relay: string): void
  disconnect(peer: PeerId, reason: string): void
  send(peer: PeerId, head: Head, body: Uint8Array | null): void
  /** Bytes that wait to be sent on a link: who gives much gives the next when these have gone. */
  queued(peer: PeerId): number
  announce(
    advert: SignedAdvert,
    capabilities: readonly string[],
  ): Promise<Result<{ servers: number }, PortError>>
  find(
    capability: string,
    limit: number,
  ): Promise<Result<{ adverts: SignedAdvert[]; total: number }, PortError>>
  close(): Promise<void>
}

/** One write; `value` undefined deletes. Values are structured-clonable plain data or bytes. */
export type Write = { readonly table: Table; readonly key: string; readonly value?: unknown }
export type Table =
  | 'blocks'
  | 'known-blocks'
  | 'receipts'
  | 'jobs'
  | 'job-inputs'
  | 'job-outputs'
  | 'trust'
  | 'settings'
  | 'meta'

export type Store = {
  /** All-or-nothing. `strict` is on disk before it resolves; `relaxed` may be lost with the machine's power. */
  write(
    writes: readonly Write[],
    durability: 'strict' | 'relaxed',
  ): Promise<Result<null, PortError>>
  read(table: Table, key: string): Promise<Result<unknown, PortError>>
  /** Every record of a table in key order; a record that fails its hash is reported, never returned. */
  all(
    table: Table,
  ): Promise<Result<{ records: { key: string; value: unknown }[]; corrupt: string[] }, PortError>>
  usage(): Promise<{ usedBytes: number; quotaBytes: number | null }>
  clear(): Promise<Result<null, PortError>>
  close(): void
}

export type Capability = {
  readonly adapter: 'gpu' | 'software' | 'cpu'
  /** Coarse words for a person, such as "Software adapter (SwiftShader)"; never sent to anyone. */
  readonly label: string
  readonly f32FlopPerSecond: number
  readonly i8OpPerSecond: number
  readonly copyBytesPerSecond: number
  /** What one task may take. */
  readonly memoryBytes: number
  /** What tensor graphs run on here, and the milliseconds of the trial it was chosen by. */
  readonly graphs: {
    readonly engine: 'gpu' | 'software' | 'wasm' | 'reference'
    readonly measured: Readonly<Record<string, number>>
  }
}

export type ComputeTask = {
  readonly id: string
  readonly kernel: string
  readonly params: Params
  readonly inputs: readonly Uint8Array<ArrayBuffer>[]
}
export type ComputeDone = {
  readonly output: Uint8Array<ArrayBuffer>
  readonly cid: Cid
  readonly computeMs: number
}
export type CheckTask = ComputeTask & {
  readonly output: Uint8Array<ArrayBuffer>
  readonly type: TensorType
  /** One of how many items is computed again: 16 for a stranger, 64 for a node we trust. */
  readonly rate: number
}

/** Some layers of a model, as a node has them ready. */
export type StageSpec = {
  /** The model's name and the layers: sessions with the same share weights and programs. */
  readonly id: string
  readonly model: Manifest
  /** Layers [from, to). */
  readonly from: number
  readonly to: number
}
export type StageStep = {
  readonly stage: string
  /** Whose keys and values these are. */
  readonly session: string
  /** Tokens [at, at + count) of the session; what it knew from `at` on is forgotten. */
  readonly at: number
  readonly count: number
  /** Tokens, or rows of f32 [count, width]. */
  readonly input: readonly number[] | Uint8Array<ArrayBuffer>
  /** How many of the likeliest tokens are answered after the last layer; 0 for all logits. */
  readonly top: number
}

export type StageAnswer = {
  readonly output: Uint8Array<ArrayBuffer>
  /** Its part of the run, where tokens of several sessions were one. */
  readonly computeMs: number
}

/** Models in parts. What runs takes its turn with tasks. */
export type Stages = {
  /** Loads weights, leaf by leaf; what `read` gives has been checked. Ready at once where the stage is open. */
  open(
    stage: StageSpec,
    read: (leaf: Cid) => Promise<Result<Uint8Array<ArrayBuffer>, PortError>>,
    progress: (permille: number) => void,
  ): Promise<Result<null, PortError>>
  /**
   * Rows of f32 [count, width], or after the last layer the logits [vocabulary] of the last token, or the likeliest
   * that follow it (src/core/candidates.ts).
   */
  step(step: StageStep, share: () => number): Promise<Result<StageAnswer, PortError>>
  /** Lets go of the keys and values of a session. */
  forget(stage: string, session: string): void
  /** Lets go of weights and programs. */
  close(stage: string): void
}

/** Leaves of models on this device, within a quota; what was used longest ago goes first. */
export type Shelf = {
  /** Which of them are here. */
  has(names: readonly Cid[]): Promise<Result<readonly boolean[], PortError>>
  /** Null where it is not here, or is not what its name says any more. */
  read(name: Cid): Promise<Result<Uint8Array<ArrayBuffer> | null, PortError>>
  /** @error quota-exceeded, where everything that could go is in use */
  write(name: Cid, bytes: Uint8Array<ArrayBuffer>): Promise<Result<null, PortError>>
  /** In use: never forgotten until let go as often as kept. */
  keep(names: readonly Cid[]): void
  letGo(names: readonly Cid[]): void
  usage(): Promise<{ readonly usedBytes: number; readonly quotaBytes: number }>
  clear(): Promise<Result<null, PortError>>
  close(): void
}

export type Compute = {
  capability(): Capability | null
  benchmark(
    progress: (permille: number) => void,
    signal: AbortSignal,
  ): Promise<Result<Capability, PortError>>
  /** `share` is the part of wall time the device may be busy, 0.05 to 1. */
  run(
    task: ComputeTask,
    share: () => number,
    progress: (permille: number) => void,
  ): Promise<Result<ComputeDone, PortError>>
  cancel(id: string): void
  /** Draws its secret challenge itself, after the commitment is known. */
  check(task: CheckTask): Promise<Result<Verdict, PortError>>
  hash(bytes: Uint8Array): Promise<Cid>
  /** The part of the last ten seconds in which the device was busy for others, 0..1. */
  measuredShare(): number
  readonly stages: Stages
  close(): void
}

export type Signer = {
  readonly account: Did
  sign(body: SignedBody): Promise<Uint8Array<ArrayBuffer>>
  verify(account: Did, body: SignedBody, sig: Uint8Array): Promise<boolean>
}

export type Ports = {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  readonly store: Store
  readonly shelf: Shelf
  readonly compute: Compute
  readonly signer: Signer
}

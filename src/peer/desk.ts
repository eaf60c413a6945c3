/**
 * The desk a peer works at: what it may ask for, each answered later by a callback. Nothing in this
 * room awaits anything, so the simulator can answer in virtual time and in a chosen order.
 */
import type { Cid, Did, PeerId } from '../base/ids.ts'
import { err, type Result } from '../base/result.ts'
import type { EpochMs, Ms } from '../base/units.ts'
import type { Verdict } from '../core/verify.ts'
import type {
  CheckTask,
  ComputeDone,
  ComputeTask,
  PortError,
  Ports,
  Random,
  StageSpec,
  StageStep,
  Table,
  Write,
} from '../ports.ts'
import type { Head } from '../wire/messages.ts'
import type { SignedAdvert, SignedBody } from '../wire/signed.ts'

export type Answer<T> = (result: Result<T, PortError>) => void
export type Claim = { readonly account: Did; readonly body: SignedBody; readonly sig: Uint8Array }

export type Desk = {
  readonly self: PeerId
  readonly account: Did
  readonly random: Random
  now(): Ms
  epoch(): EpochMs
  /** Asks to be called (`Peer.wake`) at or soon after `at`. */
  wake(at: Ms): void
  relay(): string | null
  connect(peer: PeerId, relay: string): void
  disconnect(peer: PeerId, reason: string): void
  send(peer: PeerId, head: Head, body: Uint8Array | null): void
  /** Bytes that wait to be sent on a link. */
  queued(peer: PeerId): number
  announce(
    advert: SignedAdvert,
    capabilities: readonly string[],
    then: Answer<{ servers: number }>,
  ): void
  find(
    capability: string,
    limit: number,
    then: Answer<{ adverts: SignedAdvert[]; total: number }>,
  ): void
  compute(
    task: ComputeTask,
    share: () => number,
    beat: (permille: number) => void,
    then: Answer<ComputeDone>,
  ): void
  cancelCompute(id: string): void
  check(task: CheckTask, then: Answer<Verdict>): void
  hash(bytes: Uint8Array, then: (cid: Cid) => void): void
  sign(bodies: readonly SignedBody[], then: Answer<Uint8Array<ArrayBuffer>[]>): void
  /** True only when every claim holds. */
  verify(claims: readonly Claim[], then: (genuine: boolean) => void): void
  write(writes: readonly Write[], durability: 'strict' | 'relaxed', then: Answer<null>): void
  read(table: Table, key: string, then: Answer<unknown>): void
  all(
    table: Table,
    then: Answer<{ records: { key: string; value: unknown }[]; corrupt: string[] }>,
  ): void
  openStage(
    stage: StageSpec,
    read: (leaf: Cid, then: Answer<Uint8Array<ArrayBuffer>>) => void,
    progress: (permille: number) => void,
    then: Answer<null>,
  ): void
  stepStage(
    step: StageStep,
    share: () => number,
    then: Answer<{ output: Uint8Array<ArrayBuffer>; computeMs: number }>,
  ): void
  forgetStage(stage: string, session: string): void
  closeStage(stage: string): void
  hasLeaves(names: readonly Cid[], then: Answer<readonly boolean[]>): void
  /** Null where it is not here. */
  readLeaf(name: Cid, then: Answer<Uint8Array<ArrayBuffer> | null>): void
  writeLeaf(name: Cid, bytes: Uint8Array<ArrayBuffer>, then: Answer<null>): void
  keepLeaves(names: readonly Cid[]): void
  letGoLeaves(names: readonly Cid[]): void
  /** What a person may see has changed. */
  changed(): void
}

/** A desk over real ports. A port that throws in spite of its contract is answered with an error. */
export const realDesk = (ports: Ports, wake: () => void, changed: () => void): Desk => {
  const { clock, compute, network, random, shelf, signer, store } = ports
  const answer = <T>(work: Promise<Result<T, PortError>>, then: Answer<T>): void => {
    void work
      .catch((cause: unknown) => err({ code: 'port-failed', detail: String(cause) }))
      .then(then)
  }
  let earliest = Number.POSITIVE_INFINITY
  return {
    self: network.self,
    account: signer.account,
    random,
    now: () => clock.now(),
    epoch: () => clock.epoch(),
    wake: (at) => {
      // Many parts ask; the earliest counts, and all of them are called then and ask again.
      if (at >= earliest) return
      earliest = at
      clock.wake(at, () => {
        earliest = Number.POSITIVE_INFINITY
        wake()
      })
    },
    relay: () => network.relay(),
    connect: (peer, relay) => network.connect(peer, relay),
    disconnect: (peer, reason) => network.disconnect(peer, reason),
    send: (peer, head, body) => network.send(peer, head, body),
    queued: (peer) => network.queued(peer),
    announce: (advert, capabilities, then) => answer(network.announce(advert, capabilities), then),
    find: (capability, limit, then) => answer(network.find(capability, limit), then),
    compute: (task, share, beat, then) => answer(compute.run(task, share, beat), then),
    cancelCompute: (id) => compute.cancel(id),
    check: (task, then) => answer(compute.check(task), then),
    hash: (bytes, then) => void compute.hash(bytes).then(then),
    sign: (bodies, then) =>
      answer(
        Promise.all(bodies.map((body) => signer.sign(body))).then((value) => ({ ok: true, value })),
        then,
      ),
    verify: (claims, then) =>
      void Promise.all(claims.map((claim) => signer.verify(claim.account, claim.body, claim.sig)))
        .then((genuine) => genuine.every(Boolean))
        .catch(() => false)
        .then(then),
    write: (writes, durability, then) => answer(store.write(writes, durability), then),
    read: (table, key, then) => answer(store.read(table, key), then),
    all: (table, then) => answer(store.all(table), then),
    openStage(stage, read, progress, then) {
      const leaf = (name: Cid): Promise<Result<Uint8Array<ArrayBuffer>, PortError>> =>
        new Promise((done) => read(name, done))
      answer(compute.stages.open(stage, leaf, progress), then)
    },
    stepStage: (step, share, then) => answer(compute.stages.step(step, share), then),
    forgetStage: (stage, session) => compute.stages.forget(stage, session),
    closeStage: (stage) => compute.stages.close(stage),
    hasLeaves: (names, then) => answer(shelf.has(names), then),
    readLeaf: (name, then) => answer(shelf.read(name), then),
    writeLeaf: (name, bytes, then) => answer(shelf.write(name, bytes), then),
    keepLeaves: (names) => shelf.keep(names),
    letGoLeaves: (names) => shelf.letGo(names),
    changed,
  }
}

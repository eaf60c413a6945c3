/** Asks the nodes to go on with a text, and waits until all has come, been checked and been paid. */
import type { Did } from '../src/base/ids.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import { manifestOf } from '../src/models/manifest-of.ts'
import { beginText, type TextEvents } from '../src/peer/models/text-talk.ts'
import type { ModelSource, SessionProblem, SessionView } from '../src/peer/models/session-view.ts'
import type { NodeHandle, WalletView } from '../src/peer/view.ts'
import type { PortError } from '../src/ports.ts'
import { merkleRoot } from '../src/wire/merkle.ts'
import type { PreparedTalk } from './prepare-talk.ts'

/** Countersignatures of nodes that are still there come within this time. */
const SETTLE_MS = 15_000

export type TalkFollower = {
  /** What nodes are doing, as often as it changes. */
  seen(session: SessionView): void
  /** Certain text, as it comes. */
  text(text: string): void
  /** A node had lied: this is all of the text that stands. */
  rewound(kept: number, text: string): void
}

export type TalkEnd = {
  readonly job: string
  readonly session: SessionView
  readonly promptIds: readonly number[]
  readonly ids: readonly number[]
  readonly text: string
  readonly logitsAfterPrompt: Float32Array | null
  readonly problem: SessionProblem | null
  readonly entries: WalletView['receipts']
  readonly requester: Did
  readonly timing: {
    readonly totalMs: number
    readonly firstTokenMs: number | null
    readonly lastTokenMs: number | null
  }
}

/** Leaves are named before anybody is asked. @error unreadable, truncated, too-large */
export const sourceOf = async (
  { model }: PreparedTalk,
  progress: (done: number, all: number) => void,
): Promise<Result<ModelSource, PortError>> => {
  const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const made = await manifestOf(model, { digest, root: merkleRoot }, progress)
  return made.ok ? made : err(made.error)
}

/** @error what cannot be asked at all; what goes wrong afterwards is the `problem` of the end */
export const runTalk = async (
  handle: NodeHandle,
  source: ModelSource,
  { spec, model }: PreparedTalk,
  follower: TalkFollower,
  signal: AbortSignal,
): Promise<Result<TalkEnd, PortError>> => {
  const began = performance.now()
  const since = (): number => Math.round(performance.now() - began)
  let [ids, text]: [number[], string] = [[], '']
  let logits: Float32Array | null = null
  let [first, last]: [number | null, number | null] = [null, null]
  const over = Promise.withResolvers<SessionProblem | null>()
  const events: TextEvents = {
    // A copy: the node uses its own again.
    prompted: (after) => void (logits = after.slice()),
    piece(piece) {
      ids.push(piece.id)
      text += piece.text
      first ??= since()
      last = since()
      follower.text(piece.text)
    },
    rewound(kept, left) {
      ids = ids.slice(0, kept)
      text = left
      follower.rewound(kept, left)
    },
    ended: over.resolve,
  }
  const asked = { ...spec, config: model.config, tokenizer: model.tokenizer }
  const talk = beginText(handle, source, asked, events)
  if (!talk.ok) return talk
  const { session: id, job, promptIds } = talk.value
  const before = mine(handle, job)
  const find = (): SessionView | undefined => handle.view().sessions.find((one) => one.id === id)
  let seen = find()
  const look = (): void => {
    const now = find()
    if (now) follower.seen((seen = now))
  }
  const unwatch = handle.watch(look)
  const stop = (): void => handle.stopTalk(id)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  const problem = await over.promise
  look()
  unwatch()
  signal.removeEventListener('abort', stop)
  const timing = { totalMs: since(), firstTokenMs: first, lastTokenMs: last }
  if (!seen) return err({ code: 'not-begun', detail: 'the node did not take it' })
  const entries = await receiptsSince(handle, job, before, () => find()?.bills ?? 0)
  const { account: requester } = handle.view()
  return ok({
    ...{ job, session: find() ?? seen, promptIds, ids, text, logitsAfterPrompt: logits, problem },
    ...{ entries, requester, timing },
  })
}

type Receipts = WalletView['receipts']

const mine = (handle: NodeHandle, job: string): Receipts =>
  handle
    .view()
    .wallet.receipts.filter(({ role, signed }) => role === 'requester' && signed.body.job === job)

/** Those since then, once they are all there and signed by both, or nobody is left who would. */
const receiptsSince = async (
  handle: NodeHandle,
  job: string,
  before: Receipts,
  due: () => number,
): Promise<Receipts> => {
  // The same may have been asked before, and has the same name then.
  const old = new Set(before.map(({ cid }) => cid))
  const fresh = (): Receipts => mine(handle, job).filter(({ cid }) => !old.has(cid))
  // Receipts of the free tier say nothing of credits, so they are counted.
  const isSettled = (): boolean =>
    fresh().length >= due() && fresh().every(({ signed }) => signed.workerSig !== null)
  const until = performance.now() + SETTLE_MS
  while (!isSettled() && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  return fresh()
}
const LOOK_MS = 200

/** The asking side of models: the sessions of this account, from what was asked to their last payment. */
import { toHex } from '../../base/bytes.ts'
import type { Did } from '../../base/ids.ts'
import { microCredits, type Ms } from '../../base/units.ts'
import {
  answerBytes,
  billOf,
  costedModel,
  stageWork,
  runBytes,
  tableBytes,
  type CostedModel,
} from '../../core/stage-cost.ts'
import type { LlamaConfig } from '../../models/llama/config.ts'
import { answersFor } from '../../models/sampling.ts'
import { cidOfBytes, encode } from '../../wire/codec.ts'
import { LEAF_BYTES } from '../../base/leaf.ts'
import type { SignedManifest } from '../../wire/manifest.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'
import { recovering } from './recovering.ts'
import { session, type Session } from './session.ts'
import type { SessionId, SessionProblem, SessionView, Talk } from './session-view.ts'
import { isOver, type SessionPorts, type SessionState } from './session-state.ts'
import { viewOfPost } from './post.ts'

export type SessionHead = HeadOf<'staged' | 'unstaged' | 'fed' | 'bill'>

export const SESSION_LIMITS = {
  /** Each holds what its stages were fed. */
  running: 8,
  /** Those that are over are shown for a while. */
  over: 8,
} as const

type Entry = { readonly talk: Talk; running: Session | null; problem: SessionProblem | null }

export type Sessions = ReturnType<typeof sessions>

export const sessions = (desk: Desk, ports: SessionPorts) => {
  const entries = new Map<SessionId, Entry>()

  const isRunning = ({ running, problem }: Entry): boolean =>
    problem === null && (running === null || !isOver(running.state))

  const refuse = (id: SessionId, code: string, text: string): void => {
    const entry = entries.get(id)
    if (!entry) return
    entry.problem = { code, text }
    entry.talk.ended(entry.problem)
    ports.changed()
  }

  const makeRoom = (): void => {
    const over = [...entries].filter(([, entry]) => !isRunning(entry))
    for (const [id] of over.slice(0, Math.max(0, over.length - SESSION_LIMITS.over + 1)))
      entries.delete(id)
  }

  const open = (id: SessionId, talk: Talk, model: CostedModel, manifest: SignedManifest): void => {
    const bytes = encode(manifest)
    if (bytes.byteLength > LEAF_BYTES)
      return refuse(id, 'too-large', 'The model has more parts than can be named in one mebibyte.')
    const entry = entries.get(id)
    if (!entry || entry.problem) return
    const name = cidOfBytes(bytes)
    ports.leaves().offer(name, bytes, talk.source)
    const { shape, blocks } = model
    const places = Math.min(shape.context, talk.promptIds.length + talk.tokens)
    const answers = answersFor(talk.sampling, shape.vocabulary, talk.promptIds.length)
    const state: SessionState = {
      id,
      talk,
      // It was read from the files of this device.
      config: JSON.parse(manifest.body.config) as LlamaConfig,
      size: {
        blocks: blocks.map((block) => block.bytes),
        tied: shape.tied,
        tableBytes: tableBytes(shape, { from: 0, to: 1 }, places),
        runBytes: runBytes(shape, { from: 0, to: shape.layers }, places, false),
      },
      answers,
      model: name,
      manifest,
      beganAt: desk.now(),
      phase: 'calling',
      problem: null,
      posts: [],
      flow: null,
      recoveries: recovering(() => desk.now()),
      bills: 0,
    }
    entry.running = session(desk, state, ports, {
      work: ({ from, to }, feed) => stageWork(model, { from, to, ...answers }, feed),
      bytes: ({ from, to }, feed) => answerBytes(shape, { from, to, ...answers }, feed),
      cost: (work) => billOf(work, talk.price),
    })
    entry.running.wake()
    ports.changed()
  }

  const begin = (talk: Talk): SessionId => {
    const id = toHex(desk.random.bytes(16))
    makeRoom()
    const isFull = [...entries.values()].filter(isRunning).length >= SESSION_LIMITS.running
    entries.set(id, { talk, running: null, problem: null })
    if (isFull) {
      refuse(id, 'too-many', `${SESSION_LIMITS.running} of them run already.`)
      return id
    }
    const model = costedModel(talk.source.manifest)
    if (model === null) {
      refuse(id, 'bad-model', 'The model says nothing of its sizes that can be used.')
      return id
    }
    // Every node would say so, one after the other.
    if (talk.price > 0 && ports.funds() <= 0) {
      refuse(
        id,
        'no-credit',
        'This account has no credits. With the budget "free" it may ask for free work.',
      )
      return id
    }
    const body = { ...talk.source.manifest, publisher: desk.account }
    desk.sign([body], (signed) => {
      if (!signed.ok) return refuse(id, signed.error.code, signed.error.detail)
      open(id, talk, model, { body, sig: signed.value[0]! })
    })
    return id
  }

  /** It was given up while it could not be told, or its talk is of an earlier visit: it would hold its memory for long. */
  const unwanted = (who: Greeted, { session: id, index }: HeadOf<'staged'>): void =>
    desk.send(who.peer, { k: 'unstage', session: id, index }, null)

  const running = (): Session[] =>
    [...entries.values()].flatMap(({ running: each }) =>
      each && !isOver(each.state) ? [each] : [],
    )

  return {
    begin,
    stop(id: SessionId): void {
      const entry = entries.get(id)
      if (entry?.running) entry.running.stop()
      else if (entry) refuse(id, 'stopped', 'It was stopped before it began.')
    },
    head(who: Greeted, head: SessionHead, body: Uint8Array<ArrayBuffer> | null): void {
      const its = entries.get(head.session)?.running
      if (head.k === 'staged' && !its?.has(who, head)) return unwanted(who, head)
      its?.head(who, head, body)
    },
    welcome: (who: Greeted, head: HeadOf<'fed'>): number =>
      entries.get(head.session)?.running?.welcome(who, head) ?? 0,
    gone(who: Greeted): void {
      for (const each of running()) each.gone(who)
    },
    wake(): void {
      for (const each of running()) each.wake()
    },
    /** Nodes that sessions need links to. */
    needs: (): readonly Did[] =>
      running().flatMap(({ state }) =>
        state.posts.flatMap(({ who }) => (who ? [who.account] : [])),
      ),
    isBusy: (): boolean => [...entries.values()].some(isRunning),
    views: (): readonly SessionView[] => [...entries].map(([id, entry]) => viewOf(id, entry)),
    sizes: (): Size[] => [
      {
        what: 'sessions',
        held: entries.size,
        limit: SESSION_LIMITS.running + SESSION_LIMITS.over,
      },
    ],
  }
}

const viewOf = (id: SessionId, { talk, running, problem }: Entry): SessionView => {
  const { manifest } = talk.source
  const state = running?.state
  const spent = running?.spent() ?? 0
  const began = state?.beganAt ?? (null as Ms | null)
  return {
    id,
    job: talk.job,
    title: talk.title,
    model: { name: manifest.name, id: state?.model ?? null, layers: manifest.blocks.length - 2 },
    state: problem !== null && began === null ? 'failed' : (state?.phase ?? 'calling'),
    problem: problem ?? state?.problem ?? null,
    stages: state?.posts.map(viewOfPost) ?? [],
    promptTokens: talk.promptIds.length,
    tokens: (state?.flow?.tokens.length ?? talk.promptIds.length) - talk.promptIds.length,
    ...(running?.times() ?? { time: null, tokensPerSecond: null }),
    recoveries: state?.recoveries.views() ?? [],
    spent: microCredits(spent),
    bills: state?.bills ?? 0,
  }
}

/**
 * What nodes say to each other about a model that runs over several of them.
 *
 * Weights, either way: want -> leaf | lack · seek -> holds.
 * Stages, requester -> node unless noted: stage · staged (node, also its beat) | unstaged (node) · neighbours ·
 *   feed (also from the stage before) · fed (node) · bill (node), then settle as for tasks · unstage.
 */
import * as v from 'valibot'
import type { JobId } from '../base/ids.ts'
import { LEAF_BYTES } from '../base/leaf.ts'
import { CANDIDATES_MAX } from '../core/candidates.ts'
import { PRICE_MILLI_MAX } from '../core/price.ts'
import { FEED_TOKENS } from '../core/stage-cost.ts'
import { CidText, DidText, PeerText, Whole } from './fields.ts'

/** Rows of one feed or of its answer: a vocabulary of 2^22 once, or 128 tokens of a width of 2^15. */
const ROWS_BYTES_MAX = 16 * 1024 * 1024

const Text = (max: number) => v.pipe(v.string(), v.maxLength(max))
const Ask = v.pipe(Whole, v.maxValue(0xffff_ffff))
/** Drawn by the requester: whoever knows it has been told it. */
const Session = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))
const Index = v.pipe(Whole, v.maxValue(1_023))
const Digest = v.pipe(v.instance(Uint8Array), v.length(32))
/** A stage of a session; a node may have several. */
const of = { session: Session, index: Index }

export const STAGE_TROUBLES = [
  /** The same as for tasks. */
  'paused',
  'busy',
  'too-big',
  'price-too-low',
  'price-too-high',
  'no-credit',
  'free-tier-used-up',
  'not-welcome',
  'no-skill',
  /** The manifest, or what was asked of it, contradicts itself. */
  'bad-model',
  /** Nobody gave a leaf that is what its name says. */
  'no-weights',
  'no-room',
  /** More was fed than may wait, or what cannot follow. */
  'bad-feed',
  'engine',
  'unpaid',
  'handed-back',
  'closed',
] as const

const Neighbour = v.strictObject({ peer: PeerText, relay: Text(136) })

export const MODEL_HEADS = [
  v.strictObject({ k: v.literal('want'), id: Ask, name: CidText }),
  v.strictObject({
    k: v.literal('leaf'),
    id: Ask,
    bytes: v.pipe(Whole, v.maxValue(LEAF_BYTES)),
  }),
  v.strictObject({ k: v.literal('lack'), id: Ask }),
  v.strictObject({ k: v.literal('seek'), id: Ask, model: CidText }),
  v.strictObject({
    k: v.literal('holds'),
    id: Ask,
    /** Bit i of byte i >> 3: block i is here from its first leaf to its last. */
    blocks: v.pipe(v.instance(Uint8Array), v.maxLength(129)),
    /** Bytes of weights and tables that it would take for a stage now; 0 = it takes none. */
    room: Whole,
    /** Micro-credits of metered cost a second; 0 = not known yet. */
    speed: Whole,
  }),
  v.strictObject({
    k: v.literal('stage'),
    ...of,
    job: v.pipe(
      CidText,
      v.transform((id) => id as JobId),
    ),
    title: Text(80),
    model: CidText,
    /** Layers [from, to). */
    from: v.pipe(Whole, v.maxValue(1_024)),
    to: v.pipe(Whole, v.maxValue(1_024)),
    /** Tokens of the talk, prompt and answer, at most. */
    places: v.pipe(Whole, v.minValue(1), v.maxValue(2 ** 27)),
    /** Thousandths of the metered cost that will be paid; 0 asks for the free tier. */
    price: v.pipe(Whole, v.maxValue(PRICE_MILLI_MAX)),
    /** How many of the likeliest tokens are answered after the last layer, chosen there; 0 for all logits. */
    top: v.pipe(Whole, v.maxValue(CANDIDATES_MAX)),
    /** The feed that ends at this place is answered by all logits: the prompt's end. */
    whole: v.pipe(Whole, v.maxValue(2 ** 27)),
    /** Who feeds it, and whom it feeds; null = the requester. */
    previous: v.nullable(Neighbour),
    next: v.nullable(Neighbour),
  }),
  v.strictObject({
    k: v.literal('staged'),
    ...of,
    state: v.picklist(['fetching', 'loading', 'ready']),
    permille: v.pipe(Whole, v.maxValue(1_000)),
    /** Bytes of its weights that were here, that the requester gave, and that others gave. */
    here: Whole,
    given: Whole,
    others: Whole,
  }),
  v.strictObject({ k: v.literal('unstaged'), ...of, code: v.picklist(STAGE_TROUBLES) }),
  v.strictObject({
    k: v.literal('neighbours'),
    ...of,
    previous: v.nullable(Neighbour),
    next: v.nullable(Neighbour),
  }),
  v.strictObject({
    k: v.literal('feed'),
    ...of,
    /** Whose session it is, where the stage before passes it on; null = the sender's. */
    requester: v.nullable(DidText),
    /** Tokens [at, at + count) of the talk; what the stage knew from `at` on is forgotten. */
    at: v.pipe(Whole, v.maxValue(2 ** 27)),
    count: v.pipe(Whole, v.minValue(1), v.maxValue(FEED_TOKENS)),
    /** For the first stage; others get rows of f32 [count, width] as body. */
    tokens: v.pipe(v.array(v.pipe(Whole, v.maxValue(2 ** 22))), v.maxLength(FEED_TOKENS)),
    /** Only to be remembered: somebody else has answered it before. */
    replay: v.boolean(),
    bytes: v.pipe(Whole, v.maxValue(ROWS_BYTES_MAX)),
  }),
  v.strictObject({
    k: v.literal('fed'),
    ...of,
    at: v.pipe(Whole, v.maxValue(2 ** 27)),
    count: v.pipe(Whole, v.minValue(1), v.maxValue(FEED_TOKENS)),
    /** Of the rows that it was fed, or of the tokens as u32: two stages cannot both be right about them. */
    input: Digest,
    /** It also went to the next stage. */
    passed: v.boolean(),
    /** Rounded up to powers of two, at least 1: finer timing would fingerprint the device. */
    computeMs: Whole,
    /**
     * Rows f32 [count, width]; after the last layer the logits [vocabulary] of the last token, or f32 and u32, logit
     * and number, of each of the likeliest that follow it; nothing for a replay.
     */
    bytes: v.pipe(Whole, v.maxValue(ROWS_BYTES_MAX)),
  }),
  v.strictObject({
    k: v.literal('bill'),
    ...of,
    /** 0, 1, 2 ... within the stage. */
    part: v.pipe(Whole, v.maxValue(0xffff_ffff)),
    /** Metered by the node, from shapes, since the bill before. */
    flop: Whole,
    moved: Whole,
    microCredits: Whole,
    /** SHA-256 of the digest before (32 zeros at first) and of the bytes of an answer, over all answers so far. */
    answers: Digest,
  }),
  v.strictObject({ k: v.literal('unstage'), ...of }),
] as const

export type StageTrouble = (typeof STAGE_TROUBLES)[number]
export type Neighbour = v.InferOutput<typeof Neighbour>

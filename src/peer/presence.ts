/**
 * Being found and finding others. While its owner lends the device, a node keeps a signed advert at the
 * registry: renewed at half its life, and at once when what it says has changed. What others advertise
 * is a hint until they have said hello.
 */
import { kernelIds } from '../../kernels/index.ts'
import { utf8, toHex } from '../base/bytes.ts'
import type { Cid, Did } from '../base/ids.ts'
import { epochMs, ms, type Ms } from '../base/units.ts'
import { remember } from '../core/recent.ts'
import type { Capability } from '../ports.ts'
import { sha256 } from '../wire/codec.ts'
import { BUCKETS, bucketName, modelPlace, placesOf } from '../wire/registry.ts'
import type { Advert } from '../wire/signed.ts'
import { ADVERT_LIFE_MS, CLOCK_SKEW_MS } from '../wire/version.ts'
import type { Desk } from './desk.ts'
import type { Size } from './size.ts'

/** Changes are gathered for this long, so that a flickering tab does not flood the registry. */
const SETTLE_MS = 1_500
const RENEW_MS = ADVERT_LIFE_MS / 2
/** After a refusal; twice as long after each further one, and never longer than a renewal takes. */
const RETRY_MS = 5_000
/** How often we look who is there: while a job runs, and while somebody may be watching. */
const LOOK_BUSY_MS = 3_000
const LOOK_IDLE_MS = 15_000
const FIND_LIMIT = 64
/** What every node stands under, and what we look for. */
const EVERYBODY = 'any'
/** More than so many under the plain name, and it may hold no more: half of what a server keeps. */
const CROWDED = 512
/** Then every so many looks still go to it: who lies about its size hides nobody for ever. */
const PLAIN_EVERY = 4
/** Of 16 names that a server takes of an account, at most 6 say what it computes. */
const MODELS_MAX = 4
/** Adverts remembered: what a node may dial from, many times over. The one heard longest ago goes. */
const KNOWN_MAX = 512

/** Nodes of one release compute the same kernels; the digest of their list says which. */
export const KERNELS_DIGEST = toHex(sha256(utf8(kernelIds().join(' ')))).slice(0, 16)

export type PresenceState = {
  readonly capability: Capability
  readonly state: Advert['state']
  readonly wgsl: boolean
  readonly price: number
  readonly queued: number
}

export type Presence = ReturnType<typeof presence>

const log2Class = (n: number, max: number): number =>
  Math.min(max, Math.max(0, Math.floor(Math.log2(Math.max(1, n)))))

export const presence = (
  desk: Desk,
  swarm: Cid,
  /** Null while the owner lends nothing. */
  now: () => PresenceState | null,
  events: {
    found(adverts: readonly Advert[], total: number): void
    failed(code: string | null): void
    busy(): boolean
    /** Has worked well for us: a flood of strangers does not make us forget it. */
    trusted(account: Did): boolean
    /** Of which it has whole blocks, the one used last first. */
    models(): readonly Cid[]
  },
) => {
  const known = new Map<Did, Advert>()
  let seq = 0
  /** What the node last wanted the registry to know. */
  let saying = 'nothing'
  let everSaid = false
  /** What the registry still believes of us: after stopping it is told once that we paused. */
  let lastSaid: PresenceState | null = null
  let dueAt: Ms | null = null
  let announcing = false
  let retryMs = RETRY_MS
  let looking = false
  let nextLook = ms(0)
  let looks = 0
  let crowded = false
  /** The bucket looked into last; chance decides where we begin, so that servers share the load. */
  let bucket: number | null = null
  /** It was time to look and there was no relay to ask: done as soon as there is one. */
  let missed = false

  const models = (): readonly string[] => events.models().slice(0, MODELS_MAX).map(modelPlace)

  const says = (state: PresenceState | null): string =>
    state
      ? `${state.state} ${state.capability.adapter} ${state.wgsl} ${state.price} ${desk.relay()} ${class_of(state)} ${models().toSorted().join(' ')}`
      : 'nothing'

  const class_of = ({ capability }: PresenceState): string =>
    `${log2Class(capability.f32FlopPerSecond / 1e6, 40)}/${log2Class(capability.memoryBytes / 2 ** 20, 24)}`

  const body = (state: PresenceState, relay: string): Advert => ({
    v: 1,
    kind: 'advert',
    swarm,
    account: desk.account,
    peer: desk.self,
    relay,
    until: epochMs(desk.epoch() + ADVERT_LIFE_MS),
    // Session time keeps a restarted node's adverts newer than those of its earlier life.
    seq: (seq = Math.max(seq + 1, Math.floor(desk.epoch() / 1000))),
    state: state.state,
    adapter: state.capability.adapter,
    f32: log2Class(state.capability.f32FlopPerSecond / 1e6, 40),
    i8: log2Class(state.capability.i8OpPerSecond / 1e6, 40),
    memory: log2Class(state.capability.memoryBytes / 2 ** 20, 24),
    wgsl: state.wgsl,
    kernels: KERNELS_DIGEST,
    price: state.price,
    queued: Math.min(1_000, state.queued),
  })

  const announce = (): void => {
    const relay = desk.relay()
    const state = now() ?? lastSaid
    if (announcing || !relay || !state) return
    announcing = true
    const advert = body(now() ? state : { ...state, state: 'paused' }, relay)
    desk.sign([advert], (signed) => {
      if (!signed.ok) {
        announcing = false
        return events.failed(signed.error.code)
      }
      const can = [EVERYBODY, state.capability.adapter, ...(state.wgsl ? ['wgsl'] : [])]
      const places = [...placesOf(can, desk.account), ...models()]
      desk.announce({ body: advert, sig: signed.value[0]! }, places, (answer) => {
        announcing = false
        everSaid ||= answer.ok
        if (answer.ok) lastSaid = now() ? state : null
        const wait = answer.ok ? RENEW_MS : retryMs
        retryMs = answer.ok ? RETRY_MS : Math.min(RENEW_MS, 2 * retryMs)
        // A change that came in the meantime is due sooner.
        if (says(now()) === saying) dueAt = answer.ok && !lastSaid ? null : ms(desk.now() + wait)
        desk.wake(dueAt ?? nextLook)
        events.failed(answer.ok ? null : answer.error.code)
      })
    })
  }
  const whereToLook = (): string => {
    if (!crowded || looks++ % PLAIN_EVERY === 0) return EVERYBODY
    bucket = ((bucket ?? desk.random.bytes(1)[0]!) + 1) % BUCKETS
    return bucketName(EVERYBODY, bucket)
  }

  const look = (): void => {
    if (looking || !desk.relay()) return
    looking = true
    const where = whereToLook()
    desk.find(where, FIND_LIMIT, (answer) => {
      looking = false
      if (!answer.ok) return
      for (const { body: advert } of answer.value.adverts) {
        const older = known.get(advert.account)
        if (advert.swarm === swarm && (!older || older.seq <= advert.seq)) keep(advert)
      }
      expire()
      if (where === EVERYBODY) crowded = answer.value.total > CROWDED
      events.found([...known.values()], answer.value.total)
    })
  }

  const keep = (advert: Advert): void => {
    const isTrusted = (other: Advert): boolean => events.trusted(other.account)
    remember(known, advert.account, advert, KNOWN_MAX, isTrusted)
  }

  const expire = (): void => {
    for (const [account, advert] of known) {
      if (advert.until < desk.epoch() - CLOCK_SKEW_MS) known.delete(account)
    }
  }

  return {
    /** Call whenever what the node would say may have changed, and on every wake. */
    wake(): void {
      const at = desk.now()
      const state = now()
      if (says(state) !== saying) {
        saying = says(state)
        dueAt = ms(at + (everSaid ? SETTLE_MS : 0))
      }
      if (dueAt !== null && at >= dueAt) {
        dueAt = state === null && lastSaid === null ? null : ms(at + RETRY_MS)
        announce()
      }
      if (at >= nextLook || (missed && desk.relay())) {
        missed = !desk.relay()
        nextLook = ms(at + (events.busy() ? LOOK_BUSY_MS : LOOK_IDLE_MS))
        look()
      }
      desk.wake(dueAt === null ? nextLook : ms(Math.min(dueAt, nextLook)))
    },
    /** Looks at once: a job has just been submitted. */
    look(): void {
      nextLook = desk.now()
      desk.wake(nextLook)
    },
    sizes(): Size[] {
      return [{ what: 'adverts', held: known.size, limit: KNOWN_MAX }]
    },
    known(): readonly Advert[] {
      return [...known.values()]
    },
    get(account: Did): Advert | null {
      return known.get(account) ?? null
    },
  }
}

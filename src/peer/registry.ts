/**
 * What a registry server remembers: signed adverts under capability names, each as long as it lives
 * and no longer. It vouches for nothing; a reader checks signatures again. All of it is bounded, so
 * that nobody can fill a server, or a capability of others, with more than a fair share.
 */
import type { Did, PeerId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import type { EpochMs } from '../base/units.ts'
import { encode } from '../wire/codec.ts'
import type { RegistryAnswer, RegistryRequest } from '../wire/registry.ts'
import type { SignedAdvert } from '../wire/signed.ts'
import { ADVERT_BYTES_MAX, ADVERT_LIFE_MS, CLOCK_SKEW_MS } from '../wire/version.ts'

/** Adverts under one capability: an answer of 64 still fits one frame. */
export const ADVERTS_PER_KEY_MAX = 64
/** Capabilities one account may stand under. */
export const KEYS_PER_ACCOUNT_MAX = 16
/** Entries in all: at 512 bytes and a few hundred of overhead, below 100 MB. */
export const ENTRIES_MAX = 100_000
/** Looking for dead adverts costs a walk over all of them, so not at every request. */
const SWEEP_EVERY_MS = 30_000

export type Announce = Extract<RegistryRequest, { k: 'announce' }>
type Refused = Extract<RegistryAnswer, { k: 'refused' }>['code']
type Kept = { readonly advert: SignedAdvert; readonly until: number; readonly keys: Set<string> }

export type Registry = ReturnType<typeof registry>

/** `seed` decides which adverts an answer holds when there are more than it has room for. */
export const registry = (seed: number | readonly number[]) => {
  const random = prng(seed)
  const accounts = new Map<Did, Kept>()
  const keys = new Map<string, Set<Did>>()
  let entries = 0
  let swept = 0

  const drop = (account: Did): void => {
    const kept = accounts.get(account)
    if (!kept) return
    accounts.delete(account)
    for (const key of kept.keys) {
      const under = keys.get(key)
      under?.delete(account)
      if (under?.size === 0) keys.delete(key)
    }
    entries -= kept.keys.size
  }

  const sweep = (now: EpochMs): void => {
    swept = now
    for (const [account, kept] of accounts) if (kept.until <= now) drop(account)
  }

  /** What stands in the way before anybody spends time on a signature. */
  const refusal = ({ advert }: Announce, from: PeerId, now: EpochMs): Refused | null => {
    const { account, peer, until, seq } = advert.body
    if (peer !== from) return 'not-yours'
    if (until <= now) return 'expired'
    if (until > now + ADVERT_LIFE_MS + CLOCK_SKEW_MS) return 'bad-request'
    const known = accounts.get(account)
    if (known && known.until > now && seq <= known.advert.body.seq) return 'older'
    if (encode(advert).byteLength > ADVERT_BYTES_MAX) return 'too-large'
    return null
  }

  /** Under which of these capabilities there is room. */
  const roomy = (capabilities: readonly string[]): string[] =>
    [...new Set(capabilities)]
      .filter((key) => (keys.get(key)?.size ?? 0) < ADVERTS_PER_KEY_MAX)
      .slice(0, Math.max(0, Math.min(KEYS_PER_ACCOUNT_MAX, ENTRIES_MAX - entries)))

  return {
    refusal,
    /** `genuine` says whether the account's signature on the advert was found good. */
    put(request: Announce, from: PeerId, now: EpochMs, genuine: boolean): RegistryAnswer {
      const code = genuine ? refusal(request, from, now) : 'bad-signature'
      if (code !== null) return { k: 'refused', code }
      if (now - swept > SWEEP_EVERY_MS) sweep(now)
      const { account, until } = request.advert.body
      // Whatever happens next, the account itself has said that its older advert is out of date.
      drop(account)
      if (roomy(request.capabilities).length === 0) sweep(now)
      const room = roomy(request.capabilities)
      if (room.length === 0) return { k: 'refused', code: 'full' }
      const life = Math.min(until - now, ADVERT_LIFE_MS)
      accounts.set(account, { advert: request.advert, until: now + life, keys: new Set(room) })
      for (const key of room) {
        const under = keys.get(key)
        if (under) under.add(account)
        else keys.set(key, new Set([account]))
      }
      entries += room.length
      return { k: 'kept', seconds: Math.floor(life / 1_000) }
    },
    find(capability: string, limit: number, now: EpochMs): RegistryAnswer {
      const alive = [...(keys.get(capability) ?? [])].flatMap((account) => {
        const kept = accounts.get(account)
        return kept && kept.until > now ? [kept.advert] : []
      })
      const total = alive.length
      const count = Math.min(limit, total, ADVERTS_PER_KEY_MAX)
      // The first `count` steps of a Fisher-Yates shuffle: every sample is as likely as any other.
      for (let i = 0; i < count; i++) {
        const j = i + random.below(total - i)
        const [a, b] = [alive[i]!, alive[j]!]
        alive[i] = b
        alive[j] = a
      }
      return { k: 'adverts', total, adverts: alive.slice(0, count) }
    },
    sweep,
    counts: () => ({ accounts: accounts.size, keys: keys.size, entries }),
  }
}

/**
 * What a registry server remembers: signed adverts under names, each as long as it lives and no longer.
 * It vouches for nothing; a reader checks signatures again. All of it is bounded, and where a name is
 * full the newcomer takes the place of another by rules that a flood cannot turn against everybody.
 */
import type { Did, PeerId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import type { EpochMs } from '../base/units.ts'
import { encode } from '../wire/codec.ts'
import { ownPlaces, type RegistryAnswer, type RegistryRequest } from '../wire/registry.ts'
import type { SignedAdvert } from '../wire/signed.ts'
import { ADVERT_BYTES_MAX, ADVERT_LIFE_MS, CLOCK_SKEW_MS } from '../wire/version.ts'

/** Adverts in one answer: they fit one frame. */
export const ADVERTS_PER_ANSWER_MAX = 64
/** Adverts under one name; with its buckets, a capability has room for 16 times as many. */
export const ADVERTS_PER_KEY_MAX = 1_024
/** Names one account may stand under. */
export const KEYS_PER_ACCOUNT_MAX = 16
/** What every node announces: 5 names and their buckets, 87 040 entries when all are full. */
const KNOWN = /^(any|gpu|software|cpu|wgsl)(\.b\d\d?)?$/
/** Entries under all other names: nobody can use up the room of the known ones by inventing some. */
export const INVENTED_MAX = 10_000
/** In all: at 512 bytes and a few hundred of overhead, below 100 MB. */
export const ENTRIES_MAX = 100_000
/** So many of one neighbourhood under a full name, and it is they who give way. */
export const CROWD = ADVERTS_PER_KEY_MAX / 8
/** Looking for dead adverts costs a walk over all of them, so not at every request. */
const SWEEP_EVERY_MS = 30_000

export type Announce = Extract<RegistryRequest, { k: 'announce' }>
type Refused = Extract<RegistryAnswer, { k: 'refused' }>['code']
type Kept = {
  readonly advert: SignedAdvert
  readonly until: number
  /** Renewed without a gap since then. */
  readonly since: number
  /** Where it was announced from; empty where that tells nothing. */
  readonly near: string
  readonly keys: Set<string>
}

export type Registry = ReturnType<typeof registry>

/** `seed` decides what is drawn: which adverts an answer holds, and who gives way. */
export const registry = (seed: number | readonly number[]) => {
  const random = prng(seed)
  const accounts = new Map<Did, Kept>()
  /** A node speaks for one account; many accounts need many connections. */
  const peers = new Map<PeerId, Did>()
  const keys = new Map<string, Set<Did>>()
  let entries = 0
  let invented = 0
  let swept = 0

  const drop = (account: Did): void => {
    const kept = accounts.get(account)
    if (!kept) return
    accounts.delete(account)
    peers.delete(kept.advert.body.peer)
    for (const key of kept.keys) remove(key, account)
  }
  const remove = (key: string, account: Did): void => {
    const under = keys.get(key)
    if (under?.delete(account)) count(key, -1)
    if (under?.size === 0) keys.delete(key)
  }
  const count = (key: string, one: 1 | -1): void => {
    entries += one
    if (!KNOWN.test(key)) invented += one
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

  /**
   * Who gives way under a full name: the most crowded neighbourhood, if one is, and of these by lot one
   * of the half that came last. So a flood from one place displaces itself, and one from everywhere
   * never those who have been here longest.
   */
  const loser = (under: ReadonlySet<Did>): Kept => {
    const all = [...under].map((account) => accounts.get(account)!)
    const crowds = new Map<string, Kept[]>()
    for (const one of all) {
      if (one.near !== '') crowds.set(one.near, [...(crowds.get(one.near) ?? []), one])
    }
    const most = [...crowds.values()].reduce((a, b) => (b.length > a.length ? b : a), [])
    const from = most.length > CROWD ? most : all
    from.sort((a, b) => b.since - a.since)
    return from[random.below(Math.ceil(from.length / 2))]!
  }

  /** Puts the account under a name, in the place of another where there is no room. */
  const place = (key: string, newcomer: Kept): void => {
    if (invented >= INVENTED_MAX && !KNOWN.test(key)) return
    const under = keys.get(key) ?? new Set<Did>()
    keys.set(key, under)
    under.add(newcomer.advert.body.account)
    newcomer.keys.add(key)
    count(key, 1)
    if (under.size <= ADVERTS_PER_KEY_MAX) return
    const gone = loser(under)
    const account = gone.advert.body.account
    remove(key, account)
    gone.keys.delete(key)
    if (gone.keys.size === 0 && gone !== newcomer) drop(account)
  }

  return {
    refusal,
    /** `genuine`: its account's signature was found good. `near`: its neighbourhood, as far as known. */
    put(
      request: Announce,
      from: PeerId,
      now: EpochMs,
      genuine: boolean,
      near = '',
    ): RegistryAnswer {
      const code = genuine ? refusal(request, from, now) : 'bad-signature'
      if (code !== null) return { k: 'refused', code }
      const { account, until } = request.advert.body
      const names = ownPlaces(request.capabilities, account).slice(0, KEYS_PER_ACCOUNT_MAX)
      if (names.length === 0) return { k: 'refused', code: 'bad-request' }
      if (now - swept > SWEEP_EVERY_MS || invented >= INVENTED_MAX) sweep(now)
      const before = accounts.get(account)
      const since = before && before.until > now ? before.since : now
      // Whatever happens next, the account itself has said that its older advert is out of date.
      drop(account)
      const other = peers.get(from)
      if (other !== undefined) drop(other)
      const life = Math.min(until - now, ADVERT_LIFE_MS)
      peers.set(from, account)
      const kept = {
        advert: request.advert,
        until: now + life,
        since,
        near,
        keys: new Set<string>(),
      }
      accounts.set(account, kept)
      for (const key of names) place(key, kept)
      if (kept.keys.size > 0) return { k: 'kept', seconds: Math.floor(life / 1_000) }
      drop(account)
      return { k: 'refused', code: 'full' }
    },
    find(capability: string, limit: number, now: EpochMs): RegistryAnswer {
      const alive = [...(keys.get(capability) ?? [])].flatMap((account) => {
        const kept = accounts.get(account)
        return kept && kept.until > now ? [kept.advert] : []
      })
      const total = alive.length
      const count = Math.min(limit, total, ADVERTS_PER_ANSWER_MAX)
      // The first `count` steps of a Fisher-Yates shuffle: every sample is as likely as any other.
      for (let i = 0; i < count; i++) {
        const j = i + random.below(total - i)
        const [a, b] = [alive[i]!, alive[j]!]
        alive[i] = b
        alive[j] = a
      }
      return { k: 'adverts', total, adverts: alive.slice(0, count) }
    },
    /** A node is gone, and with it the only way to call it: through the relay it was connected to. */
    left(peer: PeerId, relay: string): void {
      const account = peers.get(peer)
      const kept = account === undefined ? undefined : accounts.get(account)
      if (kept?.advert.body.relay.endsWith(`/p2p/${relay}`)) drop(kept.advert.body.account)
    },
    sweep,
    counts: () => ({ accounts: accounts.size, keys: keys.size, entries }),
  }
}

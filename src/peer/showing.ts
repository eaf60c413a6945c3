/**
 * What each linked node has been shown of chains: ours, so that somebody keeps it, and with it those
 * behind our money, so that it can be followed from the genesis. All of it goes out at a pace that a
 * reader can keep up with, since it checks every signature.
 */
import type { Did, PeerId } from '../base/ids.ts'
import { ms, type Ms } from '../base/units.ts'
import type { HeadOf } from '../wire/messages.ts'
import { nameOf, type SignedBlock } from '../wire/signed.ts'
import { BLOCKS_PER_HEAD, BLOCKS_PER_SECOND } from '../wire/version.ts'
import { BOOKS_LIMITS, type Books } from './books.ts'
import type { ChainEntry } from './books-on-disk.ts'
import type { Desk } from './desk.ts'
import { lineage } from './lineage.ts'
import type { Greeted } from './links.ts'
import type { Wallet } from './wallet.ts'

/** Linked nodes that keep our chain for us: enough for one to be there when we have lost it. */
const KEEPERS_MAX = 4
/** Pages of its own chain shown to one link: all that is kept, twice. */
const PAGES_MAX = (2 * BOOKS_LIMITS.kept) / BLOCKS_PER_HEAD
/** Times that one link may have our chain again from where it says: a few words must not cost us much. */
export const TIPS_MAX = 16
const SECOND_MS = 1_000

type Shown = {
  readonly who: Greeted
  /** How far into each chain, ours included. */
  readonly chains: Map<Did, number>
  /** How far into ours what stands behind it has been shown. */
  followed: number
  /** It is to see all of our money. */
  wanted: boolean
  tips: number
  /** Pages of its own chain that it asked for. */
  pages: number
  /** Blocks sent since. */
  sent: number
  since: Ms
}

export const showing = (
  desk: Desk,
  wallet: Wallet,
  books: Books,
  /** All of our money has been shown, after it had to wait. */
  complete: (who: Greeted) => void,
) => {
  const links = new Map<PeerId, Shown>()
  const keepers = new Set<PeerId>()

  const chains = {
    entries: (account: Did): readonly ChainEntry[] =>
      account === desk.account ? wallet.chain() : books.entries(account),
    needs: (account: Did, from: Did): boolean =>
      account === desk.account || books.isSource(account, from),
  }

  const send = ({ who }: Shown, entries: readonly ChainEntry[]): void => {
    for (let at = 0; at < entries.length; at += BLOCKS_PER_HEAD) {
      const page = entries.slice(at, at + BLOCKS_PER_HEAD)
      const blocks = page.map(({ block, answers }) => ({ block, answers }))
      desk.send(who.peer, { k: 'blocks', blocks } satisfies HeadOf<'blocks'>, null)
    }
  }

  /** How many blocks may be sent now. */
  const room = (link: Shown): number => {
    if (desk.now() - link.since >= SECOND_MS) {
      link.since = desk.now()
      link.sent = 0
    }
    return Math.max(0, BLOCKS_PER_SECOND - link.sent)
  }

  const own = (link: Shown): number => link.chains.get(desk.account) ?? 0

  const isComplete = (link: Shown): boolean => {
    const { length } = wallet.chain()
    return link.followed >= length && own(link) >= length
  }

  /** What the reader has of our own chain is left out; what is behind it is not. */
  const advance = (link: Shown): void => {
    const before = own(link)
    link.chains.set(desk.account, link.followed)
    const entries = lineage(chains, desk.account, wallet.chain().length, link.chains, room(link))
    link.followed = own(link)
    link.chains.set(desk.account, Math.max(before, link.followed))
    link.sent += entries.length
    const news = entries.filter(
      ({ block: { body } }) => body.account !== desk.account || body.seq > before,
    )
    send(link, news)
    if (isComplete(link)) link.wanted = false
    else desk.wake(ms(link.since + SECOND_MS))
  }

  /** Gives our chain into the keeping of a node that we have dealt with, as far as it lacks it. */
  const entrust = (peer: PeerId, upTo: number): void => {
    const link = links.get(peer)
    if (!link || (keepers.size >= KEEPERS_MAX && !keepers.has(peer))) return
    keepers.add(peer)
    const entries = wallet.chain().slice(own(link), Math.min(upTo, own(link) + room(link)))
    if (entries.length === 0) return
    link.sent += entries.length
    link.chains.set(desk.account, own(link) + entries.length)
    send(link, entries)
  }

  return {
    greeted(who: Greeted): void {
      const since = desk.now()
      const counts = { followed: 0, wanted: false, tips: 0, pages: 0, sent: 0, since }
      links.set(who.peer, { who, chains: new Map(), ...counts })
    },
    gone({ peer }: Greeted): void {
      links.delete(peer)
      keepers.delete(peer)
    },
    entrust,
    /** How much of our chain a node says it has; true when that may be so. */
    tip(peer: PeerId, { account, seq, cid }: HeadOf<'tip'>): boolean {
      const link = links.get(peer)
      // Only a tip that is really ours lets us skip what came before it.
      const mine = wallet.chain()[seq - 1]
      const isTrue = mine !== undefined && nameOf(mine.block.body) === cid
      if (!link || account !== desk.account || (!isTrue && seq !== 0)) return false
      if (link.tips >= TIPS_MAX) return false
      // The first one may have crossed what we showed; who speaks again has lost something.
      const before = link.tips === 0 ? own(link) : 0
      if (link.tips > 0) {
        link.chains.clear()
        link.followed = 0
      }
      link.tips += 1
      link.chains.set(desk.account, Math.max(before, seq))
      return true
    },
    /** The payer takes our credit for the next block of what it keeps for us. */
    credited(peer: PeerId, { body }: SignedBlock): void {
      const link = links.get(peer)
      if (link && own(link) === body.seq - 1) link.chains.set(desk.account, body.seq)
    },
    /** All of our money, with what stands behind it; false when the rest has to wait. */
    money(peer: PeerId): boolean {
      const link = links.get(peer)
      if (!link) return false
      link.wanted = true
      advance(link)
      return !link.wanted
    },
    /** Somebody asks for its own chain, of which it holds the first `seq` blocks. */
    giveBack({ peer, account }: Greeted, seq: number): void {
      const link = links.get(peer)
      const entries = books.after(account, seq, BLOCKS_PER_HEAD)
      if (!link || link.pages >= PAGES_MAX || entries.length === 0) return
      link.pages += 1
      send(link, entries)
    },
    wake(): void {
      for (const link of links.values()) {
        if (!link.wanted) continue
        if (desk.now() - link.since < SECOND_MS) {
          desk.wake(ms(link.since + SECOND_MS))
          continue
        }
        advance(link)
        if (!link.wanted) complete(link.who)
      }
    },
  }
}

/** All of a node that has to do with models over several nodes, as one part of it. */
import type { Cid } from '../../base/ids.ts'
import { microCredits } from '../../base/units.ts'
import type { Head } from '../../wire/messages.ts'
import type { Debts } from '../debts.ts'
import type { Desk } from '../desk.ts'
import type { Donor } from '../donor.ts'
import type { Gate } from '../gate.ts'
import type { Greeted, Links } from '../links.ts'
import type { Presence } from '../presence.ts'
import type { Size } from '../size.ts'
import type { Opinion } from '../standing.ts'
import type { Teller } from '../teller.ts'
import type { Wallet } from '../wallet.ts'
import { leafExchange, type LeafHead } from './leaf-exchange.ts'
import { payBill } from './paying.ts'
import { sessions, type SessionHead } from './sessions.ts'
import { stageHost, type StageHead } from './stage-host.ts'
import { STAGE_KERNEL } from './stage-part.ts'

/** What trust is counted under when somebody gives leaves, and what a wrong one counts. */
const LEAF = 'leaf@1'
const LEAF_MICRO = microCredits(1_000)

/** The rest of the node, as far as it is needed. */
export type Around = {
  readonly swarm: Cid
  readonly door: Gate
  readonly lender: Donor
  debts(): Debts
  readonly net: Links
  readonly here: Presence
  readonly till: Teller
  readonly opinion: Opinion
  readonly purse: Wallet
  /** How many nodes may be linked soon. */
  coming(): number
  changed(): void
}

export type ModelHead = LeafHead | StageHead | SessionHead

export type ModelSide = ReturnType<typeof modelSide>

export const modelSide = (desk: Desk, around: Around) => {
  const { swarm, door, lender, opinion, purse, changed } = around
  const linked = (): Greeted[] => around.net.all()
  const leaves = leafExchange(desk, {
    room: () => stages.room(),
    linked,
    lied: ({ account }) => opinion.judged(account, LEAF, 'wrong', LEAF_MICRO, 1),
  })
  const stages = stageHost(desk, door, lender, around.debts, () => leaves, { linked, changed })
  const talks = sessions(desk, {
    leaves: () => leaves,
    linked,
    peerOf: (account) => around.net.peerOf(account),
    relayOf: (account) => around.here.get(account)?.relay ?? null,
    moreToCome: () => around.coming() > 0,
    judged: (node, ...outcome) => opinion.judged(node, STAGE_KERNEL, ...outcome),
    pay: (talk, bill, worker) =>
      payBill(desk, swarm, around.till, around.net.peerOf, talk, bill, worker),
    funds: purse.free,
    showChain: (peer) => around.till.showChain(peer),
    changed,
  })

  return {
    talks,
    stages,
    leaves,
    head(who: Greeted, head: ModelHead, body: Uint8Array<ArrayBuffer> | null): void {
      switch (head.k) {
        case 'want':
        case 'leaf':
        case 'lack':
        case 'seek':
        case 'holds':
          return leaves.head(who, head, body)
        case 'stage':
        case 'neighbours':
        case 'feed':
        case 'unstage':
          return stages.head(who, head, body)
        case 'staged':
        case 'unstaged':
        case 'fed':
        case 'bill':
          return talks.head(who, head, body)
      }
    },
    welcome(who: Greeted, head: Head): number {
      switch (head.k) {
        case 'leaf':
          return leaves.welcome(who, head)
        case 'feed':
          return stages.welcome(who, head)
        case 'fed':
          return talks.welcome(who, head)
        default:
          return 0
      }
    },
    /** Somebody more, who may have weights. */
    greeted: (): void => leaves.wake(),
    gone(who: Greeted): void {
      for (const part of [leaves, stages, talks]) part.gone(who)
    },
    wake(): void {
      for (const part of [leaves, stages, talks]) part.wake()
    },
    sizes: (): Size[] => [leaves, stages, talks].flatMap((part) => part.sizes()),
  }
}

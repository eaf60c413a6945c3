/** What a peer is told about the world it lives in, besides its ports. */
import type { Swarm } from '../core/ledger/genesis.ts'
import type { Capability, PortError } from '../ports.ts'

export type PeerOptions = {
  readonly swarm: Swarm
  readonly agent: string
  readonly adapter: () => Capability['adapter']
  measure(progress: (permille: number) => void, then: (found: Capability | PortError) => void): void
  measuredShare(): number
  /** The key was not made just now: where no block of it is stored, others may hold its chain. */
  readonly restored?: boolean
  /** Others are being asked for it, for a quarter of a minute at most. */
  recalling?(): void
  /** The account key has been saved outside this device. */
  backedUp(): boolean
  closed(): Promise<void>
}

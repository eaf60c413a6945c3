/** The serving side of a model: layers held ready for the sessions of others, fed and answered token by token. */
import type { HeadOf } from '../../wire/messages.ts'
import type { Debts } from '../debts.ts'
import type { Desk } from '../desk.ts'
import type { Donor } from '../donor.ts'
import type { Gate } from '../gate.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'
import type { LeafExchange } from './leaf-exchange.ts'

export type StageHead = HeadOf<'stage' | 'neighbours' | 'feed' | 'unstage'>

export type StageHostEvents = {
  linked(): readonly Greeted[]
  changed(): void
}

export type StageHost = ReturnType<typeof stageHost>

export const stageHost = (
  _desk: Desk,
  _door: Gate,
  _lender: Donor,
  _debts: () => Debts,
  _leaves: () => LeafExchange,
  _events: StageHostEvents,
) => ({
  head(_who: Greeted, _head: StageHead, _body: Uint8Array<ArrayBuffer> | null): void {},
  welcome: (_who: Greeted, _head: HeadOf<'feed'>): number => 0,
  gone(_who: Greeted): void {},
  /** Its owner stops: nothing more is computed. */
  handBack(): void {},
  wake(): void {},
  /** What it would take for one more stage now. */
  room: (): { readonly room: number; readonly speed: number } => ({ room: 0, speed: 0 }),
  /** How many stages are held ready. */
  held: (): number => 0,
  sizes: (): Size[] => [],
})

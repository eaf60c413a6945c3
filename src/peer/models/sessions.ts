/** The asking side of a model: stages found, fed, watched, audited, replaced and paid, token by token. */
import type { Did } from '../../base/ids.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'
import type { SessionId, SessionView, Talk } from './session-view.ts'

export type SessionHead = HeadOf<'staged' | 'unstaged' | 'fed' | 'bill'>

export type Sessions = ReturnType<typeof sessions>

export const sessions = (_desk: Desk) => ({
  begin: (_talk: Talk): SessionId => '',
  stop(_id: SessionId): void {},
  head(_who: Greeted, _head: SessionHead, _body: Uint8Array<ArrayBuffer> | null): void {},
  welcome: (_who: Greeted, _head: HeadOf<'fed'>): number => 0,
  gone(_who: Greeted): void {},
  wake(): void {},
  /** Nodes that sessions need links to. */
  needs: (): readonly Did[] => [],
  isBusy: (): boolean => false,
  views: (): readonly SessionView[] => [],
  sizes: (): Size[] => [],
})

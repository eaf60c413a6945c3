/** One state of the interface: what the node shows, what the browser has, and where to look. */
import type { View } from '../../src/peer/view.ts'
import type { Probe, Remedy, Senses } from '../../src/ui/services.ts'
import type { Twist } from './stand-ins.ts'

export type State = {
  readonly at: string
  readonly view?: View
  readonly boot?:
    | 'never'
    | 'other-tab'
    | { readonly code: string; readonly text: string; readonly remedies: readonly Remedy[] }
  readonly shell?: {
    probe?: Probe
    secure?: boolean
    online?: boolean
    update?: boolean
    handheld?: boolean
    install?: boolean
    relayed?: boolean
    senses?: Partial<Senses>
  }
  readonly twist?: Twist
  /** Steps before the picture: what to press, by its words. */
  readonly press?: readonly string[]
}

/** How a node introduces itself: its account lets this session's key speak for it, for ten minutes at a time. */
import { epochMs, ms } from '../base/units.ts'
import type { PortError } from '../ports.ts'
import type { HeadOf } from '../wire/messages.ts'
import type { Delegation, SignedDelegation } from '../wire/signed.ts'
import { DELEGATION_LIFE_MS } from '../wire/version.ts'
import type { Desk } from './desk.ts'
import type { PeerOptions } from './options.ts'

const RENEW_MS = DELEGATION_LIFE_MS / 2

export const credentials = (
  desk: Desk,
  options: PeerOptions,
  trouble: (error: PortError) => void,
) => {
  let delegation: SignedDelegation | null = null
  let renewAt = ms(0)

  const renew = (then: () => void): void => {
    const body: Delegation = {
      v: 1,
      kind: 'delegation',
      account: desk.account,
      peer: desk.self,
      from: desk.epoch(),
      until: epochMs(desk.epoch() + DELEGATION_LIFE_MS),
    }
    renewAt = ms(desk.now() + RENEW_MS)
    desk.sign([body], (signed) => {
      if (signed.ok) delegation = { body, sig: signed.value[0]! }
      else trouble(signed.error)
      then()
    })
  }

  return {
    renew,
    /** Null until the account has signed. */
    hello: (): HeadOf<'hello'> | null =>
      delegation && {
        k: 'hello',
        version: 1,
        agent: options.agent,
        swarm: options.swarm.cid,
        adapter: options.adapter(),
        delegation,
      },
    wake(): void {
      if (desk.now() >= renewAt) renew(() => undefined)
      desk.wake(renewAt)
    },
  }
}

/** The registry as a virtual node meets it: the real registry's rules behind relays that may be down. */
import type { PeerId } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import { epochMs, type EpochMs } from '../base/units.ts'
import { registry } from '../peer/registry.ts'
import type { PortError } from '../ports.ts'
import type { SignedAdvert } from '../wire/signed.ts'

export type SimDirectory = ReturnType<typeof simDirectory>

export const simDirectory = (
  seed: number,
  epoch: () => EpochMs,
  genuine: (advert: SignedAdvert) => boolean,
) => {
  let server = registry(seed)
  let isUp = true
  const down: PortError = { code: 'no-relay', detail: 'no relay answers' }

  return {
    up: (): boolean => isUp,
    /** A relay that comes back has forgotten every advert: they are hints and will be renewed. */
    setUp(up: boolean): void {
      if (up && !isUp) server = registry(seed + 1)
      isUp = up
    },
    announce(
      from: PeerId,
      advert: SignedAdvert,
      capabilities: readonly string[],
    ): Result<{ servers: number }, PortError> {
      if (!isUp) return err(down)
      const answer = server.put(
        { k: 'announce', capabilities: [...capabilities], advert },
        from,
        epoch(),
        genuine(advert),
      )
      return answer.k === 'kept'
        ? ok({ servers: 1 })
        : err({ code: answer.k === 'refused' ? answer.code : 'bad-answer', detail: from })
    },
    find(
      capability: string,
      limit: number,
    ): Result<{ adverts: SignedAdvert[]; total: number }, PortError> {
      if (!isUp) return err(down)
      const answer = server.find(capability, limit, epochMs(epoch()))
      return answer.k === 'adverts'
        ? ok({ adverts: [...answer.adverts], total: answer.total })
        : err(down)
    },
  }
}

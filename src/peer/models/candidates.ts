/** Which nodes could take a stage of a model: each that is linked is asked now and then what it holds and takes. */
import type { Cid, Did, PeerId } from '../../base/ids.ts'
import { ms, type Ms } from '../../base/units.ts'
import type { StageCandidate } from '../../core/plan/stages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { LeafExchange } from './leaf-exchange.ts'

/** What a node would take changes as others ask it. */
const AGAIN_MS = 2_000
/** Who gave a stage back is not asked for one again so soon. */
const REST_MS = 20_000

type Known = { readonly candidate: StageCandidate | null; readonly at: Ms }

export const candidates = (
  desk: Desk,
  leaves: LeafExchange,
  model: Cid,
  blocks: number,
  linked: () => readonly Greeted[],
  changed: () => void,
) => {
  const known = new Map<PeerId, Known>()
  const asked = new Map<PeerId, Ms>()
  const resting = new Map<Did, Ms>()

  const ask = (who: Greeted): void => {
    asked.set(who.peer, desk.now())
    leaves.seek(who.peer, model, (holds) => {
      const candidate = holds && {
        node: who.account,
        room: holds.room,
        speed: holds.speed,
        holds: Array.from(
          { length: blocks },
          (_, i) => ((holds.blocks[i >> 3] ?? 0) >> (i & 7)) % 2 === 1,
        ),
      }
      known.set(who.peer, { candidate, at: desk.now() })
      changed()
    })
  }

  return {
    /** Asks those whose answer is old. */
    look(): void {
      const here = new Set(linked().map(({ peer }) => peer))
      for (const peer of known.keys()) if (!here.has(peer)) known.delete(peer)
      for (const peer of asked.keys()) if (!here.has(peer)) asked.delete(peer)
      for (const who of linked())
        if (desk.now() - (asked.get(who.peer) ?? -AGAIN_MS) >= AGAIN_MS) ask(who)
      desk.wake(ms(desk.now() + AGAIN_MS))
    },
    /** Everybody who is linked has said something. */
    haveAnswered: (): boolean => linked().every(({ peer }) => known.has(peer)),
    able(): readonly StageCandidate[] {
      return [...known.values()].flatMap(({ candidate }) =>
        candidate !== null &&
        candidate.room > 0 &&
        (resting.get(candidate.node) ?? -Infinity) <= desk.now()
          ? [candidate]
          : [],
      )
    },
    /** @param forever it lied */
    rest(node: Did, forever: boolean): void {
      resting.set(node, forever ? ms(Number.MAX_SAFE_INTEGER) : ms(desk.now() + REST_MS))
    },
    /** What it said of itself is no longer so. */
    forget(): void {
      known.clear()
      asked.clear()
    },
  }
}

/** Which nodes could take a stage of a model: each that is linked is asked now and then what it holds and takes. */
import type { Cid, Did, PeerId } from '../../base/ids.ts'
import { ms, type Ms } from '../../base/units.ts'
import { remember } from '../../core/recent.ts'
import type { StageCandidate } from '../../core/plan/stages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { LeafExchange } from './leaf-exchange.ts'

/** What a node would take changes as others ask it. */
const AGAIN_MS = 2_000
/** Who gave a stage back is not asked for one again so soon, and each time later: others may be better at it. */
const REST = {
  ms: 20_000,
  times: 4,
  most: 4,
  /** Names cost nothing, so only the last ones are known. */
  nodes: 256,
} as const

const FOREVER = ms(Number.MAX_SAFE_INTEGER)

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
  /** How often each has given a stage back, and why it did so last. */
  const losses = new Map<Did, { readonly count: number; readonly code: string }>()

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

  const withRoom = (): readonly StageCandidate[] =>
    [...known.values()].flatMap(({ candidate }) =>
      candidate !== null && candidate.room > 0 ? [candidate] : [],
    )
  const isSpent = (node: Did): boolean => losses.get(node)?.code === 'free-tier-used-up'

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
    able: (): readonly StageCandidate[] =>
      withRoom().filter(({ node }) => (resting.get(node) ?? -Infinity) <= desk.now()),
    /** Some have given back a stage because they had nothing more to give away. */
    areSpent: (): boolean => [...losses.keys()].some(isSpent),
    /** All others, though they may rest now. */
    unspent: (): readonly StageCandidate[] =>
      withRoom().filter(({ node }) => !isSpent(node) && resting.get(node) !== FOREVER),
    rest(node: Did, code: string): void {
      const before = losses.get(node)?.count ?? 0
      remember(losses, node, { count: before + 1, code }, REST.nodes)
      const until = ms(desk.now() + REST.ms * REST.times ** Math.min(before, REST.most))
      remember(resting, node, ms(Math.max(until, resting.get(node) ?? until)), REST.nodes)
    },
    bar: (node: Did): void => void remember(resting, node, FOREVER, REST.nodes),
    /** What it said of itself is no longer so. */
    forget(): void {
      known.clear()
      asked.clear()
    },
  }
}

/** A swarm with nothing to do is quiet (I19): no node of it, not only the mean of all. */
import type { SimNode } from './life.ts'
import type { World } from './world.ts'

/** A job that was given up may still be on its way to the end; late probes, last farewells. */
const LAST_JOBS_MS = 300_000
const FAREWELL_MS = 10_000
/** So long the swarm is watched doing nothing. */
const IDLE_MS = 60_000
const LOOK_MS = 2_000
/** What an idle node may do in a minute: look for others, renew what it said, meet one or two again. */
const QUIET = { acts: 60, heads: 20 }
/** Among people who hang up and never answer there is always somebody to call again: still no storm. */
const PESTERED = { acts: 300, heads: 100 }

export const quiet = (w: World, run: (to: number) => void): void => {
  const later = (ms: number): void => run(w.time.now() + ms)
  for (let waited = 0; waited < LAST_JOBS_MS && isBusy(w); waited += LOOK_MS) later(LOOK_MS)
  later(FAREWELL_MS)
  for (const node of w.nodes.values()) node.acts = node.heads = 0
  later(IDLE_MS)
  const all = [...w.nodes.values()]
  const most = all.every(({ person }) => person.plays === 'fair') ? QUIET : PESTERED
  for (const { name, acts, heads } of all) {
    if (acts > most.acts || heads > most.heads)
      w.log.violate('I19-restless', `${name}: ${acts} acts and ${heads} heads in an idle minute`)
  }
}

const isBusy = (w: World): boolean => [...w.nodes.values()].some(hasWork)

const hasWork = ({ life }: SimNode): boolean =>
  [...(life?.peer.inspect().jobs.values() ?? [])].some(({ run }) => run.phase === 'running')

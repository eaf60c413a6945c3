/** How one run is made again by whoever reads that it failed. */
import type { SimReport } from '../../src/sim/simulate.ts'

const HOUR_MS = 3_600_000

export const replay = ({
  scenario,
  seed,
  nodes,
  forMs,
}: Pick<SimReport, 'scenario' | 'seed' | 'nodes' | 'forMs'>): string =>
  `npm run swarm -- sim ${scenario} --seed ${seed} --nodes ${nodes} --hours ${forMs / HOUR_MS}`

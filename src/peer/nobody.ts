/** Why a job finds nobody, as far as it can be seen from here: in the words of whoever could change it. */
import type { Job } from '../core/job.ts'
import type { NodeView, View } from './view.ts'

type Seen = Pick<View, 'nodes' | 'wallet' | 'reachability'>

/** At or above this a node counts as trusted (`core/able.ts`). */
const TRUSTED = 0.5

/** Where nothing that can be seen from here speaks against it. */
export const UNWILLING = 'those who are there were busy, or their owners do not lend them for this'

/** Null where nothing speaks against it: then it is only a matter of time. */
export const whyNobody = ({ nodes, wallet, reachability }: Seen, job: Job): string | null => {
  const others = nodes.filter(({ self, state }) => !self && state !== 'paused')
  const { adapter } = job.needs
  if (others.length === 0) {
    const found = reachability.kind === 'reachable' || reachability.kind === 'no-webrtc'
    return found ? 'no other node lends its device now' : 'the relay cannot be reached'
  }
  const steps: readonly [string, (node: NodeView) => boolean][] = [
    ['has a GPU, which the spec asks for', (node) => adapter !== 'gpu' || node.adapter === 'gpu'],
    ['has WebGPU, which the spec asks for', (node) => adapter === 'any' || node.adapter !== 'cpu'],
    [
      'runs shaders of others, which only its owner can allow (swarm node --allow-wgsl, or its settings)',
      (node) => job.program.kind !== 'wgsl' || node.wgsl,
    ],
    [
      'is trusted by this account yet',
      (node) => job.privacy !== 'trusted' || node.trust >= TRUSTED,
    ],
  ]
  let left = others
  for (const [what, may] of steps) {
    const able = left.filter(may)
    if (able.length === 0) return `of the nodes there (${left.length}) none ${what}`
    left = able
  }
  if (left.length < job.redundancy) {
    const some = left.length === 1 ? 'one node' : `${left.length} nodes`
    return `the job wants each result from ${job.redundancy} different nodes, and only ${some} may do it`
  }
  if (job.budget > 0 && wallet.balance <= 0)
    return 'this account has no credits; with the budget "free" it may ask for free work'
  return null
}

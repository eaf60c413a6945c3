/** Brings a node to life: ports in, a handle out. The same in a tab and in a Node process. */
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { Swarm } from '../core/ledger/genesis.ts'
import type { Network, NetworkEvents, PortError, Ports } from '../ports.ts'
import { realDesk } from './desk.ts'
import { peer, type Peer } from './peer.ts'
import type { NodeHandle } from './view.ts'

export type LivingOptions = {
  readonly swarm: Swarm
  readonly agent: string
  readonly restored: boolean
  recalling(): void
  backedUp(): boolean
  /** Aborted when the node is to stop measuring. */
  readonly signal: AbortSignal
  close(): Promise<void>
}

export const live = async (
  openNetwork: (events: NetworkEvents) => Promise<Result<Network, PortError>>,
  rest: Omit<Ports, 'network'>,
  options: LivingOptions,
): Promise<Result<NodeHandle, PortError>> => {
  let node: Peer | null = null
  // The network may speak before the peer has read its books; nothing is lost, links say hello later.
  const opened = await openNetwork({
    opened: (link) => node?.opened(link),
    received: (from, head, body) => node?.received(from, head, body),
    faulty: (from, error) => node?.faulty(from, error),
    closed: (from, reason) => node?.closed(from, reason),
    linkChanged: (link) => node?.linkChanged(link),
    reachability: (state) => node?.reachability(state),
    welcome: (from, head) => node?.welcome(from, head) ?? 0,
  })
  if (!opened.ok) return opened
  const network = opened.value
  const { compute, store } = rest
  const desk = realDesk(
    { ...rest, network },
    () => node?.wake(),
    () => undefined,
  )
  node = peer(desk, {
    ...options,
    adapter: () => compute.capability()?.adapter ?? 'cpu',
    measure: (progress, then) =>
      void compute
        .benchmark(progress, options.signal)
        .then((found) => then(found.ok ? found.value : found.error)),
    measuredShare: () => compute.measuredShare(),
    async closed() {
      await network.close()
      compute.close()
      store.close()
      await options.close()
    },
  })
  const started = node
  const problem = await new Promise<PortError | null>((then) => started.start(then))
  if (problem?.code === 'chain-corrupt') return err(problem)
  return ok(node.handle)
}

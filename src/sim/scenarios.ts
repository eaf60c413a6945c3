/** What happens to a swarm, by name. Each is weather and fate; the nodes are the product's own. */
import type { Prng } from '../base/prng.ts'
import { honest, liar, type Person } from './people.ts'
import type { SimNode, World } from './world.ts'

export type Scenario = {
  readonly name: string
  readonly summary: string
  /** Part of the nodes that lie, in thousandths. */
  readonly liarsPermille: number
  /** Fate from `from` to `until`, milliseconds; afterwards everybody is back and the weather is calm. */
  unfold(world: World, until: number): void
}

const fair: Scenario['unfold'] = () => undefined

/** Calls back every `everyMs` until then. */
const repeat = (world: World, everyMs: number, until: number, then: () => void): void => {
  world.time.after(everyMs, () => {
    if (world.time.now() >= until) return
    then()
    repeat(world, everyMs, until, then)
  })
}

const away = (world: World, node: SimNode, ms: number): void => {
  world.leave(node)
  world.time.after(ms, () => world.arrive(node))
}

/** A tenth of all nodes vanish every ten seconds and come back after five to thirty. */
const churn: Scenario['unfold'] = (world, until) =>
  repeat(world, 10_000, until, () => {
    for (const node of world.nodes.values()) {
      if (world.random.below(10) === 0) away(world, node, 5_000 + world.random.below(25_000))
    }
  })

/** Only those who ask crash, at any moment, also between two steps of a payment. */
const crashingRequesters: Scenario['unfold'] = (world, until) =>
  repeat(world, 3_000, until, () => {
    for (const node of world.nodes.values()) {
      if (!node.person.lends && world.random.below(3) === 0) away(world, node, 500 + world.random.below(4_000))
    }
  })

const relayDown: Scenario['unfold'] = (world) => {
  world.time.after(6_000, () => {
    world.note('relay down')
    world.directory.setUp(false)
  })
  world.time.after(36_000, () => {
    world.note('relay up')
    world.directory.setUp(true)
  })
}

const partition: Scenario['unfold'] = (world, until) => {
  const line = (peer: string): number => peer.charCodeAt(peer.length - 1) & 1
  world.time.after(5_000, () => world.network.partition(line))
  world.time.after(Math.max(6_000, until - 5_000), () => world.network.partition(null))
}

const storm: Scenario['unfold'] = (world) =>
  world.setWeather({
    latencyMs: [20, 300],
    jitterMs: 200,
    loss: 0.05,
    bytesPerMs: 200,
    hangingDials: 0.06,
    linkMinutes: 1,
  })

const everything: Scenario['unfold'] = (world, until) => {
  storm(world, until)
  churn(world, until)
  partition(world, until)
  relayDown(world, until)
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'calm', summary: 'everybody stays, nothing breaks', liarsPermille: 0, unfold: fair },
  { name: 'churn', summary: 'a tenth of the nodes vanish every ten seconds, requesters included', liarsPermille: 0, unfold: churn },
  { name: 'lying-nodes', summary: 'three in ten nodes return wrong results', liarsPermille: 300, unfold: fair },
  { name: 'lying-nodes-10', summary: 'one in ten nodes returns wrong results', liarsPermille: 100, unfold: fair },
  { name: 'lying-nodes-49', summary: 'nearly half of the nodes return wrong results', liarsPermille: 490, unfold: fair },
  { name: 'relay-down', summary: 'the only relay is gone for thirty seconds while jobs run', liarsPermille: 0, unfold: relayDown },
  { name: 'crashing-requesters', summary: 'those who pay crash at any moment', liarsPermille: 0, unfold: crashingRequesters },
  { name: 'partition', summary: 'the swarm is cut in two and heals', liarsPermille: 0, unfold: partition },
  { name: 'storm', summary: 'slow, lossy, jittery links that break', liarsPermille: 0, unfold: storm },
  { name: 'everything', summary: 'storm, churn, partition and relay loss, with one liar in ten', liarsPermille: 100, unfold: everything },
]

export const scenarioByName = (name: string): Scenario | undefined =>
  SCENARIOS.find((scenario) => scenario.name === name)

/** The first node always lends honestly: a swarm of liars alone can promise nothing. */
export const personFor = (at: number, { liarsPermille }: Scenario, count: number, random: Prng): Person => {
  const liars = Math.floor((count * liarsPermille) / 1000)
  return at > 0 && at <= liars ? liar(random) : honest(random)
}


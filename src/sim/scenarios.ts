/** What happens to a swarm, by name. Each is people and fate; the nodes are the product's own. */
import type { Prng } from '../base/prng.ts'
import {
  all,
  anything,
  badWeather,
  churn,
  deviceLosses,
  exodus,
  freezes,
  fullDisks,
  lostDisks,
  moods,
  partition,
  relayLoss,
  requestersCrash,
  workersCrash,
  type Fate,
} from './fate.ts'
import { asker, lender, liar, mainstay, meddlesome, outOfTime, type Person } from './people.ts'

export type Scenario = {
  readonly name: string
  readonly summary: string
  /** Part of the lending nodes that lie, in thousandths. */
  readonly liarsPermille: number
  /** Which jobs are asked for: any, or only those whose check misses no lie. */
  readonly jobs: 'matmul' | 'any'
  /** Part of their jobs that people with money pay for; the rest is for nothing. */
  readonly paysPermille: number
  /** Of the lending nodes, those that keep to no rule of conversation. */
  readonly meddlersPermille: number
  /** Of the lending nodes, those whose clocks are so wrong that nobody can take their word for now. */
  readonly wrongClocksPermille: number
  /** Their devices are all slow, so that the free tier runs dry. */
  readonly slow: boolean
  /** The first of those who ask takes results and does not pay. */
  readonly defaults: boolean
  readonly fate: Fate
}

const nothing: Fate = () => undefined

const plain = (name: string, summary: string, fate: Fate): Scenario => ({
  name,
  summary,
  liarsPermille: 0,
  jobs: 'any',
  paysPermille: 830,
  meddlersPermille: 0,
  wrongClocksPermille: 0,
  slow: false,
  defaults: false,
  fate,
})

const lying = (name: string, summary: string, liarsPermille: number): Scenario => ({
  ...plain(name, summary, nothing),
  liarsPermille,
  jobs: 'matmul',
})

export const SCENARIOS: readonly Scenario[] = [
  plain('calm', 'everybody stays, nothing breaks', nothing),
  plain('churn', 'a tenth of the nodes vanish every ten seconds, requesters included', churn(100)),
  lying('lying-nodes', 'three in ten nodes return wrong matrix products', 300),
  lying('lying-nodes-10', 'one in ten nodes returns wrong matrix products', 100),
  lying('lying-nodes-49', 'nearly half of the nodes return wrong matrix products', 490),
  {
    ...plain('lying-about-anything', 'three in ten nodes lie about jobs of every kind', nothing),
    liarsPermille: 300,
  },
  plain('relay-down', 'the only relay is gone for half of the time', relayLoss),
  plain('crashing-requesters', 'those who pay crash between any two steps', requestersCrash),
  plain(
    'crashing-workers',
    'those who work crash between commit, reveal and payment',
    workersCrash,
  ),
  plain('partition', 'the swarm is cut in two, or one node from the rest, and heals', partition),
  plain('storm', 'slow, lossy, jittery links that break', badWeather),
  plain('freezing-tabs', 'hidden tabs stop for up to forty seconds and go on', freezes),
  plain('moody-donors', 'owners pause, stop, start and change how much they give', moods),
  plain('full-disks', 'disks have no room for a while', fullDisks),
  plain('lost-disks', 'some lose all that they had but their key, and come back', lostDisks),
  plain('lost-devices', 'graphics drivers reset devices in the middle of tasks', deviceLosses),
  {
    ...plain('wrong-clocks', 'three in ten nodes have clocks wrong by up to a day', nothing),
    wrongClocksPermille: 300,
  },
  plain('exodus', 'half of those who lend leave for good, and their adverts stay', exodus),
  {
    ...plain('beggars', 'everybody asks for nothing but the free tier of slow devices', nothing),
    paysPermille: 0,
    slow: true,
  },
  {
    ...plain('defaulter', 'one of those who ask takes results and never pays', nothing),
    defaults: true,
  },
  {
    ...plain('meddlers', 'three in ten nodes drop, repeat and twist what they say', nothing),
    meddlersPermille: 300,
  },
  {
    ...plain(
      'everything',
      'bad links, churn, partitions and relay loss, with one liar in ten',
      all(badWeather, churn(100), partition, relayLoss),
    ),
    liarsPermille: 100,
  },
  {
    ...plain('anything', 'in every run another part of all that can happen', anything),
    liarsPermille: 100,
    meddlersPermille: 100,
    wrongClocksPermille: 100,
  },
]

export const scenarioByName = (name: string): Scenario | undefined =>
  SCENARIOS.find((scenario) => scenario.name === name)

/** The first node always lends honestly; then come those who lie, meddle or are late; the rest as people are. */
export const personFor = (at: number, of: Scenario, count: number, random: Prng): Person => {
  if (at === 0) return mainstay
  const liars = Math.floor((count * of.liarsPermille) / 1000)
  const meddlers = liars + Math.ceil((count * of.meddlersPermille) / 1000)
  const wrongClocks = meddlers + Math.ceil((count * of.wrongClocksPermille) / 1000)
  if (at <= liars) return liar(random)
  if (at <= meddlers) return meddlesome(random)
  if (at <= wrongClocks) return outOfTime(random)
  const person = lender(random)
  return of.slow ? { ...person, speed: 1 + random.below(2) } : person
}

/** Those with money: the first one may be a bad payer. */
export const askerFor = (at: number, { defaults }: Scenario): Person =>
  at === 0 && defaults ? { ...asker, plays: 'defaults' } : asker

/** What can happen to a swarm. Each acts from now until a given time; the simulator then brings all back. */
import type { PeerId } from '../base/ids.ts'
import { handleOf, type SimNode } from './life.ts'
import { mainstay } from './people.ts'
import type { World } from './world.ts'

export type Fate = (world: World, until: number) => void

/** So long a browser gives no adapter after the second loss. */
const WITHHELD_MS = 120_000

const repeat = (w: World, everyMs: number, until: number, then: () => void): void =>
  w.time.after(everyMs, () => {
    if (w.time.now() >= until) return
    then()
    repeat(w, everyMs, until, then)
  })

const away = (w: World, node: SimNode, ms: number): void => {
  if (!node.life) return
  w.leave(node)
  w.time.after(ms, () => w.arrive(node))
}

/** So many in a thousand of all nodes vanish every ten seconds and come back after five to thirty. */
export const churn =
  (permille: number): Fate =>
  (w, until) =>
    repeat(w, 10_000, until, () => {
      for (const node of w.nodes.values()) {
        if (w.random.below(1000) < permille) away(w, node, 5_000 + w.random.below(25_000))
      }
    })

/** After one in `rarity` of these steps, the node that took it dies, mostly before the next one. */
const crashAfter =
  (steps: readonly string[], rarity: number, concerns: (node: SimNode) => boolean): Fate =>
  (w, until) =>
    w.onStep((node, what) => {
      if (w.time.now() >= until || !concerns(node) || !steps.includes(what)) return
      if (w.random.below(rarity) > 0) return
      w.log.saw(`crash after: ${what}`)
      w.time.after(w.random.below(10), () => away(w, node, 300 + w.random.below(5_000)))
    })

/** Those who pay crash between any two steps of a job and its settlement. */
export const requestersCrash: Fate = crashAfter(
  ['wrote', 'sent offer', 'received commit', 'received result', 'sent settle', 'received settled'],
  60,
  ({ person }) => person.asks,
)

/** Those who work crash between commit, reveal and settlement. */
export const workersCrash: Fate = crashAfter(
  [
    'wrote',
    'received offer',
    'sent commit',
    'received reveal',
    'sent result',
    'received settle',
    'sent settled',
  ],
  30,
  ({ person }) => person.lends,
)

/** The only relay is gone for half of the time, and has forgotten every advert when it comes back. */
export const relayLoss: Fate = (w, until) => {
  const from = w.time.now()
  w.time.after((until - from) / 4, () => w.setRelay(false))
  w.time.after((3 * (until - from)) / 4, () => w.setRelay(true))
}

/** Cut in two equal parts, or one node from the rest; heals before the end, and comes again. */
export const partition: Fate = (w, until) => {
  const lastLetter = (peer: PeerId): number => peer.charCodeAt(peer.length - 1) & 1
  repeat(w, 15_000, until, () => {
    const lone = [...w.nodes.values()][w.random.below(w.nodes.size)]!
    const halves = w.random.below(2) === 0
    w.log.saw(halves ? 'cut in halves' : 'one cut off')
    w.network.partition(halves ? lastLetter : (peer) => (peer === lone.life?.self ? 1 : 0))
    w.time.after(4_000 + w.random.below(8_000), () => {
      w.network.partition(null)
      w.log.saw('partition healed')
    })
  })
}

/** Slow, lossy, jittery links that break, and dials that hang. */
export const badWeather: Fate = (w) =>
  w.setWeather({
    latencyMs: [20, 300],
    jitterMs: 200,
    loss: 0.05,
    bytesPerMs: 200,
    hangingDials: 0.06,
    relayedLinks: 0.4,
    linkMinutes: 1,
  })

/** Hidden tabs stop for three to forty seconds in the middle of anything, and go on as if nothing had been. */
export const freezes: Fate = (w, until) =>
  repeat(w, 7_000, until, () => {
    for (const node of w.nodes.values()) {
      if (!node.life || w.random.below(8) > 0) continue
      w.log.saw('node frozen')
      node.frozenUntil = w.time.now() + 3_000 + w.random.below(37_000)
    }
  })

/** Graphics drivers reset devices, which a browser then withholds for two minutes; the owner starts again. */
export const deviceLosses: Fate = (w, until) =>
  repeat(w, 5_000, until, () => {
    for (const node of w.nodes.values()) {
      const { life } = node
      if (!life || !node.person.lends || node.deviceLostUntil > 0 || w.random.below(12) > 0)
        continue
      node.deviceLostUntil = w.time.now() + WITHHELD_MS
      w.time.after(WITHHELD_MS, () => {
        if (node.life !== life) return
        node.deviceLostUntil = 0
        handleOf(node)?.condition('device-lost', false)
      })
    }
  })

/** Donors pause, resume, finish, stop, start again and change how much they give. */
export const moods: Fate = (w, until) =>
  repeat(w, 2_000, until, () => {
    for (const node of w.nodes.values()) {
      const handle = handleOf(node)
      if (!handle || !node.person.lends || w.random.below(10) > 0) continue
      const mood = (['pause', 'resume', 'finish', 'stop', 'start', 'share'] as const)[
        w.random.below(6)
      ]!
      w.log.saw(`owner: ${mood}`)
      if (mood === 'share') {
        handle.setLimits({ ...handle.limits(), share: 0.05 + w.random.below(95) / 100 })
        continue
      }
      node.will = willAfter(node.will, mood)
      handle[mood]()
    }
  })

/** Pausing is taken back by resuming or starting; stopping only by starting; finishing by both. */
const willAfter = (
  { lends, paused }: SimNode['will'],
  mood: 'pause' | 'resume' | 'finish' | 'stop' | 'start',
): SimNode['will'] => {
  switch (mood) {
    case 'pause':
    case 'finish':
      return { lends, paused: true }
    case 'resume':
      return { lends, paused: false }
    case 'stop':
      return { lends: false, paused }
    case 'start':
      return { lends: true, paused: false }
  }
}

/** Disks are full for a while; whoever met that reloads the page when there is room again. */
export const fullDisks: Fate = (w, until) =>
  repeat(w, 10_000, until, () => {
    const node = [...w.nodes.values()][w.random.below(w.nodes.size)]!
    node.disk.setFull(true)
    w.log.saw('disk full')
    w.time.after(5_000, () => {
      node.disk.setFull(false)
      away(w, node, 500)
    })
  })

/** Some people clear their browser's data, and come back with nothing but their key. */
export const lostDisks: Fate = (w, until) =>
  w.time.after((until - w.time.now()) / 2, () => {
    for (const node of w.nodes.values()) {
      // Those who trust only the one who is always there would wait for ever.
      if (node.person === mainstay || w.random.below(5) > 0) continue
      w.wipe(node)
      w.time.after(1_000 + w.random.below(5_000), () => w.arrive(node))
    }
  })

/** Half of those who lend are gone for good, and their adverts stay where they are. */
export const exodus: Fate = (w, until) =>
  w.time.after((until - w.time.now()) / 3, () => {
    for (const node of w.nodes.values()) {
      if (node.person.lends && w.random.below(2) === 0) w.leave(node)
    }
    w.log.saw('exodus')
  })

export const all =
  (...fates: readonly Fate[]): Fate =>
  (w, until) => {
    for (const fate of fates) fate(w, until)
  }

/** Another part of all that can happen in every run: faults meet that nobody would think of together. */
export const anything: Fate = (w, until) => {
  const dice: readonly Fate[] = [
    churn(50 + w.random.below(150)),
    requestersCrash,
    workersCrash,
    relayLoss,
    partition,
    badWeather,
    freezes,
    moods,
    fullDisks,
    deviceLosses,
    exodus,
  ]
  for (const fate of dice) if (w.random.below(3) === 0) fate(w, until)
}

/**
 * Where the nodes sit on the drawing: on the squares of a sheet, you in the middle, the near ones (by
 * round trip) on the inner rings. A node keeps its square while others come and go.
 */
import type { NodeView } from '../peer/view.ts'
import { textHash } from './nickname.ts'

export type Seat = { readonly node: NodeView; readonly x: number; readonly y: number }
export type Seating = { readonly seats: readonly Seat[]; readonly left: number }

/** As many as can be told apart; the table below the drawing lists all. */
export const SEATS_MAX = 300

/** A small swarm is drawn wide, with room for names; a large one square by square. */
const WIDE_MAX = 24
const WIDE = { x: 3, y: 2, near: 1 } as const
/** On a phone: no names, so that the squares can be large enough to touch. */
const TALL = { x: 2, y: 2, near: 1 } as const
const CLOSE = { x: 1, y: 1, near: 2 } as const

/** Rings by round trip: the same room, the same city, farther, relayed, no link. */
const farness = (node: NodeView): number => {
  if (node.link === 'none') return 3
  if (node.link === 'relayed' || node.rttMs === null) return 2
  return node.rttMs < 15 ? 0 : node.rttMs < 60 ? 1 : 2
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))

/** The squares of a ring, clockwise, that no nearer square hides from the middle. */
const squaresOfRing = (ring: number): (readonly [number, number])[] => {
  const squares: [number, number][] = []
  for (let i = -ring; i < ring; i++) squares.push([i, -ring])
  for (let i = -ring; i < ring; i++) squares.push([ring, i])
  for (let i = ring; i > -ring; i--) squares.push([i, ring])
  for (let i = ring; i > -ring; i--) squares.push([-ring, i])
  return squares.filter(([x, y]) => divisor(Math.abs(x), Math.abs(y)) === 1)
}

export const seat = (nodes: readonly NodeView[], narrow = false): Seating => {
  const others = nodes.filter((node) => !node.self)
  const small = narrow ? TALL : WIDE
  const pitch = others.length <= WIDE_MAX ? small : CLOSE
  // Whoever comes first takes a square, so the order must not depend on who else is there.
  const ordered = others.toSorted((a, b) => textHash(a.peer) - textHash(b.peer)).slice(0, SEATS_MAX)
  const taken = new Set<string>()
  const seats = ordered.map((node): Seat => {
    for (let ring = pitch.near + farness(node); ; ring++) {
      const squares = squaresOfRing(ring)
      const start = textHash(node.peer) % squares.length
      for (let k = 0; k < squares.length; k++) {
        const [x, y] = squares[(start + k) % squares.length]!
        if (taken.has(`${x},${y}`)) continue
        taken.add(`${x},${y}`)
        return { node, x: x * pitch.x, y: y * pitch.y }
      }
    }
  })
  return { seats, left: others.length - seats.length }
}

export type SortKey = 'name' | 'adapter' | 'link' | 'rtt' | 'class' | 'load' | 'trust'
export type Sort = { readonly key: SortKey; readonly down: boolean }

const LINKS = { direct: 0, relayed: 1, none: 2 } as const
const ADAPTERS = { gpu: 0, software: 1, cpu: 2 } as const

/** `name` is what the caller shows for a node. You always come first; equals keep a fixed order. */
export const sortNodes = (
  nodes: readonly NodeView[],
  sort: Sort,
  name: (node: NodeView) => string,
): readonly NodeView[] => {
  const value = (node: NodeView): number | string => {
    switch (sort.key) {
      case 'name':
        return name(node)
      case 'adapter':
        return ADAPTERS[node.adapter]
      case 'link':
        return LINKS[node.link]
      case 'rtt':
        return node.rttMs ?? Number.MAX_VALUE
      case 'class':
        return node.f32
      case 'load':
        return node.queued + (node.state === 'busy' ? 0.5 : 0)
      case 'trust':
        return node.trust
    }
  }
  const order = (a: NodeView, b: NodeView): number => {
    if (a.self !== b.self) return a.self ? -1 : 1
    const [left, right] = [value(a), value(b)]
    const by = left < right ? -1 : left > right ? 1 : 0
    return (sort.down ? -by : by) || (a.peer < b.peer ? -1 : 1)
  }
  return nodes.toSorted(order)
}

/** A node that lends its device says what it can do; one that only asks says nothing. */
export const lends = ({ f32 }: NodeView): boolean => f32 > 0

/** What the swarm lends in all. Software adapters and plain processors are told apart, never added. */
export const totals = (
  nodes: readonly NodeView[],
): {
  readonly gpus: number
  readonly software: number
  readonly cpus: number
  readonly flopPerSecond: number
} => {
  const of = (adapter: NodeView['adapter']): readonly NodeView[] =>
    nodes.filter((node) => lends(node) && node.adapter === adapter)
  return {
    gpus: of('gpu').length,
    software: of('software').length,
    cpus: of('cpu').length,
    flopPerSecond: of('gpu').reduce((sum, node) => sum + 2 ** node.f32 * 1e6, 0),
  }
}

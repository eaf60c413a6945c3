/**
 * Where the nodes sit on the drawing: on the squares of a sheet, you in the middle, the near ones (by
 * round trip) on the inner rings. A node keeps its square while others come and go.
 */
import type { NodeView } from '../peer/view.ts'
import { textHash } from './nickname.ts'

export type Seat = { readonly node: NodeView; readonly x: number; readonly y: number }
export type Seating = { readonly seats: readonly Seat[]; readonly rings: number; readonly left: number }

/** As many as can be told apart; the table below the drawing lists all. */
export const SEATS_MAX = 300

/** Rings by round trip: same room, same city, same continent, far or relayed. */
const ringOf = (node: NodeView): number => {
  if (node.link === 'none') return 5
  if (node.link === 'relayed' || node.rttMs === null) return 4
  return node.rttMs < 15 ? 2 : node.rttMs < 60 ? 3 : 4
}

/** The squares of ring r, clockwise from the top left: those whose larger offset is r. */
const squaresOfRing = (ring: number): (readonly [number, number])[] => {
  const squares: [number, number][] = []
  for (let i = -ring; i < ring; i++) squares.push([i, -ring])
  for (let i = -ring; i < ring; i++) squares.push([ring, i])
  for (let i = ring; i > -ring; i--) squares.push([i, ring])
  for (let i = ring; i > -ring; i--) squares.push([-ring, i])
  return squares
}

export const seat = (nodes: readonly NodeView[]): Seating => {
  const others = nodes.filter((node) => !node.self)
  // Whoever comes first takes a square, so the order must not depend on who else is there.
  const ordered = others.toSorted((a, b) => textHash(a.peer) - textHash(b.peer)).slice(0, SEATS_MAX)
  const taken = new Set<string>()
  let rings = 5
  const seats = ordered.map((node): Seat => {
    for (let ring = ringOf(node); ; ring++) {
      const squares = squaresOfRing(ring)
      const start = textHash(node.peer) % squares.length
      // Half of a ring stays free, so that lines and names have room.
      for (let k = 0; k < squares.length; k++) {
        const [x, y] = squares[(start + k) % squares.length]!
        if (taken.has(`${x},${y}`) || ((x + y) % 2 !== 0 && others.length < 60)) continue
        taken.add(`${x},${y}`)
        rings = Math.max(rings, ring)
        return { node, x, y }
      }
    }
  })
  return { seats, rings, left: others.length - seats.length }
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

/** What the swarm adds up to. Software adapters and plain processors are told apart, never added. */
export const totals = (
  nodes: readonly NodeView[],
): { readonly gpus: number; readonly software: number; readonly cpus: number; readonly flopPerSecond: number } => {
  const of = (adapter: NodeView['adapter']): readonly NodeView[] =>
    nodes.filter((node) => node.adapter === adapter)
  return {
    gpus: of('gpu').length,
    software: of('software').length,
    cpus: of('cpu').length,
    flopPerSecond: of('gpu').reduce((sum, node) => sum + (node.f32 > 0 ? 2 ** node.f32 * 1e6 : 0), 0),
  }
}

import { describe, expect, it } from 'vitest'
import { did, peerId } from '../base/ids.ts'
import type { NodeView } from '../peer/view.ts'
import { nickname, squaresOf } from './nickname.ts'
import { seat, SEATS_MAX, sortNodes, totals } from './topology.ts'

const node = (n: number, change: Partial<NodeView> = {}): NodeView => ({
  account: did(`did:key:z6Mk${n}`),
  peer: peerId(`12D3KooW${n}`),
  adapter: 'gpu',
  f32: 20,
  state: 'ready',
  link: 'direct',
  rttMs: 5 + n,
  queued: 0,
  wgsl: false,
  trust: 0.5,
  accepted: 0,
  rejected: 0,
  self: false,
  ...change,
})
const many = (count: number): NodeView[] => Array.from({ length: count }, (_, i) => node(i))

describe('the drawing of links', () => {
  it('gives every node a square of its own and none the middle', () => {
    for (const count of [1, 9, 24, 25, 180, 300]) {
      const { seats, left } = seat(many(count))
      expect(new Set(seats.map(({ x, y }) => `${x},${y}`)).size).toBe(count)
      expect(seats.every(({ x, y }) => x !== 0 || y !== 0)).toBe(true)
      expect(left).toBe(0)
    }
  })
  it('leaves nodes where they are when another goes that took nobody’s square', () => {
    const before = seat(many(12)).seats
    const gone = before.at(-1)!.node
    const after = seat(many(12).filter((one) => one.peer !== gone.peer)).seats
    for (const one of after) {
      const old = before.find((other) => other.node.peer === one.node.peer)!
      expect([one.x, one.y]).toEqual([old.x, old.y])
    }
  })
  it('says how many are not drawn', () => {
    expect(seat(many(SEATS_MAX + 20)).left).toBe(20)
  })
  it('draws what is near by round trip nearer', () => {
    const { seats } = seat([
      node(1, { rttMs: 3 }),
      node(2, { rttMs: 400 }),
      node(3, { link: 'none', rttMs: null }),
    ])
    const far = (n: number): number => {
      const { x, y } = seats.find(({ node: one }) => one.peer === `12D3KooW${n}`)!
      return Math.max(Math.abs(x) / 3, Math.abs(y) / 2)
    }
    expect(far(1)).toBeLessThan(far(2))
    expect(far(2)).toBeLessThan(far(3))
  })
})

describe('the table of nodes', () => {
  it('sorts by any column with you always first and unknown round trips last', () => {
    const nodes = [
      node(1, { rttMs: null }),
      node(2, { rttMs: 9 }),
      node(3, { rttMs: 2 }),
      node(4, { self: true }),
    ]
    const order = sortNodes(nodes, { key: 'rtt', down: false }, (one) => one.account)
    expect(order.map((one) => one.peer)).toEqual([
      '12D3KooW4',
      '12D3KooW3',
      '12D3KooW2',
      '12D3KooW1',
    ])
  })
  it('adds up graphics processors only', () => {
    const sums = totals([
      node(1),
      node(2, { adapter: 'software', f32: 30 }),
      node(3, { adapter: 'cpu', f32: 30 }),
    ])
    expect(sums).toEqual({ gpus: 1, software: 1, cpus: 1, flopPerSecond: 2 ** 20 * 1e6 })
  })
})

describe('names', () => {
  it('are the same for the same key everywhere, and differ for most others', () => {
    const keys = Array.from({ length: 500 }, (_, i) => did(`did:key:z6Mk${i}abc`))
    expect(nickname(keys[0]!)).toBe(nickname(did('did:key:z6Mk0abc')))
    expect(new Set(keys.map(nickname)).size).toBeGreaterThan(495)
    for (const key of keys) {
      expect(nickname(key)).toMatch(/^[a-z]+-[a-z]+-\d{1,2}$/)
      expect(squaresOf(key)).toHaveLength(9)
      expect(squaresOf(key).some(Boolean)).toBe(true)
    }
  })
})

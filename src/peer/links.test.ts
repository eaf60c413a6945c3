import { describe, expect, it } from 'vitest'
import { alice, bob, mallory, type Person } from '../../test/people.ts'
import { bobCredits, heads } from '../../test/vectors/fixtures.ts'
import { epochMs, ms } from '../base/units.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import type { Claim, Desk } from './desk.ts'
import { links, LINK_LIMITS } from './links.ts'

const template = heads.find((head): head is HeadOf<'hello'> => head.k === 'hello')!
const helloOf = ({ did: account, peer }: Person): HeadOf<'hello'> => {
  const body = { ...template.delegation.body, account, peer, from: epochMs(0), until: epochMs(1) }
  return { ...template, delegation: { ...template.delegation, body } }
}

/** Alice's links to bob and mallory. Signatures are good, and are checked when the test says so. */
const alices = () => {
  let now = 0
  let wakeAt = Number.POSITIVE_INFINITY
  const asked: { claims: readonly Claim[]; done: (genuine: boolean) => void }[] = []
  const heard: { from: Person['did']; k: Head['k'] }[] = []
  const dropped: string[] = []
  const desk = {
    now: () => ms(now),
    epoch: () => epochMs(0),
    wake: (at: number) => void (wakeAt = Math.min(wakeAt, at)),
    send: () => undefined,
    disconnect: (_peer: string, code: string) => void dropped.push(code),
    verify: (claims: readonly Claim[], then: (genuine: boolean) => void) =>
      void asked.push({ claims, done: then }),
  } as unknown as Desk
  let checked = 0
  const net = links(desk, () => helloOf(alice), {
    greeted: ({ account }) => void heard.push({ from: account, k: 'hello' }),
    head: ({ account }, { k }) => void heard.push({ from: account, k }),
    gone: () => undefined,
  })
  const checkOne = (): boolean => {
    const next = asked.shift()
    if (!next) return false
    checked += next.claims.length
    expect(next.claims.length).toBeLessThanOrEqual(LINK_LIMITS.slice)
    next.done(true)
    return true
  }
  const checkAll = (): void => {
    while (checkOne());
  }
  for (const { peer } of [bob, mallory]) net.opened({ peer, direct: true, rttMs: 1 })
  return {
    net,
    heard,
    dropped,
    checkOne,
    checkAll,
    checked: () => checked,
    say: (who: Person, head: Head) => net.received(who.peer, head, null),
    greet(who: Person): void {
      net.received(who.peer, helloOf(who), null)
      checkAll()
    },
    /** As long as alice is woken, and no longer than this. */
    later(forMs: number): void {
      const until = now + forMs
      while (wakeAt <= until) {
        now = Math.max(now, wakeAt)
        wakeAt = Number.POSITIVE_INFINITY
        net.wake()
        checkAll()
      }
      now = until
    },
  }
}

const signed = { body: bobCredits, sig: new Uint8Array(64) }
/** As much as one head can hold: 96 signatures. */
const full: HeadOf<'blocks'> = {
  k: 'blocks',
  blocks: Array(48).fill({ block: signed, answers: signed }),
}

describe('a node that sends much to be checked', () => {
  it('is checked in parts, and others have their turn in between', () => {
    const { say, greet, heard, checkOne, checkAll } = alices()
    greet(mallory)
    say(mallory, full)
    say(bob, helloOf(bob))
    checkOne()
    checkOne()
    expect(heard.map(({ from, k }) => [from, k])).toEqual([
      [mallory.did, 'hello'],
      [bob.did, 'hello'],
    ])
    checkAll()
    expect(heard.at(-1)).toEqual({ from: mallory.did, k: 'blocks' })
  })

  it('is checked no faster than an honest one shows blocks, and nobody else waits for that', () => {
    const { say, greet, heard, checkAll, checked, later, dropped } = alices()
    greet(mallory)
    greet(bob)
    for (let i = 0; i < 200; i++) say(mallory, full)
    checkAll()
    expect(checked()).toBeLessThanOrEqual(LINK_LIMITS.perSecond)
    say(bob, { k: 'cancel', lease: 1 })
    expect(heard.at(-1)).toEqual({ from: bob.did, k: 'cancel' })
    later(1_000)
    expect(checked()).toBeLessThanOrEqual(2 * LINK_LIMITS.perSecond)
    expect(checked()).toBeGreaterThan(1.8 * LINK_LIMITS.perSecond)
    later(10_000)
    expect(heard.filter(({ k }) => k === 'blocks')).toHaveLength(200)
    expect(dropped).toEqual([])
  })

  it('is hung up on when more waits than a link holds, with words that need no check as well', () => {
    for (const head of [full, { k: 'cancel', lease: 1 } as const]) {
      const { say, greet, dropped } = alices()
      greet(mallory)
      const most = LINK_LIMITS.perSecond + LINK_LIMITS.queue
      for (let i = 0; i <= most; i++) say(mallory, head)
      expect(dropped).toEqual(['too-fast'])
    }
  })
})

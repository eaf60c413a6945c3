import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory, type Person } from '../../test/people.ts'
import { job, mandelbrot } from '../../test/plan-jobs.ts'
import { newDisk, SUPPLY, town, type Disk, type Resident, type Town } from '../../test/town.ts'
import { microCredits } from '../base/units.ts'
import { auditSwarm } from '../core/ledger/audit.ts'
import { cidOf } from '../wire/codec.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { nameOf } from '../wire/signed.ts'
import type { ChainEntry } from './books-on-disk.ts'
import { RECALL_LIMITS } from './recall.ts'
import { BLOCKS_PER_HEAD } from '../wire/version.ts'

let jobs = 0

/** A picture of six units, or more, paid for. */
const begin = (who: Resident, name: string, width = 48): void => {
  const paid = { name, budget: microCredits(100_000), tile: 16 }
  who.peer.handle.submit(job(mandelbrot(width, width - 16), {}, paid), name, {})
}
const ask = (place: Town, who: Resident, width = 48): void => {
  const name = `picture ${jobs++}`
  begin(who, name, width)
  place.run(30_000)
  expect(who.peer.handle.view().jobs.find(({ title }) => title === name)?.state).toBe('done')
}

const wallet = (who: Resident) => who.peer.handle.view().wallet
const chainOf = (who: Resident) => wallet(who).blocks.map(({ body }) => body)
const codes = (who: Resident): string[] => who.peer.handle.view().problems.map(({ code }) => code)
const blocksOn = (disk: Disk): ChainEntry[] =>
  [...disk.entries()]
    .filter(([key]) => key.startsWith('blocks '))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value as ChainEntry)

/** Others' chains, and nothing else. */
const forget = (disk: Disk): void => {
  for (const key of disk.keys()) if (key.startsWith('known-blocks ')) disk.delete(key)
}

/** Bob has paid alice for six units, and her device is gone. */
const aliceIsGone = () => {
  const place = town(bob)
  const disks = { alice: newDisk(), bob: newDisk() }
  const bobs = place.moveIn(bob, disks.bob, false)
  const first = place.moveIn(alice, disks.alice, false)
  place.run(10_000)
  ask(place, bobs)
  const earned = wallet(first).balance
  expect(earned).toBeGreaterThan(0)
  first.leave()
  place.run(10_000)
  return { place, bobs, bobsDisk: disks.bob, past: blocksOn(disks.alice), earned }
}

const conserved = (place: Town, ...everybody: Resident[]): void =>
  expect(auditSwarm(everybody.map(chainOf), place.swarm, cidOf)).toMatchObject({
    ok: true,
    value: { inFlight: 0, balances: SUPPLY },
  })

/** Claims to hold `claim` blocks of alice, and shows these page by page when asked. */
const keeper =
  (entries: readonly ChainEntry[], claim = entries.length, page = 40) =>
  (head: Head): Head[] => {
    if (head.k === 'hello') {
      const last = entries.at(-1)
      const cid = last ? nameOf(last.block.body) : null
      return [{ k: 'tip', account: alice.did, seq: claim, cid }]
    }
    const isAsked = head.k === 'tip' && head.account === alice.did
    return isAsked ? [{ k: 'blocks', blocks: entries.slice(head.seq, head.seq + page) }] : []
  }

describe('an account that was restored on an empty disk', () => {
  it('goes on where it was: alice earns, loses everything but her key, and earns again', () => {
    const { place, bobs, past, earned } = aliceIsGone()
    const after = place.moveIn(alice, newDisk(), true)
    place.run(RECALL_LIMITS.waitMs)
    expect(after.started()).toBe(true)
    expect(chainOf(after)).toEqual(past.map(({ block }) => block.body))
    expect(wallet(after).balance).toBe(earned)
    ask(place, bobs)
    expect(wallet(after).balance).toBe(2 * earned)
    expect([codes(after), codes(bobs)]).toEqual([[], []])
    conserved(place, after, bobs)
  })

  it('finds its chain with those who kept it over a restart of their own', () => {
    const { place, bobs, bobsDisk, earned } = aliceIsGone()
    bobs.leave()
    const again = place.moveIn(bob, bobsDisk, true)
    place.run(10_000)
    const after = place.moveIn(alice, newDisk(), true)
    place.run(RECALL_LIMITS.waitMs)
    expect(wallet(after).balance).toBe(earned)
    ask(place, again)
    conserved(place, after, again)
  })

  it('gets back what it spent: bob loses his books and does not begin with the whole supply', () => {
    const place = town(bob)
    const first = place.moveIn(bob, newDisk(), false)
    const alices = place.moveIn(alice, newDisk(), false)
    place.run(10_000)
    ask(place, first)
    const left = wallet(first).balance
    first.leave()
    place.run(10_000)
    const again = place.moveIn(bob, newDisk(), true)
    place.run(RECALL_LIMITS.waitMs)
    expect(wallet(again).balance).toBe(left)
    ask(place, again)
    expect(codes(alices)).toEqual([])
    conserved(place, alices, again)
  })

  it('tells a payer once more what it credited before its receipts were lost', () => {
    const { place, bobs, bobsDisk } = aliceIsGone()
    bobs.leave()
    // Bob’s disk never got the last countersignature.
    const [key, value] = [...bobsDisk].findLast(([name]) => name.startsWith('receipts '))!
    const kept = value as { signed: object }
    const open = {
      ...kept,
      answered: false,
      answer: null,
      signed: { ...kept.signed, workerSig: null },
    }
    bobsDisk.set(key, open)
    const again = place.moveIn(bob, bobsDisk, true)
    place.run(5_000)
    expect(wallet(again).inFlight).toBeGreaterThan(0)
    const after = place.moveIn(alice, newDisk(), true)
    place.run(40_000)
    expect(wallet(again).inFlight).toBe(0)
    expect([codes(after), codes(again)]).toEqual([[], []])
    conserved(place, after, again)
  })

  it('keeps one history through any order of earning, closing and losing everything', () => {
    const act = fc.constantFrom('earn', 'close', 'lose', 'bob closes', 'bob loses')
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 7 }), (acts) => {
        const place = town(bob)
        const disks = { alice: newDisk(), bob: newDisk() }
        const here = {
          alice: place.moveIn(alice, disks.alice, false),
          bob: place.moveIn(bob, disks.bob, false),
        }
        const again = (who: 'alice' | 'bob', of: Person): void => {
          here[who].leave()
          place.run(10_000)
          here[who] = place.moveIn(of, disks[who], true)
          place.run(RECALL_LIMITS.waitMs + 5_000)
        }
        place.run(10_000)
        let earned = 0
        for (const each of [...acts, 'earn']) {
          if (each === 'earn') {
            ask(place, here.bob)
            earned += 1
          }
          if (each === 'lose') disks.alice = newDisk()
          if (each === 'bob loses') disks.bob = newDisk()
          if (each === 'lose' || each === 'close') again('alice', alice)
          if (each === 'bob closes' || each === 'bob loses') again('bob', bob)
          expect([codes(here.alice), codes(here.bob)]).toEqual([[], []])
        }
        expect(chainOf(here.alice)).toHaveLength(1 + 6 * earned)
        conserved(place, here.alice, here.bob)
      }),
      { numRuns: 15 },
    )
  })

  it('takes no payment while it is being shown its chain, and all of them afterwards', () => {
    const { place, bobs, bobsDisk, past, earned } = aliceIsGone()
    bobs.leave()
    forget(bobsDisk)
    const after = place.moveIn(alice, newDisk(), true)
    const again = place.moveIn(bob, bobsDisk, true)
    place.run(10_000)
    const carols = place.stranger(carol, (head) => (head.k === 'hello' ? keeper(past)(head) : []))
    place.connect(carols.self, after.self)
    place.run(10)
    const { length } = wallet(again).receipts
    begin(again, 'in between')
    place.run(RECALL_LIMITS.pageMs / 2)
    expect(wallet(again).receipts.length).toBeGreaterThan(length)
    expect(chainOf(after)).toHaveLength(1)
    carols.say(after.self, { k: 'blocks', blocks: [...past] })
    place.run(30_000)
    expect(wallet(after).balance).toBe(2 * earned)
    expect([codes(after), codes(again)]).toEqual([[], []])
    conserved(place, after, again)
  })

  it('takes up a chain of several pages', () => {
    const place = town(bob)
    const first = place.moveIn(alice, newDisk(), false)
    const payer = place.moveIn(bob, newDisk(), false)
    place.run(10_000)
    ask(place, payer, 112)
    const past = chainOf(first)
    expect(past.length).toBeGreaterThan(BLOCKS_PER_HEAD)
    first.leave()
    place.run(10_000)
    const after = place.moveIn(alice, newDisk(), true)
    place.run(RECALL_LIMITS.waitMs)
    expect(chainOf(after)).toEqual(past)
  })

  it('waits for nobody where nobody is, and a new key waits never', () => {
    const place = town(bob)
    const after = place.moveIn(alice, newDisk(), true)
    place.run(100)
    expect(after.started()).toBe(true)
    place.stranger(carol, () => [])
    const fresh = place.moveIn(bob, newDisk(), false)
    place.run(100)
    expect(fresh.started()).toBe(true)
  })

  it('waits only so long for those who do not answer', () => {
    const place = town(bob)
    place.stranger(carol, () => [])
    const after = place.moveIn(alice, newDisk(), true)
    place.run(RECALL_LIMITS.waitMs - 1_000)
    expect(after.started()).toBe(false)
    place.run(2_000)
    expect(after.started()).toBe(true)
    expect(chainOf(after)).toHaveLength(1)
  })

  it('takes up its chain later, when it had begun anew before anybody was met', () => {
    const { place, bobs, bobsDisk, earned } = aliceIsGone()
    bobs.leave()
    const after = place.moveIn(alice, newDisk(), true)
    place.run(20_000)
    expect(wallet(after).balance).toBe(0)
    const again = place.moveIn(bob, bobsDisk, true)
    place.run(20_000)
    ask(place, again)
    expect(wallet(after).balance).toBe(2 * earned)
    expect([codes(after), codes(again)]).toEqual([[], []])
    conserved(place, after, again)
  })
})

describe('mallory, who shows alice her own chain,', () => {
  /** What alice has after everybody she was called to has had their say. */
  const afterMeeting = (
    answer: (past: readonly ChainEntry[], others: readonly ChainEntry[]) => (head: Head) => Head[],
    isBobThere: boolean,
  ) => {
    const { place, bobs, past, bobsDisk } = aliceIsGone()
    if (!isBobThere) bobs.leave()
    const mallorys = place.stranger(mallory, answer(past, blocksOn(bobsDisk)))
    const after = place.moveIn(alice, newDisk(), true)
    place.run(RECALL_LIMITS.waitMs + 1_000)
    expect(after.started()).toBe(true)
    return { after, mallorys, past, place, bobs }
  }
  const forged = (past: readonly ChainEntry[]): ChainEntry[] => {
    const [open, first, ...rest] = past
    const body = { ...first!.block.body, hour: first!.block.body.hour + 1 }
    return [open!, { ...first!, block: { ...first!.block, body } }, ...rest]
  }

  it('cannot make a block up: the link is cut, and nothing of it is taken', () => {
    const { after, mallorys } = afterMeeting((past) => keeper(forged(past)), false)
    expect(mallorys.refused).toEqual(['bad-signature'])
    expect(chainOf(after)).toHaveLength(1)
    expect(wallet(after).balance).toBe(0)
  })

  it('cannot pass off the chain of somebody else', () => {
    const { after } = afterMeeting((_past, bobs) => keeper(bobs), false)
    expect(chainOf(after)).toHaveLength(1)
    expect(wallet(after).account).toBe(alice.did)
  })

  it('cannot leave out what a block answers', () => {
    const bare = (past: readonly ChainEntry[]): ChainEntry[] =>
      past.map((entry) => ({ ...entry, answers: null }))
    const { after } = afterMeeting((past) => keeper(bare(past)), false)
    expect(wallet(after).balance).toBe(0)
    // Her signatures prove that there was more: to begin anew would be a second history.
    expect(codes(after)).toEqual(['own-chain-incomplete'])
  })

  it('cannot shorten it where somebody honest is: the longest counts', () => {
    const { after, past, place, bobs } = afterMeeting(
      (all) => keeper(all.slice(0, 3), 1_000_000),
      true,
    )
    expect(chainOf(after)).toHaveLength(past.length)
    ask(place, bobs)
    conserved(place, after, bobs)
  })

  it('cannot hold it up by claiming to have all of it and saying nothing', () => {
    const { after, past } = afterMeeting(() => (head) => keeper([], 2 ** 40)(head), true)
    expect(chainOf(after)).toHaveLength(past.length)
  })

  it('gets no more of alice’s time by claiming it again and again', () => {
    const claim: Head = { k: 'tip', account: alice.did, seq: 2 ** 40, cid: null }
    const { after, past, mallorys } = afterMeeting(() => () => [claim], true)
    expect(chainOf(after)).toHaveLength(past.length)
    const asked = (head: Head): head is HeadOf<'tip'> =>
      head.k === 'tip' && head.account === alice.did
    expect(mallorys.heard.filter(asked)).toHaveLength(1)
  })
})

describe('alice', () => {
  it('is told in words when two devices have used her key', () => {
    const { place, bobs, bobsDisk, past } = aliceIsGone()
    bobs.leave()
    forget(bobsDisk)
    const forgetful = place.moveIn(bob, bobsDisk, true)
    const other = place.moveIn(alice, newDisk(), true)
    place.run(20_000)
    ask(place, forgetful)
    expect(codes(other)).toEqual([])
    const carols = place.stranger(carol, keeper(past))
    place.connect(carols.self, other.self)
    place.run(1_000)
    expect(codes(other)).toEqual(['own-fork'])
    expect(codes(forgetful)).toEqual([])
  })

  it('signs nothing while she knows of blocks of hers that nobody can show', () => {
    const { place, bobs, bobsDisk, past, earned } = aliceIsGone()
    bobs.leave()
    const newest = (head: Head): Head[] =>
      keeper(past)(head).map((said) =>
        said.k === 'blocks' ? { ...said, blocks: past.slice(-1) } : said,
      )
    place.stranger(carol, newest)
    const after = place.moveIn(alice, newDisk(), true)
    place.run(RECALL_LIMITS.waitMs)
    expect(after.started()).toBe(true)
    expect(codes(after)).toEqual(['own-chain-incomplete'])
    expect(chainOf(after)).toEqual([])
    const again = place.moveIn(bob, bobsDisk, true)
    place.run(5_000)
    ask(place, again)
    expect(codes(after)).toEqual([])
    expect(wallet(after).balance).toBe(2 * earned)
    conserved(place, after, again)
  })
})

import { describe, expect, it } from 'vitest'
import { kernelById } from '../../kernels/index.ts'
import { alice, bob, carol, dave } from '../../test/people.ts'
import { job, mandelbrot, planned } from '../../test/plan-jobs.ts'
import { newDisk, SUPPLY, town, type Resident, type Town } from '../../test/town.ts'
import type { JobId } from '../base/ids.ts'
import { bytes as byteCount, flop, microCredits } from '../base/units.ts'
import { debit, openBlock } from '../core/ledger/append.ts'
import type { Block } from '../core/ledger/block.ts'
import { receiptFor } from '../core/receipt.ts'
import { SERVE_LIMITS } from '../core/serve.ts'
import { cidOf } from '../wire/codec.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { nameOf } from '../wire/signed.ts'
import { hourOf } from './books-on-disk.ts'
import { taskIdOf } from './running-job.ts'

const picture = job(mandelbrot(16, 16), {}, { tile: 16 })
const task = planned(picture).tasks[0]!
const { params } = task
const kernel = kernelById(task.kernel)!
const id = cidOf(picture) as JobId
const price = task.microCredits
/** 2026-11-20, as in the town. */
const HOUR = hourOf(1_795_132_800_000)

const balance = (who: Resident): number => who.peer.handle.view().wallet.balance

/** Alice does everything by hand: she offers the same task as often as she likes, and pays as she likes. */
const byHand = () => {
  const place = town(alice)
  const bobs = place.moveIn(bob, newDisk(), false)
  const hand = place.stranger(alice, () => [])
  place.run(5_000)
  place.connect(hand.self, bobs.self)
  place.run(1_000)
  const say = (head: Head): void => {
    hand.say(bobs.self, head)
    place.run(1_000)
  }
  const heard = <K extends Head['k']>(k: K): HeadOf<K>[] =>
    hand.heard.filter((head): head is HeadOf<K> => head.k === k)
  const seal = (body: Block) => ({ body, sig: place.sign(alice, body) })
  const open = openBlock(place.swarm, alice.did, 0)
  let leases = 0
  say({ k: 'blocks', blocks: [{ block: seal(open), answers: null }] })
  return {
    bobs,
    open,
    heard,
    say,
    seal,
    /** A result, if bob gives one, under a lease of a new number or of this one. */
    result(
      lease = leases + 1,
      microCredits: number = price,
    ): { lease: number; attempt: number; output: HeadOf<'result'>['output'] } | null {
      const attempt = ++leases
      const { kernel: name } = task
      const asked = { task: taskIdOf(id, task), kernel: name, params: { ...params } }
      const head = { lease, job: id, attempt, title: 't', reads: [], microCredits }
      const before = heard('commit').length
      say({ k: 'offer', ...head, ...asked, deadlineMs: 60_000 } as Head)
      if (heard('commit').length === before) return null
      say({ k: 'reveal', lease })
      const { output } = heard('result').findLast((each) => each.lease === lease)!
      return { lease, attempt, output }
    },
    /** Pays for a result with the next block of a chain, which is given back. */
    pay(
      after: Block,
      {
        lease,
        attempt,
        output,
      }: { lease: number; attempt: number; output: HeadOf<'result'>['output'] },
      hour = HOUR,
    ): Block {
      const parsed = kernel.parse(params)
      if (!parsed.ok) throw new Error(parsed.error.param)
      const work = {
        flop: flop(kernel.costFlop(parsed.value)),
        bytes: byteCount(kernel.costBytes(parsed.value)),
      }
      const said = { swarm: place.swarm.cid, job: id, task: taskIdOf(id, task), kernel: kernel.id }
      const both = { requester: alice.did, worker: bob.did, inputs: [], price: microCredits(price) }
      const body = receiptFor({ ...said, ...both, ...work, attempt, output, hour }, 'bit-equality')
      const tip = { cid: nameOf(after), block: after }
      const cheque = debit(tip, bob.did, microCredits(price), nameOf(body), hour)
      if (!cheque.ok) throw new Error(cheque.error.code)
      const receipt = { body, requesterSig: place.sign(alice, body), workerSig: null }
      say({ k: 'settle', lease, receipt, debit: seal(cheque.value) })
      return cheque.value
    },
  }
}

describe('bob, who worked for alice,', () => {
  it('is paid whatever her clock says: it may have jumped by a day since they met', () => {
    const { bobs, open, result, pay } = byHand()
    let tip = open
    for (const hour of [HOUR + 2, HOUR + 24, HOUR - 24]) tip = pay(tip, result()!, hour)
    expect(balance(bobs)).toBe(3 * price)
  })

  it('takes no cheque of hers any more once she has written two histories', () => {
    const { bobs, open, result, pay, seal, say } = byHand()
    const [first, second] = [result()!, result()!]
    const tip = pay(open, first)
    expect(balance(bobs)).toBe(price)
    const other = debit({ cid: nameOf(open), block: open }, carol.did, microCredits(1), id, 0)
    if (!other.ok) throw new Error(other.error.code)
    say({ k: 'blocks', blocks: [{ block: seal(other.value), answers: null }] })
    pay(tip, second)
    expect(balance(bobs)).toBe(price)
  })

  it('gives her no more than what she may owe him, though she says that all of it is wrong', () => {
    const { say, result } = byHand()
    let given = 0
    for (let i = 0; i < 2 * SERVE_LIMITS.unpaidPerRequester; i++) {
      const each = result()
      if (!each) break
      given += 1
      say({ k: 'reject', lease: each.lease, code: 'no' })
    }
    // He trusts her half as much each time: eight more, then four, then two, and three are owed.
    expect(given).toBe(3)
  })

  it('works for her as much as before once she has paid a while', () => {
    const { say, result, pay, open } = byHand()
    const each = result()!
    say({ k: 'reject', lease: each.lease, code: 'no' })
    let tip = pay(open, each)
    for (let i = 0; i < 8; i++) tip = pay(tip, result()!)
    const given = Array.from({ length: 20 }, () => result()).filter((one) => one !== null)
    expect(given).toHaveLength(SERVE_LIMITS.unpaidPerRequester)
  })

  it('tells nobody of a rejection by somebody whom he gave nothing', () => {
    const { bobs, say } = byHand()
    say({ k: 'reject', lease: 7, code: 'you have been hacked' })
    expect(bobs.peer.handle.view().problems).toEqual([])
  })

  it.each([
    ['', price],
    [' for nothing', 0],
  ])(
    'takes no lease by the number of one that she has not paid, not even one done%s',
    (_, first) => {
      const { say, heard, result } = byHand()
      const { lease } = result(7, first)!
      if (first > 0) say({ k: 'reject', lease, code: 'no' })
      expect(result(7)).toBeNull()
      expect(heard('refuse')).toEqual([{ k: 'refuse', lease, code: 'bad-task' }])
    },
  )

  it('takes no offer that pays more than the formula', () => {
    const { heard, result } = byHand()
    expect(result(1, price + 1)).toBeNull()
    expect(heard('refuse')).toEqual([{ k: 'refuse', lease: 1, code: 'price-too-high' }])
  })

  it('takes a number again once the lease of that number is paid', () => {
    const { result, pay, open } = byHand()
    pay(open, result(7)!)
    expect(result(7)).not.toBeNull()
  })

  it('still takes the money for what she called wrong', () => {
    const { bobs, say, result, pay, open } = byHand()
    const each = result()!
    say({ k: 'reject', lease: each.lease, code: 'no' })
    pay(open, each)
    expect(balance(bobs)).toBe(price)
  })

  it('asks for what he has not seen of her chain, and only so often', () => {
    const { open, seal, say, heard } = byHand()
    const next = (after: Block): Block => {
      const made = debit({ cid: nameOf(after), block: after }, carol.did, microCredits(1), id, 0)
      if (!made.ok) throw new Error(made.error.code)
      return made.value
    }
    const before = heard('tip').length
    const late = { block: seal(next(next(open))), answers: null }
    for (let i = 0; i < 40; i++) say({ k: 'blocks', blocks: [late] })
    expect(heard('tip').at(-1)).toMatchObject({ account: alice.did, seq: 1 })
    expect(heard('tip').length - before).toBe(16)
  })
})

let jobs = 0
/** `who` pays whoever else is there for a picture. */
const ask = (place: Town, who: Resident, width: number): string | undefined => {
  const name = `hop ${jobs++}`
  const paid = { name, budget: microCredits(100_000), tile: 16 }
  who.peer.handle.submit(job(mandelbrot(width, 16), {}, paid), name, {})
  place.run(60_000)
  return who.peer.handle.view().jobs.find(({ title }) => title === name)?.state
}

describe('money', () => {
  it('that came from alice over bob can be spent by carol with dave, who has met none of them', () => {
    const place = town(alice)
    const alices = place.moveIn(alice, newDisk(), false)
    const bobs = place.moveIn(bob, newDisk(), false)
    place.run(10_000)
    expect(ask(place, alices, 128)).toBe('done')
    alices.leave()
    const carols = place.moveIn(carol, newDisk(), false)
    place.run(10_000)
    expect(ask(place, bobs, 64)).toBe('done')
    bobs.leave()
    const daves = place.moveIn(dave, newDisk(), false)
    daves.peer.handle.setLimits({ ...daves.peer.handle.limits(), freeTier: false })
    place.run(10_000)
    expect(ask(place, carols, 32)).toBe('done')
    expect(balance(daves)).toBeGreaterThan(0)
    const all = [alices, bobs, carols, daves].reduce((sum, who) => sum + balance(who), 0)
    expect(all).toBe(SUPPLY)
  })
})

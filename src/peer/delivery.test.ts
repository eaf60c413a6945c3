import { describe, expect, it } from 'vitest'
import { alice, bob } from '../../test/people.ts'
import { job, mandelbrot, planned } from '../../test/plan-jobs.ts'
import { newDisk, town } from '../../test/town.ts'
import { cidOf } from '../wire/codec.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { commitment } from './commitment.ts'
import { taskIdOf } from './running-job.ts'
import type { JobId } from '../base/ids.ts'

const picture = job(mandelbrot(16, 16), {}, { tile: 16 })
const { kernel, params, ...rest } = planned(picture).tasks[0]!
const id = cidOf(picture) as JobId
const task = taskIdOf(id, { kernel, params, ...rest })
const offer: HeadOf<'offer'> = {
  k: 'offer',
  lease: 1,
  job: id,
  task,
  attempt: 1,
  title: 'a picture',
  kernel,
  params: { ...params } as HeadOf<'offer'>['params'],
  reads: [],
  microCredits: 0,
  deadlineMs: 60_000,
}

/** Alice asks bob for a picture by hand, and says nothing more until the test does. */
const asked = () => {
  const place = town(alice)
  const disk = newDisk()
  const bobs = place.moveIn(bob, disk, false)
  const hand = place.stranger(alice, (head) => (head.k === 'hello' ? [offer] : []))
  place.run(5_000)
  place.connect(hand.self, bobs.self)
  place.run(1_000)
  const heard = <K extends Head['k']>(k: K): HeadOf<K>[] =>
    hand.heard.filter((head): head is HeadOf<K> => head.k === k)
  return {
    heard,
    owed: (): string[] => [...disk.keys()].filter((key) => key.startsWith('meta owed/')),
    say(head: Head): void {
      hand.say(bobs.self, head)
      place.run(1_000)
    },
  }
}

describe('a result that bob has', () => {
  it('stays with him until alice has his commitment and asks for it', () => {
    const { heard, say } = asked()
    expect(heard('commit')).toHaveLength(1)
    expect(heard('result')).toEqual([])
    say({ k: 'reveal', lease: 1 })
    const [result] = heard('result')
    const bound = commitment(task, bob.did, result!.salt, result!.output)
    expect(heard('commit')[0]!.commitment).toEqual(bound)
  })

  it('is owed for on his disk before he is asked for it', () => {
    const { heard, owed } = asked()
    expect(owed()).toHaveLength(1)
    expect(heard('result')).toEqual([])
  })

  it('is owed for no more once alice has changed her mind, and does not leave either', () => {
    const { heard, owed, say } = asked()
    say({ k: 'cancel', lease: 1 })
    expect(owed()).toEqual([])
    say({ k: 'reveal', lease: 1 })
    expect(heard('result')).toEqual([])
  })

  it('leaves once, however often alice asks', () => {
    const { heard, say } = asked()
    say({ k: 'reveal', lease: 1 })
    say({ k: 'reveal', lease: 1 })
    expect(heard('result')).toHaveLength(1)
  })
})

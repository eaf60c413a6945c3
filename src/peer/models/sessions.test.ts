import { expect, it } from 'vitest'
import { alice, bob, carol, dave } from '../../../test/people.ts'
import { newDisk, town, type Resident, type Town } from '../../../test/town.ts'
import { PROMPT, tokensAlone, virtualSource, virtualTalk } from '../../../test/virtual-talk.ts'

const gather = (): { swarm: Town; asker: Resident; lenders: Resident[] } => {
  const swarm = town(dave)
  const lenders = [alice, bob, carol].map((who) => swarm.moveIn(who, newDisk(), false))
  swarm.run(3_000)
  const asker = swarm.moveIn(dave, newDisk(), false)
  swarm.run(3_000)
  return { swarm, asker, lenders }
}
const viewOf = ({ peer }: Resident) => peer.handle.view()
const sessionOf = (who: Resident) => viewOf(who).sessions[0]!

it('a model runs over three nodes and answers what it answers alone', () => {
  const { swarm, asker, lenders } = gather()
  const source = virtualSource()
  const talk = virtualTalk(source)
  asker.peer.handle.talk(talk)
  swarm.run(60_000)
  expect(talk.heard.end).toBeNull()
  expect(talk.heard.ids).toEqual(tokensAlone(source, PROMPT, 40))
  const { stages, spent } = sessionOf(asker)
  expect(stages.map(({ from, to }) => to - from)).toEqual([2, 2, 2])
  expect(new Set(stages.map(({ node }) => node)).size).toBe(3)
  // Everybody was paid for what they did, and it was looked at before.
  for (const { paid, microCredits } of stages) expect(paid).toBe(microCredits)
  expect(stages.some(({ audited }) => audited > 0)).toBe(true)
  const earned = lenders.map((each) => viewOf(each).wallet.balance)
  expect(earned.every((balance) => balance > 0)).toBe(true)
  expect(earned.reduce((sum, each) => sum + each, 0)).toBe(spent)
})

/** Some nodes that lend, one that asks them for talks, and ways to bend what a node answers. */
import type { Desk } from '../src/peer/desk.ts'
import type { Head } from '../src/wire/messages.ts'
import { alice, bob, carol, dave, type Person } from './people.ts'
import { newDisk, town, type Resident, type Town } from './town.ts'
import { PROMPT, tokensAlone, virtualSource, type Heard } from './virtual-talk.ts'

export type Bend = (desk: Desk) => Desk
export type Scene = {
  swarm: Town
  asker: Resident
  lenders: Resident[]
  source: ReturnType<typeof virtualSource>
}

export const gather = (
  people: readonly (Person | readonly [Person, Bend, number?])[] = [alice, bob, carol],
  bendAsker: Bend = (desk) => desk,
): Scene => {
  const swarm = town(dave)
  const lenders = people.map((each) => {
    const [who, bend, flopPerSecond] = 'name' in each ? [each, (desk: Desk) => desk] : each
    return swarm.moveIn(who, newDisk(), false, bend, flopPerSecond)
  })
  swarm.run(3_000)
  const asker = swarm.moveIn(dave, newDisk(), false, bendAsker)
  swarm.run(3_000)
  return { swarm, asker, lenders, source: virtualSource() }
}
export const viewOf = ({ peer }: Resident) => peer.handle.view()
export const sessionOf = (who: Resident) => viewOf(who).sessions[0]!
export const expected = ({ source }: Scene): number[] => tokensAlone(source, PROMPT, 40)
export const runUntil = ({ swarm }: Scene, holds: () => boolean, limitMs = 60_000): void => {
  for (let at = 0; at < limitMs && !holds(); at += 5) swarm.run(5)
  if (!holds()) throw new Error('it did not come to that')
}
export const atToken = (scene: Scene, heard: Heard, count: number): void =>
  runUntil(scene, () => heard.ids.length >= count)
export const holderOf = ({ asker, lenders }: Scene, stage: number): Resident =>
  lenders.find(({ person }) => person.did === sessionOf(asker).stages[stage]!.node)!

/** Every answer from some place of the talk on is a little off. */
export const lies =
  (from: number): Bend =>
  (desk) => ({
    ...desk,
    stepStage: (step, share, then) =>
      desk.stepStage(step, share, (done) => {
        if (done.ok && step.at + step.count > from) {
          const rows = new Float32Array(done.value.output.buffer)
          rows[0]! += 0.5
        }
        then(done)
      }),
  })

/** Each feed takes so long. */
export const takes =
  (computeMs: number): Bend =>
  (desk) => ({
    ...desk,
    stepStage: (step, share, then) =>
      desk.stepStage(step, share, (done) =>
        then(done.ok ? { ...done, value: { ...done.value, computeMs } } : done),
      ),
  })

/** Says something else than it would. */
export const says =
  (
    say: (
      send: (head: Head, body: Uint8Array | null) => void,
      head: Head,
      body: Uint8Array | null,
    ) => void,
  ): Bend =>
  (desk) => ({
    ...desk,
    send: (to, head, body) => say((h, b) => desk.send(to, h, b), head, body),
  })

import { expect, it } from 'vitest'
import type { Joined } from '../boot/join.ts'
import { runSpec } from './run.ts'

it('a spec that asks a language model is refused with the name of what does that', async () => {
  const story = '---\nswarm: 1\nname: story\nrun: generate\n---\n'
  // Nothing of the swarm is touched before the spec is read.
  const asked = runSpec({} as Joined, new Map(), story, {}, {})
  await expect(asked).rejects.toMatchObject({
    code: 'bad-spec',
    message: 'spec: `run: generate` asks a language model: swarm.generate does that',
  })
})

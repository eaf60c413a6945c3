import { describe, expect, it } from 'vitest'
import { microCredits } from '../base/units.ts'
import { parseSets } from './override.ts'
import { formatSpecErrors } from './spec-error.ts'
import { parseSpec } from './spec.ts'
import { isTalk, parseTalk, talkJob, type TalkSpec } from './talk.ts'

const file = (params: string, rest = ''): string =>
  `---\nswarm: 1\nname: story\nrun: generate\n${params}${rest}---\n`
const overridesOf = (...sets: string[]) => {
  const read = parseSets(sets)
  if (!read.ok) throw new Error(formatSpecErrors(read.error))
  return read.value
}
const talk = (text: string, ...sets: string[]): TalkSpec => {
  const read = parseTalk(text, 'a.swarm.md', overridesOf(...sets))
  if (!read.ok) throw new Error(formatSpecErrors(read.error))
  return read.value
}
const wrong = (text: string, ...sets: string[]): string => {
  const read = parseTalk(text, 'a.swarm.md', overridesOf(...sets))
  return read.ok ? 'nothing is wrong' : formatSpecErrors(read.error)
}

describe('a spec for a language model', () => {
  it('is told from others by what it runs', () => {
    expect(isTalk(file(''))).toBe(true)
    expect(isTalk('---\nswarm: 1\nname: a\nrun: sum\n---\n')).toBe(false)
    expect(isTalk('no spec at all')).toBe(false)
  })

  it('needs nothing but its name: the likeliest 64 tokens, for free', () => {
    expect(talk(file(''))).toMatchObject({
      ...{ model: '', prompt: '', tokens: 64, seed: 0, stages: 0, budget: 0, title: 'story' },
      sampling: { temperature: 0, topK: 0, topP: 1 },
    })
  })

  it('takes everything from the command line', () => {
    const sets = ['model=models/a b.gguf', 'prompt=Once, a = b', 'tokens=7', 'sampling=greedy']
    expect(talk(file('params: { tokens: 3 }\n'), ...sets, 'stages=3', 'budget=2')).toMatchObject({
      ...{ model: 'models/a b.gguf', prompt: 'Once, a = b', tokens: 7, stages: 3 },
      budget: 2_000_000,
    })
  })

  it('takes an empty prompt, and one that looks like a number', () => {
    expect(talk(file(''), 'prompt=').prompt).toBe('')
    expect(talk(file(''), 'prompt=42').prompt).toBe('42')
  })

  it('says how tokens are drawn in one line, or in fields, or in both', () => {
    const drawn = { temperature: 0.8, topK: 40, topP: 0.95 }
    expect(talk(file(''), 'sampling=temperature=0.8,top-k=40,top-p=0.95').sampling).toEqual(drawn)
    expect(talk(file('params: { temperature: 0.8, top-k: 40, top-p: 0.95 }\n')).sampling).toEqual(
      drawn,
    )
    const inFile = 'params:\n  sampling: { temperature: 0.8, top-k: 40, top-p: 0.95 }\n'
    expect(talk(file(inFile)).sampling).toEqual(drawn)
    expect(talk(file(inFile), 'temperature=0').sampling).toEqual({ ...drawn, temperature: 0 })
  })

  it('is told what is wrong with file, line and field', () => {
    expect(wrong(file('params: { tokens: 0 }\n'))).toBe(
      'a.swarm.md:5: params.tokens: expected a whole number from 1 to 1000000, found 0',
    )
    for (const sampling of ['hot', 'temperature=101', 'top-p=0', 'top-k=1.5', 'top-k=1,top-k=2'])
      expect(wrong(file(''), `sampling=${sampling}`), sampling).toContain(
        'params.sampling: expected "greedy", or such as "temperature=0.8,top-k=40,top-p=0.95"',
      )
    expect(wrong(file(''), 'seed=-1')).toContain('params.seed: expected a whole number from 0')
    expect(wrong(file(''), 'promt=x')).toContain('(did you mean prompt?)')
    expect(wrong(file('', 'redundancy: 2\n'))).toContain(
      'a.swarm.md:5: redundancy: expected one of',
    )
    expect(wrong(`${file('')}\n\`\`\`json #test\n{}\n\`\`\`\n`)).toContain(
      'a.swarm.md:7: fence #test',
    )
  })

  it('is refused by who wants tasks, and tasks by who wants a talk', () => {
    const read = parseSpec(file(''), 'a.swarm.md')
    expect(read.ok ? 'read' : formatSpecErrors(read.error)).toBe(
      'a.swarm.md:4: run: expected a job that is cut into tasks, found generate',
    )
    expect(wrong('---\nswarm: 1\nname: a\nrun: sum\n---\n')).toContain('run: expected generate')
  })

  it('is the same contract wherever the model lies, and another with another prompt', () => {
    const { cid } = talk(file(''), 'model=a.gguf')
    expect(talk(file(''), 'model=b.gguf').cid).toBe(cid)
    expect(talk(file(''), 'sampling=temperature=0').cid).toBe(cid)
    expect(talk(file(''), 'prompt=x').cid).not.toBe(cid)
  })
})

describe('the name of a talk', () => {
  const asked = {
    model: { name: 'tiny', root: new Uint8Array(32) },
    promptIds: [1, 403],
    tokens: 8,
    sampling: { temperature: 0.8, topK: 40, topP: 0.95 },
    seed: 7,
    budget: microCredits(0),
  }
  it('is that of the model, the prompt, and how tokens are drawn', () => {
    const job = talkJob(asked)
    expect(talkJob({ ...asked })).toBe(job)
    const others = [
      { seed: 8 },
      { tokens: 9 },
      { promptIds: [1, 404] },
      { sampling: { ...asked.sampling, topP: 0.9 } },
      { model: { name: 'tiny', root: new Uint8Array(32).fill(1) } },
    ]
    for (const other of others) expect(talkJob({ ...asked, ...other })).not.toBe(job)
  })
})

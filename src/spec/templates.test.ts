import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { plan } from '../core/plan.ts'
import { cidOf } from '../wire/codec.ts'
import { compile } from './compile.ts'
import { wantedInputs } from './inputs.ts'
import { runPreflight } from './preflight.ts'
import { parseSpec, type Spec } from './spec.ts'
import { isTalk, parseTalk } from './talk.ts'

const folder = new URL('../../public/jobs/', import.meta.url)
const textOf = (name: string): Buffer => readFileSync(new URL(name, folder))
const all = readdirSync(folder).filter((name) => name.endsWith('.swarm.md'))
const files = all.filter((name) => !isTalk(textOf(name)))
const read = (name: string): Spec => {
  const spec = parseSpec(textOf(name), name)
  if (!spec.ok) throw new Error(JSON.stringify(spec.error))
  return spec.value
}

describe('the job templates', () => {
  it('are one for each program', () => {
    expect(files.map((name) => read(name).program.kind).toSorted()).toEqual([
      'graph',
      'image',
      'mandelbrot',
      'map',
      'matmul',
      'sum',
      'wgsl',
    ])
  })

  it('have one that asks a language model, and no model in it', () => {
    const talks = all.filter((name) => !files.includes(name))
    expect(talks).toEqual(['story.swarm.md'])
    expect(parseTalk(textOf('story.swarm.md'), 'story.swarm.md')).toMatchObject({
      ok: true,
      value: { model: '', prompt: 'Once upon a time', tokens: 64 },
    })
  })

  it.each(files)('%s passes its own tests, and has some if it can', (name) => {
    const results = runPreflight(read(name))
    // Nothing but a GPU can run a shader.
    if (read(name).program.kind !== 'wgsl') expect(results.length).toBeGreaterThan(0)
    expect(results.filter((result) => !result.ok)).toEqual([])
  })

  it.each(files)('%s becomes a plan of tens of tasks that its budget pays for', (name) => {
    const spec = read(name)
    // Nothing but a photo has to be brought.
    const inputs = wantedInputs(spec).map((wanted) => {
      const shape = wanted.kind === 'image' ? [1536, 2048, 4] : wanted.shape
      expect(wanted.fromFile).toBe(wanted.kind === 'image')
      return [wanted.name, { cid: cidOf(wanted.name), dtype: wanted.dtype, shape }] as const
    })
    const job = compile(spec, Object.fromEntries(inputs))
    if (!job.ok) throw new Error(JSON.stringify(job.error))
    const planned = plan(job.value)
    if (!planned.ok) throw new Error(JSON.stringify(planned.error))
    expect(planned.value.tasks.length).toBeGreaterThanOrEqual(9)
    expect(planned.value.tasks.length).toBeLessThanOrEqual(96)
    expect(planned.value.totals.microCredits * spec.redundancy).toBeLessThanOrEqual(spec.budget)
  })
})

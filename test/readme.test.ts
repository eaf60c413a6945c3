/** What the README says of specs is what a spec takes, all of it. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FUNCTIONS, OPERATORS } from '../kernels/map-operations.ts'
import { parseMapProgram } from '../kernels/map-program.ts'
import { root } from '../relay/local-node.mjs'
import { INPUT_KINDS, outputRules, paramNames, RUNS } from '../src/spec/program.ts'
import { parseSpec } from '../src/spec/spec.ts'

const readme = readFileSync(`${root}README.md`, 'utf8')
const [, section = ''] = readme.split('## A spec\n')
const [spec = ''] = section.split('\n## ')

const codes = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
const rows = spec
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').slice(1, -1))

describe('the README', () => {
  it('names every program with all its parameters, and nothing else', () => {
    const said = rows.slice(1).map(([run, params]) => [codes(run!)[0], codes(params!)])
    expect(said).toEqual(RUNS.map((run) => [run, [...paramNames(run)]]))
  })

  it('names every kind of input and every format of output', () => {
    const [, kinds = ''] = /An input has a `kind`: ([^.]*)\./.exec(spec) ?? []
    expect(new Set(codes(kinds))).toEqual(new Set([...INPUT_KINDS, 'seed']))
    const formats = RUNS.flatMap((run) => Object.values(outputRules(run)).flatMap((o) => o.formats))
    const [, named = ''] = /`outputs\.NAME\.format`, which is ([^.]*)\./.exec(spec) ?? []
    expect(new Set(codes(named))).toEqual(new Set(formats))
  })

  it('leads to a page that names every word of a formula', () => {
    const page = readFileSync(`${root}docs/specs.md`, 'utf8').replaceAll('\\|', '|')
    const [, formulas = ''] = /## Formulas[^]*?\n\n(\| what [^]*?)\n\n/.exec(page) ?? []
    expect(new Set(codes(formulas))).toEqual(
      new Set([...OPERATORS.keys(), '!', 'select', ...FUNCTIONS.keys()]),
    )
  })

  it('names settings that a spec takes', () => {
    const [, rest = ''] = /The rest: ([\s\S]*?), and `outputs/.exec(spec) ?? []
    const values: Record<string, string> = {
      redundancy: '5',
      deadline: '24h',
      budget: 'free',
      privacy: 'trusted',
      tile: '64',
      'needs.adapter': 'webgpu',
      'needs.memory': '1 GiB',
    }
    expect(codes(rest)).toEqual(Object.keys(values))
    const text = '---\nswarm: 1\nname: a\nrun: mandelbrot\n---\n'
    expect(parseSpec(text, 'a.swarm.md', values)).toMatchObject({ ok: true })
  })

  it('shows a spec that is one', () => {
    const [, text = ''] = /````markdown\n([\s\S]*?)````/.exec(spec) ?? []
    const parsed = parseSpec(text, 'readme')
    expect(parsed).toMatchObject({ ok: true, value: { name: 'squares' } })
    const program = parsed.ok && parsed.value.program.kind === 'map' ? parsed.value.program : null
    expect(parseMapProgram(program?.program ?? '')).toMatchObject({ ok: true })
  })
})

/** Specs of the templates, changed by chance: each is read or refused in words, and never thrown over. */
import { readdirSync, readFileSync } from 'node:fs'
import { prng } from '../src/base/prng.ts'
import { plan } from '../src/core/plan.ts'
import { cidOf } from '../src/wire/codec.ts'
import { compile } from '../src/spec/compile.ts'
import { wantedInputs } from '../src/spec/inputs.ts'
import { parseSpec } from '../src/spec/spec.ts'
import { isTalk, parseTalk } from '../src/spec/talk.ts'

const folder = new URL('../public/jobs/', import.meta.url)
const templates = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))
/** Front matter and fences without comments: elsewhere most mutations would miss. */
const bare = templates.map((text) => {
  const [, front = ''] = text.split(/^---$/m)
  const fences = text.match(/^```\w+ #[\s\S]*?^```$/gm) ?? []
  return `---${front.replace(/ +#.*$/gm, '')}---\n${fences.join('\n').replace(/^ +/gm, '')}\n`
})
const words = [
  '---',
  '\n---\n',
  '```',
  '```json #a when=preflight\n',
  '```map #main\n',
  '```wgsl #main\n',
  '~~~',
  '<!--',
  '-->',
  ':',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '\t',
  '  ',
  '\n',
  '\r',
  '"',
  "'",
  '&a ',
  '*a',
  '!!binary ',
  '<<: ',
  '? ',
  '|',
  '>',
  '%YAML 1.1',
  '#',
  'null',
  'true',
  '-1',
  '1e999',
  '0x1F',
  '99999999999999999999',
  '.nan',
  '-.inf',
  '__proto__: 1',
  'constructor: {}',
  'x-y: ',
  'run: wgsl',
  'run: sum',
  'params:',
  '\u0000',
  '\ud800',
  '\u2028',
  'bafyreihge7rhjoiruyvtbxg47zbq6ydcqjxptjpejf4nzkiqxcxdp5iq4e',
  `b${'a'.repeat(58)}`,
  '💥',
  'é',
  '[[[[[[[[[[[[[[[[',
  '{{{{{{{{',
  'y',
  'i',
]

const mutate = (seed: number): string => {
  const { below } = prng([seed, 0x5bec])
  let text = bare[below(bare.length)]!
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(text.length + 1)
    const length = below(12)
    const kind = below(5)
    if (kind === 0) text = text.slice(0, at) + text.slice(at + length)
    else if (kind === 1) text = text.slice(0, at) + words[below(words.length)]! + text.slice(at)
    else if (kind === 2)
      text = text.slice(0, at) + words[below(words.length)]! + text.slice(at + length)
    else if (kind === 3)
      text =
        text.slice(0, at) + String.fromCharCode(below(below(2) ? 128 : 65_536)) + text.slice(at + 1)
    else {
      const from = below(text.length)
      text = text.slice(0, at) + text.slice(from, from + length * 8) + text.slice(at)
    }
  }
  return text
}

export type Mutants = {
  /** How often each code was said, `ok` among them. */
  readonly codes: ReadonlyMap<string, number>
  /** Refusals that help nobody. */
  readonly troubles: readonly string[]
}

/** Reads, compiles and now and then plans the mutants of these seeds. */
export const readMutants = (from: number, to: number): Mutants => {
  const codes = new Map<string, number>()
  const troubles: string[] = []
  for (let seed = from; seed < to; seed++) {
    const mutant = mutate(seed)
    const talk = isTalk(mutant) ? parseTalk(mutant, 'mutant.swarm.md') : null
    const parsed = talk ?? parseSpec(mutant, 'mutant.swarm.md')
    const code = parsed.ok ? 'ok' : parsed.error[0]!.code
    codes.set(code, (codes.get(code) ?? 0) + 1)
    if (!parsed.ok) {
      const { text, line, found, expected } = parsed.error[0]!
      const told = text.length > 0 && line >= 0 && found.length > 0 && expected.length > 0
      if (!told || text.length > 700) troubles.push(`seed ${seed}: ${text}`)
      continue
    }
    if (!('program' in parsed.value)) continue
    const inputs = wantedInputs(parsed.value).map(({ name, dtype, shape }) => {
      return [name, { cid: cidOf(name), dtype, shape: shape.map((n) => n || 7) }] as const
    })
    const job = compile(parsed.value, Object.fromEntries(inputs))
    if (job.ok && seed % 64 === 0) plan(job.value)
  }
  return { codes, troubles }
}

/** `swarm run` of a spec that asks a language model: what it says before anybody is asked, and one text over tabs. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { foundSwarm } from '../../relay/found-swarm.ts'
import { root } from '../../relay/local-node.mjs'
import type { TalkPlan } from '../../relay/talk-plan.ts'
import type { TalkReport } from '../../relay/talk-report.ts'
import { MADE, madeModel } from '../models/made-model.ts'
import { relayFor } from './rig.ts'

type Ended = { readonly code: number | null; readonly out: string; readonly said: string }

const folder = mkdtempSync(join(tmpdir(), 'swarm-talk-'))
const story = join(root, 'public/jobs/story.swarm.md')
const model = join(folder, 'plain')
const free = join(folder, 'free')
const children: ChildProcess[] = []

const swarm = (command: string, ...words: string[]): Promise<Ended> => {
  const child = spawn(process.execPath, [join(root, 'relay/cli.ts'), command, ...words], {
    cwd: folder,
    env: { ...process.env, SWARM_LOOPBACK_ONLY: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let [out, said] = ['', '']
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (said += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, said })))
}
const run = (...words: string[]): Promise<Ended> => swarm('run', story, ...words)
const read = <T>(file: string): T => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T

/** With tokens in words of its own, so that any text has some. */
const write = async (to: string, license: string): Promise<void> => {
  mkdirSync(to)
  const config = { ...MADE, num_hidden_layers: 6, max_position_embeddings: 128 }
  for (const file of madeModel(config, { layout: 'hf', types: ['F32'], seed: 5 }).files) {
    const bytes = await file.read(0, file.size)
    if (bytes.ok) writeFileSync(join(to, file.name), bytes.value)
  }
  writeFileSync(join(to, 'README.md'), `---\nlicense: ${license}\n---\n\n# A model\n`)
}

beforeAll(async () => {
  await write(model, 'proprietary')
  await write(free, 'mit')
})
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

describe('swarm run, with a language model', () => {
  it('says file, line and field of what cannot be asked, and ends with 2', async () => {
    const cases: [string[], RegExp][] = [
      [[], /story\.swarm\.md:6: params\.model: expected a GGUF file or a folder/],
      [['--set', 'model=nowhere'], /params\.model: .* nowhere: there is no such/],
      [
        ['--set', `model=${folder}`],
        /params\.model: expected a language model, found .*: there is no config\.json, nor a GGUF file/,
      ],
      [
        ['--set', `model=${model}`, '--set', `prompt=${'long '.repeat(50)}`],
        /story\.swarm\.md:7: params\.prompt: .*the model takes 128 \(prompt-too-long\)/,
      ],
      [['--set', `model=${model}`, '--set', 'prompt='], /\(empty-prompt\)/],
      [['--set', 'sampling=hot'], /--set sampling=hot: params\.sampling: expected "greedy", or/],
      [['--set', `model=${model}`, '--input', 'x=y'], /--input x: this spec has the input model/],
    ]
    const ends = await Promise.all(cases.map(([words]) => run(...words, '--dry-run')))
    for (const [i, { code, said }] of ends.entries()) {
      expect(said).toMatch(cases[i]![1])
      expect(code).toBe(2)
    }
  })

  it('is named where another command is asked for it', async () => {
    const { code, said } = await swarm('up', '--once', '--spec', story)
    expect(said).toMatch(/--spec: .*story\.swarm\.md asks a language model: `swarm run` does that/)
    expect(code).toBe(2)
  })

  it('names the folder that has no model in it, also on this machine alone', async () => {
    const { code, said } = await swarm('generate', folder, '--prompt', 'x')
    expect(said).toContain(`${folder}: there is no config.json, nor a GGUF file`)
    expect(code).toBe(2)
  })

  it('says that nobody came, and ends with 3', async () => {
    const founded = foundSwarm(join(folder, 'lonely'))
    if (!founded.ok) throw new Error(founded.error.detail)
    const relay = await relayFor({ genesis: founded.value.genesis })
    const asked = ['--relay', relay.url, '--data', 'lonely', '--set', `model=${free}`]
    const { code, said, out } = await run(...asked, '--json', 'lonely.json')
    await relay.close()
    expect(said).toBe('swarm: No node came that takes a part of the model (nobody-came)\n')
    expect(out).toContain('0 tokens')
    expect(code).toBe(3)
    expect(read<TalkReport>('lonely.json').problem).toMatchObject({ code: 'nobody-came' })
  }, 180_000)

  it('gives a model to nobody whose license does not say that it may be', async () => {
    const { code, said } = await run('--input', `model=${model}`)
    expect(said).toContain('license ("proprietary") is proprietary. ')
    expect(said).toContain('Say --share where you may pass it on.')
    expect(code).toBe(2)
  })

  it('says what it would come to, and sends nothing', async () => {
    const asked = ['--set', `model=${free}`, '--set', 'stages=2', '--set', 'budget=1', '--dry-run']
    const { code, out } = await run(...asked, '--json', 'plan.json')
    expect(code).toBe(0)
    expect(out).toContain('license mit')
    expect(out).toMatch(/credits for 100 tokens; nothing was sent/)
    const plan = read<TalkPlan>('plan.json')
    expect(plan).toMatchObject({ model: { name: 'free', layers: 6 }, tokens: 64 })
    expect(plan.blocks).toHaveLength(8)
    expect(plan.stages.map(({ from, to }) => [from, to])).toEqual([
      [0, 3],
      [3, 6],
    ])
    // Every weight is somewhere, and the output is no table of tokens here.
    const all = plan.blocks.reduce((sum, bytes) => sum + bytes, 0)
    expect(plan.stages.reduce((sum, { weightBytes }) => sum + weightBytes, 0)).toBe(all)
    expect(plan.microCreditsPer100Tokens).toBeGreaterThan(0)
  })

  it('says beforehand what no node would be given, and what the model has no room for', async () => {
    const asked = ['--set', `model=${join(model, 'config.json')}`, '--set', 'prompt=12345']
    const { code, out } = await run(...asked, '--set', 'tokens=1000', '--dry-run')
    expect(code).toBe(0)
    expect(out).toContain('license ("proprietary") is proprietary. ')
    expect(out).toContain('--share says that you may pass it on.\n')
    expect(out).toMatch(/^(\d+) tokens? of the prompt, \d+ new at most$/m)
    const [, told, room] = /^(\d+) tokens? of the prompt, (\d+) new/m.exec(out) ?? []
    // The last token is told and never looked at.
    expect(Number(told) + Number(room)).toBe(129)
    expect(out).toContain('spread over 3 equal nodes, or fewer where that is faster:\n')
  })

  it('goes on with a text over tabs of its own, with the tokens of one machine', async () => {
    const asked = ['--set', 'prompt=Once upon', '--set', 'tokens=12', '--set', `model=${free}`]
    const { code, out, said } = await run(
      ...[...asked, '--set', 'stages=2', '--budget', '1'],
      ...['--nodes', '2', '--data', 'data', '--out', 'out', '--json', 'talk.json'],
    )
    expect(said).toBe('')
    expect(code).toBe(0)
    const talk = read<TalkReport>('talk.json')
    const words = ['--prompt', 'Once upon', '--tokens', '12', '--engine', 'cpu']
    await swarm('generate', free, ...words, '--json', 'alone.json')
    const alone = read<{ ids: number[]; promptIds: number[]; text: string }>('alone.json')
    expect(talk.ids).toEqual(alone.ids)
    expect(talk.promptIds).toEqual(alone.promptIds)
    expect(talk.text).toBe(alone.text)
    expect(out.startsWith(`Once upon${alone.text}`)).toBe(true)
    expect(talk.state).toBe('done')
    expect(talk.stages.map(({ from, to }) => [from, to])).toEqual([
      [0, 3],
      [3, 6],
    ])
    expect(talk.spent).toBeGreaterThan(0)
    expect(talk.receipts.length).toBeGreaterThan(0)
  }, 240_000)
})

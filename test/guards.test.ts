/**
 * A guard that never goes red guards nothing. Each of them reads a small house of its own in a temporary
 * folder, with the configuration of this one, and must find the one fault that was planted there.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localEnvironment, root, script } from '../relay/local-node.mjs'

const configs = [
  '.dependency-cruiser.mjs',
  '.gitignore',
  '.oxfmtrc.json',
  '.oxlintrc.json',
  'knip.json',
  'package.json',
  'svelte.config.js',
  'tsconfig.base.json',
  'tsconfig.json',
  'kernels/tsconfig.json',
  'relay/tsconfig.json',
  'src/tsconfig.json',
  'src/tsconfig.pure.json',
  'src/base/globals.d.ts',
  'test/tsconfig.json',
  'workers/tsconfig.json',
]

/** What every house starts with: one sound file per room that the guards want to see. */
const sound = {
  'src/base/units.ts': 'export type Ms = number\n',
  'src/core/job.ts':
    "import type { Ms } from '../base/units.ts'\n\nexport const later = (at: Ms): Ms => at + 1\n",
  'src/adapters/clock.ts': 'export const title = (): string => document.title\n',
  'src/ui/App.svelte':
    '<script lang="ts">\n  const count: number = 1\n</script>\n\n<p>{count}</p>\n',
  'src/main.ts':
    "import { later } from './core/job.ts'\nimport { title } from './adapters/clock.ts'\nimport App from './ui/App.svelte'\n\ndocument.title = `${title()}${later(1)}${App.name}`\n",
  'kernels/kernel.ts': 'export const one = 1\n',
  'workers/compute.worker.ts':
    "import { one } from '../kernels/kernel.ts'\n\nself.postMessage(one)\n",
  'relay/cli.ts': "import { argv } from 'node:process'\n\nconsole.log(argv.length)\n",
} satisfies Record<string, string>

let scratch = ''
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'swarm-guards-'))
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const write = (house: string, files: Record<string, string>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house, path)), { recursive: true })
    writeFileSync(join(house, path), text)
  }
}

const build = (name: string, planted: Record<string, string>): string => {
  const house = join(scratch, name)
  for (const path of configs) cpSync(join(root, path), join(house, path))
  write(house, { ...sound, ...planted })
  // Packages are shared, but nothing may be written into them: the compiler keeps its notes there.
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'), 'junction')
  return house
}

const run = (
  house: string,
  program: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> =>
  new Promise((done) => {
    let output = ''
    const child = spawn(process.execPath, [program, ...args], {
      cwd: house,
      env: localEnvironment({ FORCE_COLOR: '0', NO_COLOR: '1' }),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => {
        output += text.toString()
      })
    child.once('close', (code) => done({ code, output }))
  })

const guards = {
  types: (house: string) =>
    Promise.all(
      ['kernels/tsconfig.json', 'src/tsconfig.pure.json'].map((project) =>
        run(house, script('typescript', 'tsc'), ['-p', project, '--incremental', 'false']),
      ),
    ).then((all) => ({
      code: Math.max(...all.map(({ code }) => code ?? 1)),
      output: all.map(({ output }) => output).join(''),
    })),
  components: (house: string) =>
    run(house, script('svelte-check'), ['--tsconfig', 'src/tsconfig.json', '--output', 'machine']),
  lint: (house: string) => run(house, script('oxlint'), ['--format', 'unix', 'src', 'kernels']),
  directions: (house: string) =>
    run(house, script('dependency-cruiser'), [
      '--config',
      '.dependency-cruiser.mjs',
      'kernels',
      'src',
      'workers',
      'relay',
    ]),
  // A house this small uses none of the packages; they are counted in the real one.
  'dead code': (house: string) =>
    run(house, script('knip'), ['--no-config-hints', '--include', 'files,exports,types']),
  format: (house: string) => run(house, script('oxfmt'), ['--check', 'src']),
}

type Fault = {
  readonly guard: keyof typeof guards
  readonly title: string
  readonly planted: Record<string, string>
  readonly says: RegExp
}

const faults: Fault[] = [
  {
    guard: 'types',
    title: 'a page in the core',
    planted: { 'src/core/page.ts': 'export const title = (): string => document.title\n' },
    says: /src\/core\/page\.ts.*Cannot find name 'document'/,
  },
  {
    guard: 'types',
    title: 'a process in the core',
    planted: { 'src/core/process.ts': 'export const words = process.argv\n' },
    says: /src\/core\/process\.ts.*Cannot find name 'process'/,
  },
  {
    guard: 'types',
    title: 'a network in the wire room',
    planted: { 'src/wire/network.ts': "export const get = (): unknown => fetch('/')\n" },
    says: /src\/wire\/network\.ts.*Cannot find name 'fetch'/,
  },
  {
    guard: 'types',
    title: 'a kernel that looks into the house',
    planted: { 'kernels/house.ts': "export { later } from '../src/core/job.ts'\n" },
    says: /kernels\/house\.ts.*rootDir/,
  },
  {
    guard: 'types',
    title: 'an element that may be missing, taken for granted',
    planted: { 'src/core/missing.ts': 'export const first = (a: number[]): number => a[0]\n' },
    says: /missing\.ts.*'number \| undefined' is not assignable/,
  },
  {
    guard: 'components',
    title: 'a wrong type in a component',
    planted: {
      'src/ui/App.svelte':
        '<script lang="ts">\n  const count: string = 1\n</script>\n\n<p>{count}</p>\n',
    },
    says: /ERROR.*App\.svelte.*not assignable/,
  },
  {
    guard: 'lint',
    title: 'a promise that nobody waits for',
    planted: {
      'src/adapters/promise.ts':
        'const save = async (): Promise<void> => {}\n\nexport const go = (): void => {\n  save()\n}\n',
    },
    says: /adapters\/promise\.ts.*no-floating-promises/,
  },
  {
    guard: 'lint',
    title: 'chance in the core',
    planted: { 'src/core/chance.ts': 'export const dice = (): number => Math.random()\n' },
    says: /core\/chance\.ts.*no-restricted-properties/,
  },
  {
    guard: 'lint',
    title: 'a clock in the core',
    planted: { 'src/core/clock.ts': 'export const now = (): number => Date.now()\n' },
    says: /core\/clock\.ts.*no-restricted-globals/,
  },
  {
    guard: 'lint',
    title: 'a switch that forgets a case',
    planted: {
      'src/core/forgets.ts':
        "export const say = (kind: 'a' | 'b'): string => {\n  switch (kind) {\n    case 'a':\n      return 'a'\n  }\n  return ''\n}\n",
    },
    says: /core\/forgets\.ts.*switch-exhaustiveness-check/,
  },
  {
    guard: 'lint',
    title: 'a file without end',
    planted: {
      'src/core/endless.ts': Array.from(
        { length: 301 },
        (_, i) => `export const n${i} = ${i}\n`,
      ).join(''),
    },
    says: /core\/endless\.ts.*max-lines/,
  },
  {
    guard: 'directions',
    title: 'the core importing an adapter',
    planted: { 'src/core/adapter.ts': "export { title } from '../adapters/clock.ts'\n" },
    says: /core-imports: src\/core\/adapter\.ts/,
  },
  {
    guard: 'directions',
    title: 'a component importing an adapter',
    planted: {
      'src/ui/App.svelte':
        '<script lang="ts">\n  import { title } from \'../adapters/clock.ts\'\n</script>\n\n<p>{title()}</p>\n',
    },
    says: /ui-imports: src\/ui\/App\.svelte/,
  },
  {
    guard: 'directions',
    title: 'the core importing a type of the wire',
    planted: {
      'src/wire/frame.ts': 'export type Frame = number\n',
      'src/core/frame-user.ts':
        "import type { Frame } from '../wire/frame.ts'\n\nexport const same = (frame: Frame): Frame => frame\n",
    },
    says: /core-imports: src\/core\/frame-user\.ts/,
  },
  {
    guard: 'directions',
    title: 'two files that import each other',
    planted: {
      'src/core/one.ts': "import { two } from './two.ts'\n\nexport const one = (): number => two\n",
      'src/core/two.ts': "import { one } from './one.ts'\n\nexport const two = one()\n",
    },
    says: /no-cycle: src\/core\/(one|two)\.ts/,
  },
  {
    guard: 'directions',
    title: 'Node outside the relay',
    planted: { 'src/adapters/node.ts': "export { readFileSync } from 'node:fs'\n" },
    says: /node-only-in-relay: src\/adapters\/node\.ts/,
  },
  {
    guard: 'dead code',
    title: 'an export that nobody imports',
    planted: {
      'src/core/job.ts':
        'export const later = (at: number): number => at + 1\nexport const never = 1\n',
    },
    says: /never\s.*src\/core\/job\.ts/,
  },
  {
    guard: 'format',
    title: 'a file in a hand of its own',
    planted: { 'src/core/hand.ts': 'export const a = "1";\n' },
    says: /src\/core\/hand\.ts/,
  },
]

/** All faults of a guard stand in one house, so that each guard reads twice and not twenty times. */
const runs = new Map<Fault['guard'], ReturnType<typeof run>>()
const runOver = (guard: Fault['guard']): ReturnType<typeof run> => {
  const known = runs.get(guard)
  if (known) return known
  const own = faults.filter((fault) => fault.guard === guard)
  const planted = Object.fromEntries(own.flatMap((fault) => Object.entries(fault.planted)))
  const started = guards[guard](build(guard.replaceAll(' ', '-'), planted))
  runs.set(guard, started)
  return started
}

/** Twelve runs of heavy tools; on two cores shared with others each may take its time. */
const limitMs = 120_000

describe('the guards', () => {
  it.each(Object.entries(guards))(
    '%s: are silent where nothing is wrong',
    async (name, guard) => {
      expect(await guard(build(`sound-${name.replaceAll(' ', '-')}`, {}))).toMatchObject({
        code: 0,
      })
    },
    limitMs,
  )

  it.each(faults)(
    '$guard: see $title',
    async ({ guard, says }) => {
      const { code, output } = await runOver(guard)
      expect(output).toMatch(says)
      expect(code).not.toBe(0)
    },
    limitMs,
  )
})

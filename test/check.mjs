// `npm run check`: every guard of the house in turn, cheapest first. Each says its name and its time;
// the first red one shows what it found and stops.
import { localEnvironment, localNode, quietly, script } from '../relay/local-node.mjs'

/** A guard that takes longer hangs. */
const limitMs = 10 * 60_000

const everything = [
  'kernels',
  'src',
  'workers',
  'relay',
  'test',
  'vite.config.ts',
  'vitest.config.ts',
]

const steps = [
  { name: 'format', args: [script('oxfmt'), '--check'] },
  { name: 'lint', args: [script('oxlint')] },
  { name: 'types', args: [script('typescript', 'tsc'), '-b'] },
  {
    name: 'types in components',
    args: [script('svelte-check'), '--tsconfig', 'src/tsconfig.json', '--fail-on-warnings'],
  },
  {
    name: 'directions',
    args: [script('dependency-cruiser'), '--config', '.dependency-cruiser.mjs', ...everything],
  },
  { name: 'dead code', args: [script('knip'), '--no-config-hints', '--no-progress'] },
  { name: 'unit tests', args: [script('vitest'), 'run', '--project', 'unit'] },
  { name: 'build', args: [script('vite'), 'build', '--logLevel', 'warn'] },
  {
    name: 'library',
    args: [script('vite'), 'build', '--config', 'vite.sdk.config.ts', '--logLevel', 'warn'],
  },
  {
    name: 'types of the library',
    args: [script('typescript', 'tsc'), '-p', 'src/tsconfig.sdk.json'],
  },
  { name: 'size', args: [script('size-limit')] },
]

const node = localNode() ?? process.execPath
const env = localEnvironment(
  process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: undefined },
)
const asked = process.argv.slice(2)
for (const { name, args } of steps) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const start = Date.now()
  const { ok, output } = await quietly(node, args, { limitMs, env })
  const seconds = ((Date.now() - start) / 1000).toFixed(1)
  process.stdout.write(`${ok ? 'ok ' : 'RED'} ${name.padEnd(20)} ${seconds.padStart(6)} s\n`)
  if (ok) continue
  process.stdout.write(`\n${output}\n`)
  process.exit(1)
}

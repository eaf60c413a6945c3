// `npm run evidence`: makes the figures that the documents quote again, one JSON document per command,
// in out/evidence/. A figure that cannot be made is a failure, not a gap.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { localEnvironment, localNode, root } from '../relay/local-node.mjs'

const scenarios = ['calm', 'churn', 'lying-nodes', 'relay-down']
const benches = ['kernels', 'swarm']

const runs = [
  ...scenarios.map((name) => ({ name: `sim-${name}`, args: ['sim', name, '--seed', '1'] })),
  ...benches.map((name) => ({ name: `bench-${name}`, args: ['bench', name] })),
  { name: 'up', args: ['up', '--once', '--port', '0'] },
]

const node = localNode() ?? process.execPath
const folder = join(root, 'out/evidence')
mkdirSync(folder, { recursive: true })
const env = localEnvironment({ SWARM_LOOPBACK_ONLY: '1' })

let failed = 0
for (const { name, args } of runs) {
  const file = join(folder, `${name}.json`)
  const start = Date.now()
  const code = await new Promise((done) => {
    const all = [join(root, 'relay/cli.ts'), ...args, '--json', file]
    const child = spawn(node, all, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', () => done(1))
    child.once('exit', (ended) => done(ended ?? 1))
  })
  if (code !== 0) failed++
  const seconds = ((Date.now() - start) / 1000).toFixed(1)
  process.stdout.write(`${code === 0 ? 'ok ' : 'RED'} ${name.padEnd(18)} ${seconds} s  ${file}\n`)
}
process.exit(failed > 0 ? 1 : 0)

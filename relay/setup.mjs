// What `npm start` and `npm test` call first, on any Node from 20 with nothing installed: packages, the
// pinned Node, a Chromium, the built app; then the command itself. (npm's own two lines come first on
// standard output: with `npm start`, ask for `--json FILE` rather than `--json -`.)
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureApp } from './built-app.mjs'
import { root } from './local-node.mjs'
import {
  ensureChromium,
  ensureNode,
  giveUp,
  handOver,
  npm,
  rebuiltNode,
  refuseOldNode,
  say,
} from './provide.mjs'

const commands = {
  start: { program: 'relay/cli.ts', first: ['up'], app: true },
  test: { program: 'test/run.mjs', first: [], app: false },
}

/** The lock file's fingerprint is kept beside what was installed from it. */
const stampFile = join(root, 'node_modules/.swarm-installed')
const stamp = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

const installedAsLocked = () => {
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === stamp()
  // Installed by hand with npm: its own record says which versions there are.
  const record = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(record)) return false
  const read = (/** @type {string} */ file) => JSON.parse(readFileSync(file, 'utf8')).packages
  const there = read(record)
  return Object.entries(read(join(root, 'package-lock.json'))).every(
    ([path, { version, optional }]) =>
      path === '' || there[path]?.version === version || (optional && !there[path]),
  )
}

const ensurePackages = async () => {
  if (!installedAsLocked()) {
    say('Installing packages: once, about a minute ...')
    const { ok, output } = await npm(['ci'])
    if (!ok) giveUp(`${output}\nnpm ci failed (see above); check the network and run it again.`)
  }
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp())
    writeFileSync(stampFile, stamp())
}

const main = async () => {
  const [name = '', ...args] = process.argv.slice(2)
  const command = commands[/** @type {keyof typeof commands} */ (name)]
  if (!command) giveUp(`usage: node relay/setup.mjs ${Object.keys(commands).join(' | ')} [...]`)
  refuseOldNode()
  await ensurePackages()
  const node = await ensureNode(rebuiltNode)
  const chromium = await ensureChromium(node)
  if (command.app) {
    const { ok, output } = await ensureApp(node)
    if (!ok) giveUp(`${output}\nThe app did not build (see above).`)
  }
  handOver(node, [join(root, command.program), ...command.first, ...args], { cwd: root, chromium })
}

await main()

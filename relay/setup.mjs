// What `npm start` and `npm test` call first, on any Node from 20 with nothing installed: packages, the
// pinned Node, a Chromium, the built app; then the command itself. All it says goes to standard error,
// because standard output belongs to the command. (npm's own two lines still come first there: with
// `npm start`, ask for `--json FILE` rather than `--json -`.)
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { ensureApp } from './built-app.mjs'
import { chromiumVariables, findChromium } from './find-chromium.mjs'
import {
  localEnvironment,
  pinnedNode,
  quietly,
  root,
  runsTypeScript,
  script,
} from './local-node.mjs'

const minute = 60_000
/** Longer than a slow line needs; a download that hangs for ever must not hang us. */
const limits = { install: 20 * minute, browser: 10 * minute, version: 20_000 }

/** How soon we notice that npm is gone. */
const orphanCheckMs = 500

const commands = {
  start: { program: 'relay/cli.ts', first: ['up'], chromium: true, app: true },
  test: { program: 'test/run.mjs', first: [], chromium: true, app: false },
  e2e: { program: 'test/run.mjs', first: ['e2e'], chromium: true, app: false },
}

/** @param {string} sentence */
const say = (sentence) => process.stderr.write(`${sentence}\n`)

/** @param {string} sentence @returns {never} */
const giveUp = (sentence) => {
  say(sentence)
  process.exit(2)
}

/** npm under the Node that npm itself came with: the pinned one is about to be replaced. */
const npm = (/** @type {string[]} */ args) => {
  const { npm_execpath: path, npm_node_execpath: node } = process.env
  const quiet = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error']
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' }
  const options = { limitMs: limits.install, env }
  return path?.endsWith('.js') && existsSync(path)
    ? quietly(
        node && existsSync(node) ? node : process.execPath,
        [path, ...args, ...quiet],
        options,
      )
    : quietly('npm', [...args, ...quiet], options)
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

const ensureNode = async () => {
  const runs = async () =>
    (await quietly(pinnedNode, ['--version'], { limitMs: limits.version })).output.startsWith(
      'v24.',
    )
  if (await runs()) return pinnedNode
  say('Getting the pinned Node 24 ...')
  await npm(['rebuild', 'node'])
  if (await runs()) return pinnedNode
  if (runsTypeScript(process.version)) return process.execPath
  return giveUp('Node 24 could not be installed: install Node 22.18 or newer and run this again.')
}

const isDebianRoot = () => existsSync('/etc/debian_version') && process.getuid?.() === 0

const ensureChromium = async (/** @type {string} */ node) => {
  const found = await findChromium()
  if (found) return found
  say('No Chrome or Chromium on this machine: getting one, once ...')
  const wanted = { limitMs: limits.browser }
  await quietly(node, [script('playwright'), 'install', '--no-shell', 'chromium'], wanted)
  const downloaded = await findChromium()
  if (downloaded) return downloaded
  if (isDebianRoot()) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await quietly('apt-get', ['update'], { ...wanted, env })
    const install = ['install', '-y', '--no-install-recommends', 'chromium']
    const { ok, output } = await quietly('apt-get', install, { ...wanted, env })
    if (!ok) say(output)
    const packaged = await findChromium()
    if (packaged) return packaged
  }
  return giveUp(
    `No Chromium runs here: install Chrome or Chromium, or set ${chromiumVariables[0]} to its path.`,
  )
}

/**
 * Hands over: same terminal, same signals, same exit code. A terminal sends Ctrl-C to both of us, and
 * a second one would read as impatience, so it is passed on only where there is no terminal.
 * @param {string} node
 * @param {string[]} args
 * @param {string} chromium
 */
const handOver = (node, args, chromium) => {
  const env = localEnvironment({ SWARM_CHROMIUM: chromium })
  const child = spawn(node, args, { cwd: root, env, stdio: 'inherit' })
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT')
  })
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal))
  // npm passes a signal to the shell between us and dies with it; we would be left running unseen.
  const parent = process.ppid
  if (process.env['npm_lifecycle_event'])
    setInterval(() => process.ppid === parent || child.kill('SIGTERM'), orphanCheckMs).unref()
  child.once('error', (error) => giveUp(`${node} did not start: ${error.message}`))
  child.once('exit', (code, signal) => {
    process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1))
  })
}

const main = async () => {
  const [name = '', ...args] = process.argv.slice(2)
  const command = commands[/** @type {keyof typeof commands} */ (name)]
  if (!command) giveUp(`usage: node relay/setup.mjs ${Object.keys(commands).join(' | ')} [...]`)
  if (Number.parseInt(process.versions.node, 10) < 20)
    giveUp(`Node ${process.versions.node} is too old: install Node 20 or newer and run this again.`)
  await ensurePackages()
  const node = await ensureNode()
  const chromium = await ensureChromium(node)
  if (command.app) {
    const { ok, output } = await ensureApp(node)
    if (!ok) giveUp(`${output}\nThe app did not build (see above).`)
  }
  handOver(node, [join(root, command.program), ...command.first, ...args], chromium)
}

await main()

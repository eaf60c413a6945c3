// What a start needs and a machine may lack: a Node that runs the program, and a Chromium; then handing
// over to it. Plain JavaScript for Node 20. All of it is said on standard error, because standard output
// belongs to the command.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { chromiumVariables, findChromium } from './find-chromium.mjs'
import { localEnvironment, pinnedNode, quietly, runsTypeScript, script } from './local-node.mjs'

const minute = 60_000
/** Longer than a slow line needs; a download that hangs for ever must not hang us. */
export const limits = { install: 20 * minute, browser: 10 * minute, version: 20_000 }

/** How soon we notice that npm is gone. */
const orphanCheckMs = 500

/** @param {string} sentence */
export const say = (sentence) => process.stderr.write(`${sentence}\n`)

/** @param {string} sentence @returns {never} */
export const giveUp = (sentence) => {
  say(sentence)
  process.exit(2)
}

export const refuseOldNode = () => {
  if (Number.parseInt(process.versions.node, 10) < 20)
    giveUp(`Node ${process.versions.node} is too old: install Node 20 or newer and run this again.`)
}

/** npm under the Node that npm itself came with: the pinned one may be about to be replaced. */
export const npm = (/** @type {string[]} */ args) => {
  const { npm_execpath: path, npm_node_execpath: node } = process.env
  const quiet = [
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--no-update-notifier',
    '--loglevel=error',
  ]
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' }
  const options = { limitMs: limits.install, env }
  return path?.endsWith('.js') && existsSync(path)
    ? quietly(
        node && existsSync(node) ? node : process.execPath,
        [path, ...quiet, ...args],
        options,
      )
    : quietly('npm', [...quiet, ...args], options)
}

const isPinned = async () =>
  (await quietly(pinnedNode, ['--version'], { limitMs: limits.version })).output.startsWith('v24.')

/**
 * The pinned Node, which `get` brings where it is missing; else this one, if it can run the program.
 * @param {() => Promise<string | null>} get
 */
export const ensureNode = async (get) => {
  if (await isPinned()) return pinnedNode
  const found = await get()
  if (found !== null) return found
  if (runsTypeScript(process.version)) return process.execPath
  return giveUp('Node 24 could not be installed: install Node 22.18 or newer and run this again.')
}

/** In a checkout the pinned Node is one of the packages. */
export const rebuiltNode = async () => {
  say('Getting the pinned Node 24 ...')
  await npm(['rebuild', 'node'])
  return (await isPinned()) ? pinnedNode : null
}

const isDebianRoot = () => existsSync('/etc/debian_version') && process.getuid?.() === 0

/** @param {string} node */
export const ensureChromium = async (node) => {
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
 * @param {{ cwd: string, chromium: string | null }} options
 */
export const handOver = (node, args, { cwd, chromium }) => {
  const env = localEnvironment(chromium === null ? {} : { SWARM_CHROMIUM: chromium })
  const child = spawn(node, args, { cwd, env, stdio: 'inherit' })
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

// The pinned Node and the programs that `npm ci` brings. Plain JavaScript for Node 20: the set-up and
// the test runner start everything through here, so that nothing depends on the Node of the shell.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const require = createRequire(import.meta.url)

/**
 * Strips types by itself and is new enough for libp2p 3: does where the pinned Node did not install.
 * @param {string} version
 */
export function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}

export const pinnedNode = join(
  root,
  'node_modules/node/bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
)

/** @returns {string | null} a Node that can run the project, or null */
export function localNode() {
  if (existsSync(pinnedNode)) return pinnedNode
  return runsTypeScript(process.version) ? process.execPath : null
}

/**
 * The script behind a command of a package, so that it starts the same way on every system.
 * @param {string} name of the package
 * @param {string} [command] where it is not the package's name
 */
export function script(name, command = name.replace(/^@.*\//, '')) {
  const own = join(root, 'node_modules', name)
  // Beside us, where we are installed as somebody's package.
  const folder = existsSync(own) ? own : dirname(require.resolve(`${name}/package.json`))
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[command])
}

/** Child processes that look for `node` on their path find the same one. */
export function localEnvironment(more = {}) {
  const bin = join(root, 'node_modules/.bin')
  const path = process.env['PATH'] ?? ''
  const PATH = path.split(delimiter).includes(bin) ? path : `${bin}${delimiter}${path}`
  return { ...process.env, PATH, ...more }
}

/**
 * Runs a program to its end and keeps what it said, to be shown only when it fails.
 * @param {string} program
 * @param {string[]} args
 * @param {{ limitMs: number, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export function quietly(program, args, { limitMs, env = localEnvironment() }) {
  return new Promise((done) => {
    let output = ''
    const child = spawn(program, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
      shell: program === 'npm' && process.platform === 'win32',
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
    child.once('error', (error) => done({ ok: false, output: error.message }))
    child.once('close', (code) => done({ ok: code === 0, output }))
  })
}

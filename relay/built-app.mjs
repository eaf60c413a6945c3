// The app in dist/app, built again when a source is newer than it. Plain JavaScript for Node 20.
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { localEnvironment, quietly, root, script } from './local-node.mjs'

const sources = [
  'index.html',
  'embed.html',
  'src',
  'kernels',
  'workers',
  'public',
  'vite.config.ts',
  'svelte.config.js',
  'package-lock.json',
]

/** The build takes seconds; one that takes minutes hangs. */
const buildLimitMs = 5 * 60_000

/**
 * @param {string} node the Node to build with
 * @returns {Promise<{ ok: boolean, output: string }>} output is empty unless it had to build
 */
export async function ensureApp(node) {
  const app = join(root, 'dist/app')
  const built = newest(join(app, 'build-manifest.json'))
  // Installed from a registry the app comes built, and nothing to build it with comes along.
  if (!existsSync(join(root, 'node_modules/vite')))
    return built > 0
      ? { ok: true, output: '' }
      : { ok: false, output: `There is no app in ${app}, and no vite to build it with.` }
  if (built > Math.max(...sources.map((path) => newest(join(root, path)))))
    return { ok: true, output: '' }
  if (process.stderr.isTTY) process.stderr.write('Building the app ...\n')
  // Test runners say NODE_ENV=test, and would get a page without its offline copy.
  const env = localEnvironment({ NODE_ENV: 'production' })
  const draft = `${app}.${process.pid}.new`
  const args = [script('vite'), 'build', '--logLevel', 'warn', '--outDir', draft, '--emptyOutDir']
  const made = await quietly(node, args, { limitMs: buildLimitMs, env })
  if (made.ok) putInPlace(draft, app)
  rmSync(draft, { recursive: true, force: true })
  return made
}

/**
 * Another relay may be serving the app of before: it is exchanged as a whole.
 * @param {string} draft
 * @param {string} app
 */
function putInPlace(draft, app) {
  const before = `${app}.${process.pid}.old`
  if (existsSync(app)) renameSync(app, before)
  renameSync(draft, app)
  rmSync(before, { recursive: true, force: true })
}

/**
 * The latest date in a tree; a folder counts with its own date too, which shows deletions.
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  const inside = readdirSync(path).filter((name) => !name.endsWith('.test.ts'))
  return Math.max(stat.mtimeMs, ...inside.map((name) => newest(join(path, name))))
}

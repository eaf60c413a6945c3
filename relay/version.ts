/** One version for the program and everything it says of itself. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, sep } from 'node:path'
import { root } from './local-node.mjs'

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
}

const git = (...words: string[]): string =>
  execFileSync('git', ['--no-optional-locks', ...words], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })

/** As the app says it: a plus where something was changed since. A repository around ours is not ours. */
const commitHere = (): string | null => {
  if (!existsSync(join(root, '.git'))) return null
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=10', 'HEAD').trim()}${changed ? '+' : ''}`
  } catch {
    return null
  }
}

export const VERSION = version
export const AGENT = `swarmharness/${version}`
export const COMMIT = commitHere()

/** Where keys and books stay unless somebody says otherwise: an installed package is replaced at will. */
export const DATA_DIR = root.split(sep).includes('node_modules')
  ? join(homedir(), '.swarmharness')
  : join(root, '.swarm')

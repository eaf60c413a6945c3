/** One version for the program and everything it says of itself. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './local-node.mjs'

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
}

export const VERSION = version
export const AGENT = `swarmharness/${version}`

/** Where keys and books stay unless somebody says otherwise. */
export const DATA_DIR = join(root, '.swarm')

/** The packages that `bench kernels` measures against: 220 MB that nobody needs but who measures. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError } from '../../src/ports.ts'
import { root } from '../local-node.mjs'
import { npm } from '../provide.mjs'
import { say } from '../terminal.ts'

const FOLDER = join(root, 'test/bench/peers')
export const PEER_MODULES = join(FOLDER, 'node_modules')

/** Installs them as their own lock file says, where that has not been done. @error no-sources, no-peers */
export const ensurePeers = async (): Promise<Result<null, PortError>> => {
  const lock = join(FOLDER, 'package-lock.json')
  if (!existsSync(lock))
    return err({ code: 'no-sources', detail: 'this benchmark needs a checkout of the sources' })
  const stampFile = join(PEER_MODULES, '.swarm-installed')
  const stamp = createHash('sha256').update(readFileSync(lock)).digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return ok(null)
  say('Installing the libraries to compare with: once, about a minute ...')
  const done = await npm(['ci', '--ignore-scripts', '--prefix', FOLDER])
  if (!done.ok) return err({ code: 'no-peers', detail: done.output.slice(0, 500) })
  writeFileSync(stampFile, stamp)
  return ok(null)
}

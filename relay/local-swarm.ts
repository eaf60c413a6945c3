/** A whole swarm on this machine: relay and app, headless nodes, and the founder's own node to ask them. */
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'
import { join } from 'node:path'
import { ensureApp } from './built-app.mjs'
import { foundSwarm } from './found-swarm.ts'
import { startHeadless, type Lent } from './headless.ts'
import { root } from './local-node.mjs'
import { fetchSwarmInfo, openNodePeer, type NodePeer } from './node-peer.ts'
import { startRelay } from './relay.ts'
import { AGENT, COMMIT, VERSION } from './version.ts'

export type LocalSwarm = {
  readonly url: string
  /** The founder's key file: whoever has it has the credits. */
  readonly keyFile: string
  readonly node: NodePeer
  /** Resolves when all headless nodes lend their device. @error node-failed */
  readonly ready: Promise<Result<null, PortError>>
  /** Of each headless node: its account, and the bytes that it takes. */
  accounts(): Promise<string[]>
  memory(): Promise<number[]>
  close(): Promise<void>
}

export type LocalSwarmOptions = {
  readonly dataDir: string
  /** 0 = any free one. */
  readonly port: number
  readonly nodes: number
  readonly lent?: Lent
  /** What a new swarm is called. */
  readonly name?: string | undefined
  log(text: string): void
  /** Told as soon as the relay answers, before the nodes are there. */
  serving(url: string): void
}

/** What was opened is closed again when something on the way fails. @error what each part says */
export const startLocalSwarm = async (
  options: LocalSwarmOptions,
): Promise<Result<LocalSwarm, PortError>> => {
  const { dataDir, port, nodes, lent = {}, log, serving } = options
  const opened: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    // What was opened last is closed first.
    for (const each of opened.splice(0).toReversed()) {
      await each().catch((cause: unknown) => log(`while closing: ${String(cause)}`))
    }
  }
  const give = async <T>(result: Result<T, PortError>): Promise<Result<T, PortError>> => {
    if (!result.ok) await close()
    return result
  }
  const app = await ensureApp(process.execPath)
  if (!app.ok) return err({ code: 'no-app', detail: `${app.output}\nthe app could not be built` })
  const founded = foundSwarm(dataDir, options.name)
  if (!founded.ok) return founded
  const relay = await startRelay({
    port,
    dataDir,
    genesis: founded.value.genesis,
    appDir: join(root, 'dist/app'),
    jobsDir: join(root, 'public/jobs'),
    version: VERSION,
    commit: COMMIT,
  })
  if (!relay.ok) return relay
  opened.push(() => relay.value.close())
  const { url } = relay.value
  serving(url)
  const headless = await give(await startHeadless(url, nodes, lent, log))
  if (!headless.ok) return headless
  opened.push(() => headless.value.close())
  const info = await give(await fetchSwarmInfo(url))
  if (!info.ok) return info
  const node = await give(await openNodePeer(info.value, dataDir, AGENT))
  if (!node.ok) return node
  opened.push(() => node.value.close())
  const { keyFile } = founded.value
  const { ready, accounts, memory } = headless.value
  return ok({ url, keyFile, node: node.value, ready, accounts, memory, close })
}

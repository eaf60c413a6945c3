/** A relay and nodes for tests, all of them on 127.0.0.1: WebRTC is bound to it, whatever the machine has. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openNodeNetwork, type NodeNetworkOptions } from '../../relay/node-network.ts'
import type { RelayOptions } from '../../relay/config.ts'
import { startRelay, type RunningRelay } from '../../relay/relay.ts'
import type { Network, NetworkEvents } from '../../src/ports.ts'
import type { MakePair } from '../ports/network.suite.ts'

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> => {
  const end = Date.now() + limitMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await pause(10)
  }
}

export const relayFor = async (options: Partial<RelayOptions> = {}): Promise<RunningRelay> => {
  const relay = await startRelay({ dataDir: null, version: '0.0.0', ...options })
  if (!relay.ok) throw new Error(`${relay.error.code}: ${relay.error.detail}`)
  return relay.value
}

export const nodeFor = async (
  relays: readonly string[],
  events: NetworkEvents,
  options: Partial<NodeNetworkOptions> = {},
): Promise<Network> => {
  const network = await openNodeNetwork({
    relays,
    events,
    agent: 'test',
    loopbackOnly: true,
    ...options,
  })
  if (!network.ok) throw new Error(`${network.error.code}: ${network.error.detail}`)
  return network.value
}

/** Two nodes at one relay. */
export const pairs =
  (relay: () => RunningRelay, options: Partial<NodeNetworkOptions> = {}): MakePair =>
  async (aliceEvents, bobEvents, { bobsLinks } = {}) => {
    const { multiaddrs } = relay()
    const [alice, bob] = await Promise.all([
      nodeFor(multiaddrs, aliceEvents, options),
      nodeFor(multiaddrs, bobEvents, {
        ...options,
        ...(bobsLinks === undefined ? {} : { linksMax: bobsLinks }),
      }),
    ])
    await until(
      'both have a place at the relay',
      () => alice.relay() !== null && bob.relay() !== null,
    )
    return {
      alice,
      bob,
      until,
      quiet: () => pause(700),
      close: async () => {
        await Promise.all([alice.close(), bob.close()])
      },
    }
  }

export type RelayProcess = {
  readonly url: string
  readonly multiaddrs: readonly string[]
  readonly port: number
  /** Ends the process and waits until it is gone; gives the exit code. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>
}

/** A relay in a process of its own. */
export const relayProcess = async (dataDir: string, port = 0): Promise<RelayProcess> => {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('relay-child.ts', import.meta.url)), dataDir, String(port)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString()))
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)))
  })
  const { url, multiaddrs } = JSON.parse(line) as { url: string; multiaddrs: string[] }
  return {
    url,
    multiaddrs,
    port: Number(new URL(url).port),
    kill(signal) {
      child.kill(signal)
      return gone
    },
  }
}

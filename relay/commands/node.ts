/** `swarm node`: headless browser nodes for a swarm that is elsewhere; the command is the consent. */
import { startHeadless, type HeadlessNodes } from '../headless.ts'
import { say, short, table } from '../terminal.ts'
import { EXIT, readArgs, whole, type Flags } from './args.ts'
import { ALLOW_WGSL, lentOf } from './lending.ts'
import { explain, failed, finish } from './outcome.ts'
import { relayUrl } from './relay-url.ts'
import { ADAPTERS, swarmStatus } from './status.ts'
import { liveLine, onTerminal, stopSignal, unlessStopped } from './stopping.ts'

const FLAGS: Flags = {
  relay: { type: 'string', help: 'its URL' },
  count: { type: 'string', help: 'how many; 1' },
  skills: { type: 'string', help: 'only these kernels, such as mandelbrot,matmul; all' },
  ...ALLOW_WGSL,
}
const NODES_MAX = 32
const STATUS_EVERY_MS = 2_000
/** An advert is sent within two seconds of readiness; a busy machine takes longer. */
const SEEN_MS = 20_000
const AGAIN_MS = 1_000
const GOOD_BYE_MS = 4_000

const node = async (argv: readonly string[]): Promise<number> => {
  const args = readArgs(argv, FLAGS, 0)
  if (!args.ok) return explain(args.error)
  const url = relayUrl(args.value.text('relay'))
  if (!url.ok) return explain(url.error)
  const count = whole('count', args.value.text('count'), 1, NODES_MAX, 1)
  if (!count.ok) return explain(count.error)
  const lent = lentOf(args.value)
  if (!lent.ok) return explain(lent.error)
  const there = await swarmStatus(url.value)
  if (!there.ok) return failed(there.error)
  say(`${there.value.name} at ${url.value}: ${there.value.nodes.length} nodes before ours`)
  const stop = stopSignal()
  const headless = await startHeadless(url.value, count.value, lent.value, say)
  if (!headless.ok) return failed(headless.error)
  const nodes = headless.value
  const closing = [() => nodes.close()]
  say(
    `${count.value === 1 ? 'the node measures its device' : `${count.value} nodes measure their devices`} ...`,
  )
  const ready = await unlessStopped(nodes.ready, stop)
  if (ready === null) return finish(closing, EXIT.done)
  if (!ready.ok) return finish(closing, failed(ready.error))
  await unlessStopped(introduce(nodes, url.value), stop)
  const quiet = onTerminal(STATUS_EVERY_MS, async () =>
    liveLine((await nodes.lines()).join(' | ').slice(0, 200)),
  )
  const lost = await unlessStopped(
    nodes.lost.then(() => true),
    stop,
  )
  quiet()
  if (lost) {
    say('swarm: the browser has ended by itself')
    return EXIT.failed
  }
  say('\nstopping ...')
  return finish([() => sayGoodBye(nodes, url.value), ...closing], EXIT.done)
}

/** An advert lives for ten minutes: others should not go on calling nodes that are gone. */
const sayGoodBye = async (nodes: HeadlessNodes, url: string): Promise<void> => {
  await nodes.stop()
  const ours = new Set(await nodes.accounts())
  const end = Date.now() + GOOD_BYE_MS
  while (Date.now() < end) {
    const seen = await swarmStatus(url)
    if (
      !seen.ok ||
      seen.value.nodes.every(({ account, state }) => state === 'paused' || !ours.has(account))
    )
      return
  }
}

/** What the swarm sees of them: their own adverts, as the registry gives them out. */
const introduce = async (nodes: HeadlessNodes, url: string): Promise<void> => {
  const ours = new Set(await nodes.accounts())
  const end = Date.now() + SEEN_MS
  for (;;) {
    const seen = await swarmStatus(url)
    const known = seen.ok ? seen.value.nodes.filter(({ account }) => ours.has(account)) : []
    if (known.length < ours.size && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      continue
    }
    const rows = known.map(({ account, adapter, speed, state }) => [
      short(account),
      ADAPTERS[adapter],
      speed,
      state,
    ])
    if (rows.length > 0) say(table(['node', 'adapter', 'f32, at least', 'state'], rows))
    if (known.length < ours.size)
      say(`${ours.size - known.length} of ours cannot be found by others yet`)
    return say('They serve until stopped with Ctrl-C.')
  }
}

export const command = {
  summary: 'headless browser nodes that join and serve until stopped',
  usage: 'swarm node --relay URL [--count N] [--skills A,B] [--allow-wgsl]',
  flags: FLAGS,
  run: node,
}

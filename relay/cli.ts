/** The `swarm` command: finds the command, hands it its words, and turns its answer into an exit code. */
import { EXIT } from './commands/args.ts'
import { say } from './terminal.ts'

type Command = {
  readonly summary: string
  readonly usage: string
  run(argv: readonly string[]): Promise<number>
}

/** Loaded only when asked for: `swarm status` needs no browser, `swarm sim` no network. */
const COMMANDS: Record<string, () => Promise<{ command: Command }>> = {
  up: () => import('./commands/up.ts'),
  relay: () => import('./commands/relay.ts'),
  node: () => import('./commands/node.ts'),
  run: () => import('./commands/run.ts'),
  verify: () => import('./commands/verify.ts'),
  sim: () => import('./commands/sim.ts'),
  status: () => import('./commands/status.ts'),
  bench: () => import('./commands/bench.ts'),
}

const help = async (): Promise<number> => {
  say('swarm: a compute swarm of browser tabs and headless nodes\n')
  for (const load of Object.values(COMMANDS)) {
    const { command } = await load()
    say(`  ${command.usage}\n      ${command.summary}\n`)
  }
  return EXIT.done
}

const main = async (): Promise<number> => {
  const [name, ...rest] = process.argv.slice(2)
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return help()
  const load = COMMANDS[name]
  if (!load) {
    say(`swarm: there is no command "${name}"; one of ${Object.keys(COMMANDS).join(', ')}`)
    return EXIT.usage
  }
  const { command } = await load()
  if (rest.includes('--help') || rest.includes('-h')) {
    say(`${command.usage}\n${command.summary}`)
    return EXIT.done
  }
  return command.run(rest)
}

process.exit(await main())

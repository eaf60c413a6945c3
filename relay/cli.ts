/** The `swarm` command: finds the command, hands it its words, and turns its answer into an exit code. */
import { EXIT, flagWords, type Flags } from './commands/args.ts'
import { buildWords } from './commands/relay-health.ts'
import { say } from './terminal.ts'
import { COMMIT, VERSION } from './version.ts'

type Command = {
  readonly summary: string
  readonly usage: string
  readonly flags?: Flags
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
  ops: () => import('./commands/ops.ts'),
  generate: () => import('./commands/generate.ts'),
}

const help = async (): Promise<number> => {
  say('swarm: a compute swarm of browser tabs and headless nodes\n')
  for (const load of Object.values(COMMANDS)) {
    const { command } = await load()
    say(`  ${command.usage}\n      ${command.summary}\n`)
  }
  say(EXITS)
  return EXIT.done
}

const EXITS = `They end with 0 when all is done and verified, 1 when something failed (also where no relay
answers), 2 for bad usage or input, 3 when nobody took the work in time, 130 when interrupted.`

const main = async (): Promise<number> => {
  const [name, ...rest] = process.argv.slice(2)
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return help()
  if (name === '--version' || name === '-v') {
    process.stdout.write(`swarmharness ${buildWords(VERSION, COMMIT)}\n`)
    return EXIT.done
  }
  const load = COMMANDS[name]
  if (!load) {
    say(`swarm: there is no command "${name}"; one of ${Object.keys(COMMANDS).join(', ')}`)
    return EXIT.usage
  }
  const { command } = await load()
  if (rest.includes('--help') || rest.includes('-h')) {
    say([command.usage, command.summary, ...flagWords(command.flags ?? {})].join('\n'))
    return EXIT.done
  }
  return command.run(rest)
}

// A reader such as `head` may have seen enough.
process.stdout.on('error', () => undefined)
const code = await main()
// Where standard output is a pipe, the last of it may still be on its way.
await new Promise((flushed) => process.stdout.write('', flushed))
process.exit(code)
